"""README.md of this folder, made from the declarations: `python -m kammodel.rollups.describing > README.md`."""

from __future__ import annotations

import sys

from kammodel.rollups.columns import ENTITY, LED, columns_of
from kammodel.rollups.declaring import OPERATIONS, OVERS, Operation, Over
from kammodel.rollups.operations import TAKES

_HEAD = """\
# Rollups of your own

A file `rollups.toml` in KAM_INPUTS_DIR declares figures over the rows of an account or account group: what an admin
would otherwise build with DLRS, Apex Rollup or roll-up summary fields, here without touching the limits of the org.
Each becomes a KPI (`kam kpis`, `kam explain`, the snapshots) and, with `field`, a custom field of the account that
`kam provision` makes and every run keeps current.

```toml
[[rollup]]
name = "open_large"
label = { en = "Large open deals", es = "Oportunidades grandes" }
over = "opportunities"
operation = "sum"
column = "amount"
filter = [
  { column = "status", is = "open" },
  { any = [{ column = "amount", at_least = 50000 }, { column = "kind", in = ["renewal"] }] },
]
window = { column = "close_on", next = 12, unit = "months" }
field = true

[[rollup]]
name = "last_family"
label = { en = "Last family bought", es = "Última familia comprada" }
over = "line_items"
level = "account"
operation = "first"
column = "product.family"
filter = [{ column = "opportunity.status", is = "won" }, { column = "product.family", is_not_null = true }]
order = [{ column = "opportunity.close_on", descending = true }]
field = { name = "last_family", help = { en = "Of the last deal won.", es = "De la última ganada." } }
```

| key | content |
|---|---|
| **name** | small letters, digits, underscores; no name of a KPI of ours |
| **label** | `{ en, es }`, up to 40 characters each |
| **over** | __OVERS__ |
| **operation** | see below |
| level | `group` (every account of it shows the same), or `account`: each its own |
| column | what the operation works on |
| filter | conditions that all hold: `{ column, is = value }`, or `{ any = [...] }` of several |
| matches | of any, all and none: the conditions that are asked of each row, in place of a column |
| window | days of a column: `last = 90, unit = "days"`, `next = 12, unit = "months"`, or `to_date = "year"` |
| order | `[{ column, descending = true }]`, for first, last, concat and top_n |
| top_n | takes the first so many rows, by the order, before anything is made of them |
| p | of a percentile: 0 to 100 |
| separator, distinct, max_length | of a concat; `", "`, `false` and `255` unless given |
| field | `true`, or `{ name, label, help, decimals }`: `KAM_Open_Large__c` in Salesforce, `kam_open_large` in HubSpot |

Tests of a condition: `is`, `is_not`, `in`, `not_in`, `less_than`, `at_most`, `more_than`, `at_least`, `contains` (a
text, whatever the case), `is_null = true`, `is_not_null = true`. Windows `to_date` are of a `year` or a `quarter`.

What holds for all of them:

- Rows are those that KPIs are made of, as they were known at the end of the day: none created later, none deleted,
  merged accounts under their survivor, of two CRMs with one company those of the system of record, for both. A deal
  that was closed after the day was open then; its `close_on` is that of its status then. Activities are of every kind,
  planned ones too: `is_done` and `day` are what touches go by. Contacts belong to the account where they work and to
  those that they are actively related to.
- Money is in the reporting currency: of deals and their lines at the rate of the close date (open: of the day), of
  contracts of their first day. Without a rate the figure is empty, with the reason, as soon as such a row enters it or
  may do so. Numbers have six decimals, ratios are 0..1.
- A window ends with the day and has it in it: `last` 30 days is (t - 30, t], `next` is (t, t + n]. A moment counts by
  its day in KAM_TIMEZONE. A row without a day is in no window.
- `is_not` and `not_in` hold for what is empty, other tests do not.
- No row: sum and counts are 0, any is 0, none is 1; everything else is empty with `no_rows`. Rows without any value:
  empty with `values_unknown`. Rows or columns that the CRM has not told us: empty with `not_read`.
- What is empty stands last in an order, in both directions; equal ones stand by their ids. `most_frequent` takes the
  smallest of equally frequent values. A percentile lies between the two nearest values, in proportion (type 7).
- A text that does not fit is not cut within a value: it ends with `+3`, the number of those left out.
- `name` of deals and products, `code` and `loss_reason` are told as they are today: no version of them is kept.
- A rollup that is taken out of the file: its field is emptied by the next plan where it holds what we wrote, and an
  admin may delete it; `kam provision --remove` takes it away with the others.

A mistake is refused with file, line, key, reason and the nearest name, all of them at once (exit code 3).

Made from the code by `python -m kammodel.rollups.describing`.

## Operations

| operation | works on | order | figure |
|---|---|---|---|
"""


def readme() -> str:
    """The text of README.md."""
    head = _HEAD.replace("__OVERS__", ", ".join(f"`{over}`" for over in OVERS))
    return "\n".join([head + "\n".join(map(_operation, OPERATIONS)), "", *map(_section, OVERS)])


def _operation(operation: Operation) -> str:
    takes = TAKES[operation]
    kinds = ", ".join(sorted(takes.kinds))
    column = {"needed": "", "possible": "; or on no column"}[takes.column]
    return f"| {operation} | {kinds}{column} | {takes.order} | {takes.unit or 'as the column'} |"


def _section(over: Over) -> str:
    rows = "\n".join(f"| {column.name} | {column.kind} |" for column in columns_of(over).values())
    led = " and ".join(entity.__name__ for entity in LED.get(over, {}).values())
    more = f", and of the {led} that a row leads to" if led else ""
    return f"## {over}\n\nColumns of {ENTITY[over].__name__}{more}.\n\n| column | kind |\n|---|---|\n{rows}\n"


if __name__ == "__main__":
    sys.stdout.write(readme())
