"""What a rollup is, by examples: what the file says, what is told of a wrong one, and what each operation makes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kammodel.errors import GivenInvalid
from kammodel.given import read_given
from kammodel.publish.fields import Words
from kammodel.rollups import Rollup, parse_rollups
from kammodel.rollups.declaring import AnyOf, Condition, Order, Published, Window
from kammodel.rollups.describing import readme
from tests.unit.kam_world import World, at, on
from tests.unit.rollup_book import roll, roll_inputs

HEAD = '[[rollup]]\nname = "mine"\nlabel = { en = "Mine", es = "Mío" }\n'
README = Path(__file__).parents[2] / "kammodel" / "rollups" / "README.md"


def read(body: str) -> Rollup:
    rollups, faults = parse_rollups(HEAD + body)
    assert not faults
    (found,) = rollups
    return found


def told(body: str) -> list[str]:
    rollups, faults = parse_rollups(HEAD + body)
    assert not rollups
    return [fault.text for fault in faults]


def rolled(world: World, body: str, account: str = "a") -> Any:
    """The figure of an account, or of its group; the reason where it is null."""
    rollup = read(body)
    found, _ = roll([rollup], world)
    rows = found.accounts.filter(source_id=account)
    if rollup.level == "group":
        rows = rows.select("group").join(found.groups, on="group")
    row = rows.row(0, named=True)
    return row["mine__why"] if row["mine"] is None else row["mine"]


OPEN = 'over = "opportunities"\nfilter = [{ column = "status", is = "open" }]\n'
DEALS = 'over = "opportunities"\n'


# The file


def test_a_rollup_says_all_that_it_is() -> None:
    """Money in 1/10,000 units, numbers in millionths, days as days."""
    found = read(
        """over = "opportunities"
        operation = "sum"
        column = "amount"
        level = "account"
        filter = [
            { column = "amount", at_least = 1000.5 },
            { any = [{ column = "probability", more_than = 0.25 }, { column = "close_on", is = 2026-01-31 }] },
        ]
        window = { column = "close_on", next = 12, unit = "months" }
        order = [{ column = "amount", descending = true }]
        top_n = 3
        field = { name = "top_three", decimals = 0 }"""
    )
    assert found == Rollup(
        "mine",
        Words("Mine", "Mío"),
        "opportunities",
        "sum",
        "money",
        "account",
        "amount",
        filter=(
            Condition("amount", "at_least", 10_005_000),
            AnyOf((Condition("probability", "more_than", 250_000), Condition("close_on", "is", on("2026-01-31")))),
        ),
        window=Window("close_on", "next", "months", 12),
        order=(Order("amount", descending=True),),
        top_n=3,
        field=Published("top_three", 0, Words("Mine", "Mío"), Words("Mine", "Mío")),
    )


def test_every_mistake_is_told_at_once_with_line_key_and_nearest_name() -> None:
    assert told(
        """over = "oportunities"
operation = "summ"
colunm = "amount"
filter = [
  { column = "statuss", is = "open" },
  { column = "close_on", at_least = "2026-01-01" },
]
window = { column = "close_on", last = 0, unit = "weeks" }
"""
    ) == [
        "line 4, rollup[1].over: 'oportunities' is not known; did you mean opportunities?",
        "line 5, rollup[1].operation: 'summ' is not known; did you mean sum?",
        "line 6, rollup[1].colunm: no such key; did you mean column?",
        "line 8, rollup[1].filter[1].column: there is no column 'statuss'; did you mean status?",
        "line 9, rollup[1].filter[2].at_least: '2026-01-01' is not a day, 2026-06-30 without quotes",
        "line 11, rollup[1].window.last: 0 is not a whole number from 1 to 36500",
        "line 11, rollup[1].window.unit: 'weeks' is not known; known: days, months",
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('operation = "sum"', "line 1, rollup[1]: column is missing: sum needs one"),
        ('operation = "sum"\ncolumn = "status"', "status is a text; sum takes money, number or whole"),
        ('operation = "sum"\ncolumn = "probability"', "probability is a ratio; sum takes money, number or whole"),
        ('operation = "first"\ncolumn = "name"', "line 1, rollup[1]: order is missing: first needs one"),
        ('operation = "max"\ncolumn = "amount"\ntop_n = 2', "line 7, rollup[1].top_n: needs an order"),
        ('operation = "max"\ncolumn = "amount"\norder = [{ column = "amount" }]', "changes nothing in max"),
        ('operation = "percentile"\ncolumn = "amount"', "p is missing: give the percentile"),
        ('operation = "percentile"\np = 101\ncolumn = "amount"', "101 is not a percentile from 0 to 100"),
        ('operation = "count"\nseparator = ";"', "separator: goes with concat only, not with count"),
        ('operation = "any"', "any needs either a column that is a flag, or matches, and not both"),
        ('operation = "count"\nmatches = [{ column = "status", is = "won" }]', "goes with any, all and none only"),
        ('operation = "count"\nfilter = [{ column = "status" }]', "filter[1]: give one test of the column, not 0"),
        ('operation = "count"\nfilter = [{ column = "status", less_than = "a" }]', "a text is neither more nor less"),
        ('operation = "count"\nfilter = [{ column = "amount", is = 0.00001 }]', "0.00001 is not an amount"),
        ('operation = "count"\nfilter = [{ column = "kind", in = [] }]', "[] is not a list of values, [...]"),
        ('operation = "count"\nfilter = [{ column = "is_omitted", is = 1 }]', "1 is not true or false"),
        (
            'operation = "count"\nfilter = [{ column = "kind", is_null = false }]',
            "false is not true: write is_null = true",
        ),
        (
            'operation = "count"\nwindow = { column = "kind", last = 3, unit = "days" }',
            "kind is a text, a window needs",
        ),
        ('operation = "count"\nwindow = { column = "close_on" }', "window: give one of last, next and to_date"),
        ('operation = "count"\nfield = { name = "tier" }', "tier is a field of kam itself: give it another name"),
        ('operation = "count"\nfield = { decimals = 2 }', "field.decimals: a count has none"),
        ('operation = "count"\nlevel = "owner"', "'owner' is not known; known: group, account"),
    ],
)
def test_what_cannot_be_is_refused(body: str, reason: str) -> None:
    (fault,) = told(f"{DEALS}{body}\n")
    assert reason in fault


def test_names_are_told_apart() -> None:
    """From each other and from the KPIs of every installation; broken ones too."""
    text = HEAD.replace("mine", "open_cases") + 'over = "cases"\noperation = "count"\n'
    _, faults = parse_rollups(text + HEAD + HEAD)
    reasons = [fault.reason for fault in faults]
    assert "open_cases is the name of a KPI of ours: choose another" in reasons
    assert "mine is the name of rollup[2] too: choose another" in reasons


def test_the_folder_of_files_tells_of_it(tmp_path: Path) -> None:
    """With the faults of the other files; a file of a similar name is one too."""
    (tmp_path / "rollups.toml").write_text(HEAD + 'over = "cases"\noperation = "count"\n', "utf-8")
    given = read_given(tmp_path)
    assert [rollup.name for rollup in given.rollups] == ["mine"]
    assert given.fingerprint
    (tmp_path / "rollups.toml").rename(tmp_path / "rollup.toml")
    (tmp_path / "ratings.csv").write_text("acount\n", "utf-8")
    with pytest.raises(GivenInvalid, match=r"ratings.csv: line 1, acount: .*rollup.toml: kam reads no such file; did"):
        read_given(tmp_path)


def test_no_toml_is_told_as_such() -> None:
    ((), (fault,)) = parse_rollups("[[rollup]\n")
    assert fault.text.startswith("is not valid TOML: ")


def test_the_readme_is_current_and_its_example_is_one() -> None:
    assert README.read_text("utf-8") == readme()
    example = re.search(r"```toml\n(.*?)```", readme(), re.DOTALL)
    assert example
    assert [r.name for r in parse_rollups(example[1])[0]] == ["open_large", "last_family"]


# The figures


@pytest.fixture
def world() -> World:
    """Three deals of an account and one of its daughter, all open."""
    world = World()
    world.account("a")
    world.account("b", parent_id="a")
    for account, amount, name, day in (("a", 10, "x", 5), ("a", 30, "y", 7), ("a", 20, "x", 7), ("b", 5, "z", 9)):
        more = {"status": "open", "name": name, "close_on": on(f"2026-07-0{day}"), "probability": amount / 100}
        world.deal(account, amount, **more)
    return world


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('operation = "sum"\ncolumn = "amount"', 650_000),
        ('operation = "sum"\ncolumn = "amount"\nlevel = "account"', 600_000),
        ('operation = "count"', 4),
        ('operation = "count_distinct"\ncolumn = "name"', 3),
        ('operation = "avg"\ncolumn = "amount"', 162_500),
        ('operation = "median"\ncolumn = "amount"', 150_000),
        ('operation = "percentile"\np = 90\ncolumn = "amount"', 270_000),
        ('operation = "min"\ncolumn = "close_on"', on("2026-07-05")),
        ('operation = "max"\ncolumn = "probability"', 0.3),
        ('operation = "first"\ncolumn = "name"\norder = [{ column = "amount" }]', "z"),
        ('operation = "last"\ncolumn = "name"\norder = [{ column = "close_on" }]', "z"),
        ('operation = "most_frequent"\ncolumn = "name"', "x"),
        ('operation = "any"\nmatches = [{ column = "amount", more_than = 29 }]', 1),
        ('operation = "all"\nmatches = [{ column = "amount", more_than = 29 }]', 0),
        ('operation = "none"\nmatches = [{ column = "amount", more_than = 31 }]', 1),
        ('operation = "concat"\ncolumn = "name"\ndistinct = true\nseparator = "/"', "x/y/z"),
        ('operation = "concat"\ncolumn = "name"\norder = [{ column = "amount", descending = true }]', "y, x, x, z"),
        (
            'operation = "sum"\ncolumn = "amount"\norder = [{ column = "amount", descending = true }]\ntop_n = 2',
            500_000,
        ),
    ],
)
def test_each_operation(world: World, body: str, value: Any) -> None:
    assert rolled(world, OPEN + body) == value


def test_ties_are_told_apart_by_key(world: World) -> None:
    """Two deals close on one day: the one of the smaller id is first, that of the greater one last."""
    same = 'column = "amount"\nlevel = "account"\norder = [{ column = "close_on", descending = true }]\n'
    assert rolled(world, f'{OPEN}operation = "first"\n{same}') == 300_000
    last = same.replace(", descending = true", "")
    assert rolled(world, f'{OPEN}operation = "last"\n{last}') == 200_000


def test_what_does_not_fit_is_counted(world: World) -> None:
    """A text ends with how many are left out; one value that is too long by itself is cut, and shows it."""
    body = OPEN + 'operation = "concat"\ncolumn = "name"\n'
    assert rolled(world, body + "max_length = 8") == "x, x, +2"
    world.deals[0]["name"] = "A very long name"
    assert rolled(world, body + "max_length = 5") == "A ve…"


def test_nothing_is_no_zero_where_it_means_nothing(world: World) -> None:
    none = DEALS + 'filter = [{ column = "status", is = "lost" }]\noperation = '
    whole = {"sum": 0, "count_distinct": 0, "avg": "no_rows", "min": "no_rows", "median": "no_rows"}
    assert {name: rolled(world, f'{none}"{name}"\ncolumn = "amount"') for name in whole} == whole
    for deal in world.deals:
        deal["amount"] = None
    assert rolled(world, f'{OPEN}operation = "sum"\ncolumn = "amount"') == "amounts_unknown"


def test_without_a_rate_a_figure_is_unknown(world: World) -> None:
    """Of what enters it, of what may pass its filter, and of what its order hangs on (reading 7)."""
    world.deals[0]["currency"] = "XXX"
    unknown = "no rate for XXX"
    assert rolled(world, f'{OPEN}operation = "max"\ncolumn = "amount"') == unknown
    assert rolled(world, f'{DEALS}operation = "count"\nfilter = [{{ column = "amount", more_than = 1 }}]') == unknown
    order = 'order = [{ column = "amount" }]'
    assert rolled(world, f'{DEALS}operation = "first"\ncolumn = "name"\n{order}') == unknown
    other = 'filter = [{ column = "amount", more_than = 1 }, { column = "name", is = "y" }]'
    assert rolled(world, f'{DEALS}operation = "count"\n{other}') == 1


def test_a_stream_or_column_that_was_not_read_is_not_empty() -> None:
    world = World()
    world.account("a")
    cases = read('over = "cases"\noperation = "count"')
    leads = read(f'{DEALS}operation = "count_distinct"\ncolumn = "lead_source"')
    inputs = world.inputs(salesforce=("opportunities",))
    inputs = replace(inputs, columns={("salesforce", "org", "opportunities"): frozenset({"amount", "status"})})
    found, _ = roll_inputs([cases, replace(leads, name="leads")], inputs)
    row = found.groups.row(0, named=True)
    assert (row["mine__why"], row["leads__why"]) == ("not_read", "not_read")


def test_a_company_in_two_crms_has_one_figure_in_both(world: World) -> None:
    """That of the system of record; merged accounts count for their survivor."""
    world.account("m", deleted=True, merged_into_id="a")
    world.deal("m", 7, status="open", close_on=on("2026-08-01"))
    world.account("t", "hubspot", cross_reference="a")
    world.deal("t", 1_000, "hubspot", status="open", close_on=on("2026-08-01"))
    body = f'{OPEN}operation = "sum"\ncolumn = "amount"\nlevel = "account"'
    assert {account: rolled(world, body, account) for account in "abt"} == {"a": 670_000, "b": 50_000, "t": 670_000}


def test_a_moment_counts_by_its_local_day() -> None:
    """Half past ten in the evening, UTC, is the next day in Madrid."""
    world = World()
    world.account("a")
    world.case("one", "a")
    world.cases[-1] |= {"opened_at": at("2026-06-29T22:30"), "is_closed": False}
    assert rolled(world, 'over = "cases"\noperation = "max"\ncolumn = "opened_at"') == on("2026-06-30")
    window = 'window = { column = "opened_at", last = 1, unit = "days" }'
    assert rolled(world, f'over = "cases"\noperation = "count"\n{window}') == 1
