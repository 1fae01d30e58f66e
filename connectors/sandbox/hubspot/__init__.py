"""A HubSpot portal, as its documentation and third parties' recordings describe it, served over HTTP.

    portal = Portal.from_book(book, clock, cross_reference, PortalSettings(index_lag_s=5))
    with served(hubspot_app(portal), refuse) as there: ...

A book's surroundings stand in it where HubSpot has a place for them: issues as tickets, items as line items of
products, roles as labels of the portal's own and as buying roles, plans as goals of their owners. Contracts, orders,
assets and teams have none and are left out.

People, stories and the API write through the same functions of `portal.Portal`; the knobs of `settings` can be
turned while it serves, and `portal.troubles` plans answers such as 423 or 524. A path, parameter or key that is not
known is a 500 that names it.
"""
