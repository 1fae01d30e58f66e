"""A HubSpot portal, as its documentation and third parties' recordings describe it, served over HTTP.

    portal = Portal.from_book(book, clock, cross_reference, PortalSettings(index_lag_s=5))
    with served(hubspot_app(portal), refuse) as there: ...

People, stories and the API write through the same functions of `portal.Portal`; the knobs of `settings` can be
turned while it serves. A path, parameter or key that is not known is a 500 that names it.
"""
