"""Makes an org out of a folder of CSV files named after objects: what an org's weekly Data Export produces."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.csv_dates import Dates
from connectors.sandbox.salesforce.csv_export import Export, NotAnExport, read_export
from connectors.sandbox.salesforce.csv_rows import OBJECTS, Rows
from connectors.sandbox.salesforce.csv_stages import Stage, stages_of
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.instants import instant, parsed_day
from connectors.sandbox.salesforce.objects import AROUND
from connectors.sandbox.salesforce.objects.opportunity import FORECAST_NAMES
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.salesforce.setup import use_rates

__all__ = ["LoadReport", "NotAnExport", "latest_event_date", "org_from_csv"]

_FOREVER_AGO = "1900-01-01"
_OPTIONAL = ("Task", "Event", "OpportunityHistory")


@dataclass
class LoadReport:
    """What became of a folder: rows held by object, rows set aside by (object, reason), and what was left out."""

    as_of: dt.date
    loaded: dict[str, int] = field(default_factory=dict)
    set_aside: Counter[tuple[str, str]] = field(default_factory=Counter)
    references_left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_files: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report in sentences, without any value of a row. Names of files and columns are the folder's own."""
        held = ", ".join(f"{count:,} {name}" for name, count in self.loaded.items() if count)
        said = [f"Held as of {self.as_of}: {held or 'nothing'}."]
        said += [f"{name}: {count:,} rows set aside: {why}." for (name, why), count in sorted(self.set_aside.items())]
        said += [
            f"{name}.{field}: {count:,} references left empty: they lead to records that are not in the folder."
            for (name, field), count in sorted(self.references_left_out.items())
        ]
        said += [f"{name}: columns left out: {', '.join(names)}." for name, names in self.unknown_columns.items()]
        if self.unknown_files:
            said.append(f"Files left out: {', '.join(self.unknown_files)}.")
        return said + self.notes


def latest_event_date(folder: Path) -> dt.date | None:
    """The day of the latest thing that happened: a deal or record entered, a deal closed, a task done.

    Planned things do not count, nor, where every deal says when it was changed, what lies after the last change of any
    row. None where nothing has a date. Raises NotAnExport.
    """
    export = read_export(folder)
    return Dates(export, stages_of(export)).latest_event


def org_from_csv(
    folder: Path,
    as_of: dt.date | None = None,
    settings: OrgSettings | None = None,
    *,
    clock: Clock | None = None,
    home_currency: str = "EUR",
    timezone: str = "Europe/Madrid",
) -> tuple[Org, LoadReport]:
    """An org that holds what the files say, seen from the morning after `as_of` (default: the latest event).

    Account.csv is needed; other objects may be missing. Ids that are not Salesforce's are replaced by ones made from
    them. Rows that an org could not hold are set aside and counted; so are rows that refer to a row which is not
    there. A reference to an object without file, to a parent or to who entered a row is left empty instead.
    Activities and history without a file are hidden, as are cases, contracts, products and all else around accounts
    and opportunities: an export that says nothing of them is not one of none.
    Without OpportunityStage.csv stages are derived, without User.csv owners are made of the ids that rows name.
    Without CurrencyType.csv amounts are in `home_currency`, and currencies that rows name have no rate.
    Raises NotAnExport.
    """
    export = read_export(folder)
    stages = stages_of(export)
    dates = Dates(export, stages, as_of)
    report = LoadReport(dates.as_of)
    currencies = _currencies(export, home_currency)
    org = Org(clock or _clock(dates), _settings(settings, export), currencies=currencies, timezone=timezone)
    if org.multi_currency:
        _use_rates(org, export, report)
    _use_stages(org, stages)
    rows = Rows(org, export, dates)
    for name in OBJECTS:
        records = rows.records(name)
        if name == "User" and "User" not in export.rows:
            records = rows.owners_named()
        report.loaded[name] = org.load(name, _known_only(org, name, records))
    without = sum("CloseDate" not in row for row in export.rows.get("Opportunity", ()))
    if without:
        report.notes.append(f"Opportunity: {without:,} rows have no CloseDate, which an org would ask for.")
    report.set_aside, report.references_left_out = export.set_aside, rows.left_out
    report.unknown_columns, report.unknown_files = export.unknown_columns, export.unknown_files
    return org, report


def _settings(settings: OrgSettings | None, export: Export) -> OrgSettings:
    given = settings or OrgSettings()
    unsaid = {name for name in (*_OPTIONAL, *AROUND) if name not in export.rows}
    nobody = {f"{name}.WhoId" for name in ("Task", "Event") if "WhoId" not in export.columns.get(name, ())}
    return replace(given, hidden_objects=given.hidden_objects | unsaid, hidden_fields=given.hidden_fields | nobody)


def _clock(dates: Dates) -> Clock:
    """The morning after; later where rows were changed later, for a query does not look past the org's clock."""
    morning = dt.datetime.combine(dates.as_of + dt.timedelta(days=1), dt.time(6), dt.UTC)
    if dates.latest_stamp:
        morning = max(morning, instant(dates.latest_stamp) + dt.timedelta(hours=1))
    return Clock(morning)


def _known_only(org: Org, name: str, records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without CurrencyIsoCode where the org has one currency."""
    if org.table(name).field("CurrencyIsoCode") is not None:
        return records
    return [{column: value for column, value in record.items() if column != "CurrencyIsoCode"} for record in records]


def _currencies(export: Export, home: str) -> list[str]:
    """The home currency first: as CurrencyType says, else the one given."""
    types = export.rows.get("CurrencyType", [])
    corporate = next((r["IsoCode"] for r in types if "IsoCode" in r and _true(r.get("IsCorporate"))), home)
    named = {row["IsoCode"] for row in types if "IsoCode" in row}
    for name in OBJECTS:
        named |= {row["CurrencyIsoCode"] for row in export.rows.get(name, ()) if "CurrencyIsoCode" in row}
    if len(named) == 1 and not types:
        return sorted(named)
    return [corporate, *sorted(named - {corporate})]


def _use_rates(org: Org, export: Export, report: LoadReport) -> None:
    rates: dict[str, list[tuple[str, float]]] = {org.home_currency: [(_FOREVER_AGO, 1.0)]}
    for name, column in (("CurrencyType", None), ("DatedConversionRate", "StartDate")):
        steps: dict[str, list[tuple[str, float]]] = {}
        for row in export.rows.get(name, ()):
            rate = _positive(row.get("ConversionRate"))
            start = parsed_day(row.get(column, "")) if column else _FOREVER_AGO
            if "IsoCode" not in row or rate is None or start is None:
                export.set_aside[name, "no IsoCode, no rate above 0 or no day from which it is valid"] += 1
            elif row["IsoCode"] != org.home_currency:
                steps.setdefault(row["IsoCode"], []).append((start, rate))
        rates |= {code: sorted(found) for code, found in steps.items()}
    use_rates(org, rates)
    named = org.table("Account").field("CurrencyIsoCode")
    missing = [code for code in (named.values if named else ()) if code not in rates]
    if missing:
        report.notes.append(f"No rate for {', '.join(missing)}: CurrencyType.csv does not say one.")


def _positive(text: str | None) -> float | None:
    try:
        rate = float(text or "")
    except ValueError:
        return None
    return rate if 0 < rate < float("inf") else None


def _true(text: str | None) -> bool:
    return (text or "").lower() in {"true", "1"}


def _use_stages(org: Org, stages: dict[str, Stage]) -> None:
    table = org.table("OpportunityStage")
    for record_id in list(table.rows):
        table.drop(record_id)
    org.load(
        "OpportunityStage",
        [
            {
                "Id": salesforce_id("01J", place),
                "MasterLabel": stage.label,
                "ApiName": stage.label,
                "SortOrder": place,
                "DefaultProbability": stage.probability,
                "ForecastCategory": stage.category,
                "ForecastCategoryName": FORECAST_NAMES.get(stage.category, stage.category),
                "IsClosed": stage.closed,
                "IsWon": stage.won,
            }
            for place, stage in enumerate(stages.values(), 1)
        ],
    )
