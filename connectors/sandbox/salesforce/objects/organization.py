"""Organization and the currencies it works in."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

ORGANIZATION = f.SObject(
    name="Organization",
    label="Organization",
    plural="Organizations",
    prefix="00D",
    createable=False,
    updateable=False,
    deletable=False,
    setup=True,
    replicateable=False,
    fields=(
        f.record_id("Organization ID"),
        f.text("Name", "Name", 80, name_field=True).required,
        f.text("Division", "Division", 80, permissionable=False),
        f.picklist("DefaultLocaleSidKey", "Locale", (), permissionable=False),
        f.picklist("LanguageLocaleKey", "Language", (), permissionable=False),
        f.picklist("TimeZoneSidKey", "Time Zone", (), permissionable=False),
        f.integer("FiscalYearStartMonth", "Fiscal Year Starts In", permissionable=False),
        f.picklist("OrganizationType", "Edition", ("Enterprise Edition", "Developer Edition"), permissionable=False),
        f.text("NamespacePrefix", "Namespace Prefix", 15, permissionable=False),
        f.text("InstanceName", "Instance Name", 5, permissionable=False),
        f.checkbox("IsSandbox", "Is Sandbox").required,
        f.moment("TrialExpirationDate", "Trial Expiration Date", permissionable=False),
        *f.audit(deletable=False),
    ),
)

CURRENCY_TYPE = f.SObject(
    name="CurrencyType",
    label="Currency Type",
    plural="Currency Types",
    prefix="01L",
    deletable=False,
    multi_currency_only=True,
    setup=True,
    replicateable=False,
    write_permission="CustomizeApplication",
    fields=(
        f.record_id("Currency Type ID"),
        f.picklist("IsoCode", "Currency ISO Code", (), updateable=False, name_field=True).required,
        f.number("ConversionRate", "Conversion Rate", 18, 15).required,
        f.integer("DecimalPlaces", "Decimal Places").required,
        f.checkbox("IsActive", "Active", default=True).required,
        f.checkbox("IsCorporate", "Corporate Currency").required.fixed,
        *f.audit(deletable=False),
    ),
)

DATED_CONVERSION_RATE = f.SObject(
    name="DatedConversionRate",
    label="Dated Conversion Rate",
    plural="Dated Conversion Rates",
    prefix="04w",
    multi_currency_only=True,
    setup=True,
    replicateable=False,
    write_permission="CustomizeApplication",
    fields=(
        f.record_id("Dated Conversion Rate ID"),
        f.picklist("IsoCode", "Currency ISO Code", (), updateable=False, name_field=True).required,
        f.day("StartDate", "Start Date").required,
        f.day("NextStartDate", "Next Start Date").required.fixed,
        f.number("ConversionRate", "Conversion Rate", 18, 15).required,
        *f.audit(deletable=False),
    ),
)
