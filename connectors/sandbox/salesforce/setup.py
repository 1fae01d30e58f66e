"""What every org comes with: objects, the two users with their profiles, stages, statuses, currencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce import profiles
from connectors.sandbox.salesforce.columns import let_contracts_expire
from connectors.sandbox.salesforce.fields import CURRENCY, SObject, picklist, text
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata.new_org import lay_out
from connectors.sandbox.salesforce.objects import FEATURES, SOBJECTS, WITH_CURRENCY
from connectors.sandbox.salesforce.objects.case import CLOSING
from connectors.sandbox.salesforce.objects.opportunity import FORECAST_NAMES
from connectors.sandbox.salesforce.profiles import ADMIN_PROFILE, INTEGRATION_PROFILE, shadow_id
from connectors.sandbox.salesforce.settings import ADMIN_USERNAME, ALL_PERMISSIONS
from connectors.sandbox.salesforce.table import Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

# Far above the ids that a book gives its sellers.
ADMIN_USER, INTEGRATION_USER = 900_001, 900_002
_FOREVER = "9999-12-31"

CROSS_REFERENCE = "HubSpot_Company_Id__c"
"""Account field, text and external id, that holds the id of the company in HubSpot; everybody sees it."""

STAGES: tuple[tuple[str, int, str, bool, bool], ...] = (
    ("Prospecting", 10, "Pipeline", False, False),
    ("Qualification", 10, "Pipeline", False, False),
    ("Needs Analysis", 20, "Pipeline", False, False),
    ("Value Proposition", 50, "Pipeline", False, False),
    ("Id. Decision Makers", 60, "Pipeline", False, False),
    ("Perception Analysis", 70, "Pipeline", False, False),
    ("Proposal/Price Quote", 75, "Pipeline", False, False),
    ("Negotiation/Review", 90, "Pipeline", False, False),
    ("Closed Won", 100, "Closed", True, True),
    ("Closed Lost", 0, "Omitted", True, False),
)
"""Label, probability, forecast category, closed, won: those of a new org."""


def furnish(org: Org, currencies: Sequence[str], timezone: str) -> None:
    """Make the tables, and what is in them from the first day."""
    for sobject in SOBJECTS:
        if _exists(org, sobject):
            org.tables[sobject.name.lower()] = Table(
                _reachable(org, sobject), _currency_field(org, sobject, currencies)
            )
    if "contract" in org.tables:
        let_contracts_expire(org, org.table("Contract"))
    _users(org, timezone)
    use_stages(org, STAGES)
    _statuses(org)
    if org.multi_currency:
        use_rates(org, {code: [("1900-01-01", 1.0)] for code in currencies})
    organization = {
        "Id": org.org_id,
        "Name": org.settings.name,
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": timezone,
        "FiscalYearStartMonth": 1,
        "OrganizationType": org.settings.metadata.edition,
        "InstanceName": "SBX1",
        "IsSandbox": org.settings.metadata.is_sandbox,
    }
    org.load("Organization", [organization])
    org.add_field("Account", text(CROSS_REFERENCE, "HubSpot Company ID", 20, external_id=True, custom=True))
    org.grant_field("Account", CROSS_REFERENCE)
    profiles.assign(org)
    profiles.follow(org)
    lay_out(org)


def use_stages(org: Org, stages: Iterable[tuple[str, int, str, bool, bool]]) -> None:
    """Replace the stages of opportunities, in this order."""
    table = org.table("OpportunityStage")
    for record_id in list(table.rows):
        table.drop(record_id)
    records = [
        {
            "Id": salesforce_id("01J", place),
            "MasterLabel": label,
            "ApiName": label,
            "SortOrder": place,
            "DefaultProbability": probability,
            "ForecastCategory": category,
            "ForecastCategoryName": FORECAST_NAMES[category],
            "IsClosed": closed,
            "IsWon": won,
        }
        for place, (label, probability, category, closed, won) in enumerate(stages, 1)
    ]
    org.load("OpportunityStage", records)


def use_rates(org: Org, rates: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Replace the currencies. Per code: (start date, units per unit of the corporate currency), oldest first."""
    today = org.now()[:10]
    types: list[dict[str, Any]] = []
    dated: list[dict[str, Any]] = []
    for place, (code, steps) in enumerate(rates.items(), 1):
        current = [rate for start, rate in steps if start <= today] or [steps[0][1]]
        types.append(
            {
                "Id": salesforce_id("01L", place),
                "IsoCode": code,
                "ConversionRate": current[-1],
                "DecimalPlaces": 2,
                "IsActive": True,
                "IsCorporate": code == org.home_currency,
            }
        )
        for (start, rate), end in zip(steps, [*(start for start, _ in steps[1:]), _FOREVER], strict=True):
            row = {"IsoCode": code, "StartDate": start, "NextStartDate": end, "ConversionRate": rate}
            dated.append({"Id": salesforce_id("04w", len(dated) + 1), **row})
    for name, records in (("CurrencyType", types), ("DatedConversionRate", dated)):
        table = org.tables.get(name.lower())
        if table is not None:
            for record_id in list(table.rows):
                table.drop(record_id)
            org.load(name, records)


def _exists(org: Org, sobject: SObject) -> bool:
    feature = "dated_rates" if sobject.name == "DatedConversionRate" else FEATURES.get(sobject.name)
    if feature is not None and not getattr(org.settings, feature):
        return False
    return org.multi_currency or not sobject.multi_currency_only


def _reachable(org: Org, sobject: SObject) -> SObject:
    """The object without lookups that lead only to objects of features which are off."""
    off = {name for name, feature in FEATURES.items() if not getattr(org.settings, feature)}
    kept = tuple(one for one in sobject.fields if not one.refers_to or not off.issuperset(one.refers_to))
    return replace(sobject, fields=kept) if off else sobject


def _currency_field(org: Org, sobject: SObject, currencies: Sequence[str]) -> list[Any]:
    if not org.multi_currency or sobject.name not in WITH_CURRENCY:
        return []
    more = {"permissionable": False, "restricted": True}
    field = picklist(CURRENCY.name, f"{sobject.label} Currency", currencies, **more)
    return [field if sobject.createable else field.fixed]


def _users(org: Org, timezone: str) -> None:
    profiles = {ADMIN_PROFILE: "System Administrator", INTEGRATION_PROFILE: "Minimum Access - API Only Integrations"}
    org.load("Profile", [{"Id": salesforce_id("00e", n), "Name": name} for n, name in profiles.items()])
    org.load("PermissionSet", [_shadow(number) for number in profiles])
    admin = {"Id": org.admin_user_id, "Username": ADMIN_USERNAME, "LastName": "Admin", "Alias": "admin"}
    api = {
        "Id": org.integration_user_id,
        "Username": org.settings.username,
        "LastName": "KAM Integration",
        "Alias": "kamint",
    }
    org.load("User", [_user(admin, ADMIN_PROFILE, timezone), _user(api, INTEGRATION_PROFILE, timezone)])


def _shadow(number: int) -> dict[str, Any]:
    """The permission set that stands for a profile."""
    return {
        "Id": shadow_id(number),
        "Name": f"X00ex{number:015d}",
        "Label": f"X00ex{number:015d}",
        "ProfileId": salesforce_id("00e", number),
        "IsOwnedByProfile": True,
        "IsCustom": False,
        "Type": "Profile",
        **{f"Permissions{name}": number == ADMIN_PROFILE for name in ALL_PERMISSIONS},
    }


def _user(who: Mapping[str, Any], profile: int, timezone: str) -> dict[str, Any]:
    return {
        **who,
        "Email": who["Username"],
        "ProfileId": salesforce_id("00e", profile),
        "IsActive": True,
        "TimeZoneSidKey": timezone,
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "UserType": "Standard",
    }


def _statuses(org: Org) -> None:
    for sobject, closing in (("Task", ("Completed",)), ("Case", CLOSING)):
        table, values = org.table(sobject), org.table(f"{sobject}Status")
        org.load(
            values.name,
            [
                {
                    "Id": salesforce_id(values.sobject.prefix, place),
                    "MasterLabel": name,
                    "ApiName": name,
                    "SortOrder": place,
                    "IsDefault": place == 1,
                    "IsClosed": name in closing,
                }
                for place, name in enumerate(table.fields[table.position["status"]].values, 1)
            ],
        )
