"""Converts Maven's "CRM Sales Opportunities" into a folder of CSV files as a Salesforce org would export it.

    python -m tests.data.maven OUT [SOURCE]

SOURCE defaults to `../shared/data/maven_crm` from the project's root. Deals are in US dollars, as their source is.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "maven_crm"
CURRENCY = "USD"

# Stage -> probability in percent. Maven gives none for open deals; an org always has one, and these are synthetic.
STAGES = {"Prospecting": 10, "Engaging": 40, "Won": 100, "Lost": 0}
_CLOSED = {"Won", "Lost"}
_PRODUCTS = {"GTXPro": "GTX Pro"}


def convert(out: Path, source: Path = SOURCE) -> None:
    """Write Account, Opportunity, OpportunityStage and User into `out`, which is made.

    `GTXPro` is mended, for it names a product; `technolgy` is left as it is. A deal in Prospecting has no engage date,
    hence no created date; open deals have no close date; a deal without account stays without.
    """
    out.mkdir(parents=True, exist_ok=True)
    accounts, deals = _rows(source / "accounts.csv"), _rows(source / "sales_pipeline.csv")
    sellers = _rows(source / "sales_teams.csv")
    _write(out / "Account.csv", (_account(row) for row in accounts))
    _write(out / "Opportunity.csv", (_opportunity(row) for row in deals))
    _write(out / "OpportunityStage.csv", (_stage(n, *stage) for n, stage in enumerate(STAGES.items(), start=1)))
    _write(out / "User.csv", (_user(row) for row in sellers))


def _account(row: Mapping[str, str]) -> dict[str, str]:
    return {
        "Id": row["account"],
        "Name": row["account"],
        "ParentId": row["subsidiary_of"],
        "Type": "Customer - Direct",
        "Industry": row["sector"],
        # Maven's figure is in millions.
        "AnnualRevenue": f"{float(row['revenue']) * 1_000_000:.0f}",
        "NumberOfEmployees": row["employees"],
        "BillingCountry": row["office_location"],
    }


def _opportunity(row: Mapping[str, str]) -> dict[str, str]:
    product = _PRODUCTS.get(row["product"], row["product"])
    return {
        "Id": row["opportunity_id"],
        "Name": f"{row['account'] or 'No account'} - {product}",
        "AccountId": row["account"],
        "OwnerId": row["sales_agent"],
        "StageName": row["deal_stage"],
        "IsClosed": str(row["deal_stage"] in _CLOSED).lower(),
        "IsWon": str(row["deal_stage"] == "Won").lower(),
        "Amount": row["close_value"],
        "CloseDate": row["close_date"],
        "CreatedDate": row["engage_date"],
    }


def _stage(order: int, label: str, probability: int) -> dict[str, str]:
    closed, won = label in _CLOSED, label == "Won"
    return {
        "Id": f"stage {order}",
        "MasterLabel": label,
        "SortOrder": str(order),
        "DefaultProbability": str(probability),
        "IsClosed": str(closed).lower(),
        "IsWon": str(won).lower(),
        "ForecastCategory": "Closed" if won else "Omitted" if closed else "Pipeline",
    }


def _user(row: Mapping[str, str]) -> dict[str, str]:
    first, _, last = row["sales_agent"].partition(" ")
    return {"Id": row["sales_agent"], "FirstName": first, "LastName": last, "Department": row["regional_office"]}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    all_rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(all_rows[0]))
        writer.writeheader()
        writer.writerows(all_rows)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SOURCE)
