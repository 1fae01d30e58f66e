"""Files of KAM_INPUTS_DIR: how cells are read, and what is told about those that cannot be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kammodel.errors import GivenInvalid, NotConfigured
from kammodel.given import FILES, NOTHING_GIVEN, read_given
from kammodel.given.describing import readme
from kammodel.given.files import FILE
from kammodel.given.reading import parsed


def rows(name: str, text: str) -> list[dict[str, Any]]:
    frame, faults = parsed(FILE[name], text)
    assert not faults
    assert frame is not None
    assert frame.schema == pl.Schema(FILE[name].schema)
    return [{k: v for k, v in row.items() if v is not None and k != "line"} for row in frame.iter_rows(named=True)]


def told(name: str, text: str) -> list[str]:
    frame, faults = parsed(FILE[name], text)
    assert frame is None
    return [fault.text for fault in faults]


def test_columns_stand_in_any_order_and_those_not_needed_may_be_missing() -> None:
    assert rows("ratings", "esg_score,account\n61.5,0015\n,0016\n") == [
        {"account": "0015", "esg_score": 61.5},
        {"account": "0016"},
    ]


def test_what_excel_adds_is_no_content() -> None:
    """A mark in front, semicolons, line ends of Windows, lines that are empty throughout."""
    frame, faults = parsed(FILE["team"], "User;Function\r\nana; sales \r\n;\r\n\r\nluis;\r\n")
    assert (faults, frame is not None and frame.rows()) == (
        [],
        [(2, "ana", "sales", None), (5, "luis", None, None)],
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("1234.56", 12_345_600), ("0.0001", 1), ("1234", 12_340_000), ("12.50000", 125_000), ("+7", 70_000)],
)
def test_money_is_exact(cell: str, expected: int) -> None:
    assert rows("wallet", f"account,amount\nA,{cell}\n") == [{"account": "A", "amount": expected}]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("1234.56", 12_345_600), ("1234,56", 12_345_600), ("1.234,56", 12_345_600), ("1.234.567,8", 12_345_678_000)],
)
def test_semicolons_allow_a_spanish_decimal_comma(cell: str, expected: int) -> None:
    assert rows("wallet", f"account;amount\nA;{cell}\n") == [{"account": "A", "amount": expected}]


@pytest.mark.parametrize(
    ("separator", "cell"),
    [
        (";", "1.234"),
        (";", "1.234.567"),
        (",", '"1,234.56"'),
        (",", '"1234,56"'),
        (",", "1.23456"),
        (",", "99999999999999999"),
    ],
)
def test_a_number_that_could_be_two_is_refused(separator: str, cell: str) -> None:
    [fault] = told("wallet", f"account{separator}amount\nA{separator}{cell}\n")
    assert fault.startswith(f"line 2, amount: '{cell.strip(chr(34))}' is not a number like 1234.56")


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-H1", "2026-01-01", "2026-06-30"),
        ("2026-h2", "2026-07-01", "2026-12-31"),
        ("2026-Q2", "2026-04-01", "2026-06-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-12", "2026-12-01", "2026-12-31"),
    ],
)
def test_a_period_is_its_first_and_last_day(cell: str, first: str, last: str) -> None:
    [row] = rows("targets", f"account,period,metric,value\nA,{cell},revenue,1\n")
    assert (row["starts_on"], row["ends_on"]) == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def test_a_rate_is_a_fraction_of_whole_numbers() -> None:
    [row] = rows("fx_rates", "currency,valid_from,rate\nusd,2026-01-01,0.915\n")
    assert (row["currency"], row["rate_numerator"], row["rate_denominator"]) == ("USD", 915_000_000, 10**9)


@pytest.mark.parametrize(
    ("cell", "expected"), [("Sí", True), ("yes", True), ("1", True), ("NO", False), ("falso", False)]
)
def test_yes_and_no_in_both_languages(cell: str, *, expected: bool) -> None:
    assert rows("ratings", f"account,premium_support\nA,{cell}\n")[0]["premium_support"] is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "ratings",
            "account,strategic_value\nA,11\n",
            "line 2, strategic_value: '11' is not a number like 1234.56, from 0 up to 10",
        ),
        ("ratings", "account\nA\nB\nA\n", "line 4, account: says the same as line 2: take one of the two away"),
        ("ratings", "acount\nA\n", "line 1, acount: no such column; did you mean account?"),
        ("ratings", "account,account\nA,B\n", "line 1, account: stands there twice: take one away"),
        (
            "ratings",
            "account,esg_score\n,3\n",
            "line 2, account: is empty: fill it (" + FILE["ratings"].columns[0].about + ")",
        ),
        (
            "ratings",
            "account,relationship_stage\nA,close\n",
            "line 2, relationship_stage: 'close' is not one of "
            "exploratory, basic, cooperative, interdependent, integrated",
        ),
        (
            "wallet",
            "account,amount\nA,0\n",
            "line 2, amount: '0' is not a number like 1234.56, of at most four decimals, above 0",
        ),
        ("wallet", "account,amount,currency\nA,1,euro\n", "line 2, currency: 'euro' is not a currency code like EUR"),
        (
            "fx_rates",
            "currency,valid_from,rate\nUSD,30/06/2026,1\n",
            "line 2, valid_from: '30/06/2026' is not a date like 2026-06-30",
        ),
        (
            "fx_rates",
            "currency,valid_from,rate\nUSD,2026-02-30,1\n",
            "line 2, valid_from: '2026-02-30' is not a date like 2026-06-30",
        ),
        (
            "fx_rates",
            "currency,valid_from,rate\nUSD,2026-01-01,0\n",
            "line 2, rate: '0' is not a rate like 0.915, above 0, of at most nine decimals",
        ),
        (
            "targets",
            "account,period,metric,value\nA,2026-Q5,revenue,1\n",
            "line 2, period: '2026-Q5' is not 2026, 2026-H1, 2026-Q2 or 2026-06",
        ),
        (
            "targets",
            "account,owner,period,metric,value\nA,o,2026,revenue,1\n",
            "line 2, account, owner: fill one of them, and not both",
        ),
        (
            "targets",
            "account,owner,period,metric,value\n,,2026,revenue,1\n",
            "line 2, account, owner: fill one of them, and not both",
        ),
        (
            "plans",
            "plan_id,account,starts_on,ends_on\np,A,2026-02-01,2026-01-01\n",
            "line 2, ends_on: lies before starts_on: put the later day here",
        ),
        (
            "surveys",
            "survey_id,account,kind,answered_on\ns,A,nps,2026-01-01\n",
            "line 2, score: and answered_on go together: fill both or neither",
        ),
        (
            "surveys",
            "survey_id,account,kind,answered_on,score\ns,A,csat,2026-01-01,6\n",
            "line 2, score: is above the scale: correct it, or give the scale",
        ),
        (
            "surveys",
            "survey_id,account,kind\ns,A,nps\n",
            "line 2, answered_on: is empty, and so is asked_on: give one of the days",
        ),
        (
            "actions",
            "action_id,plan_id,status\na,p,done\n",
            "line 2, done_on: is empty, though the status is done: give the day",
        ),
        ("team", "user,hours_per_month\nu,1,2\n", "line 2: has more than 2 cells: put text with a , in quotes"),
        ("team", "", "is empty: its first line names the columns"),
    ],
)
def test_every_fault_says_where_and_what_to_do(name: str, text: str, expected: str) -> None:
    assert told(name, text) == [expected]


def test_a_missing_column_is_told_with_what_it_is_for() -> None:
    assert told("fx_rates", "currency,rate\nUSD,1\n") == [
        "line 1, valid_from: the column is missing: add it (First day)"
    ]


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    """A cell in quotes may hold a line end."""
    text = 'plan_id,account,name,starts_on,ends_on\np,A,"two\nlines",2026-01-01,2026-12-31\nq,A,x,2026,2026-12-31\n'
    assert told("plans", text) == ["line 4, starts_on: '2026' is not a date like 2026-06-30"]


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "team.csv").write_text("user,hours_per_month\n" + "".join(f"u{n},x\n" for n in range(8)), "utf-8")
    (tmp_path / "wallets.csv").write_text("account\n", "utf-8")
    (tmp_path / "ratings.csv").write_bytes("account\nCañón\n".encode("latin-1"))
    with pytest.raises(GivenInvalid) as caught:
        read_given(tmp_path)
    assert len(caught.value.faults) == 10
    text = str(caught.value)
    assert "wallets.csv: kam reads no such file; did you mean wallet.csv?" in text
    assert "ratings.csv: is not UTF-8 text: save it again as CSV UTF-8" in text
    assert "line 6, hours_per_month: 'x' is not a number like 1234.56, from 0 up to 744 | and 3 more" in text
    assert "\n" not in text
    assert caught.value.exit_code == 3


def test_faults_without_end_are_told_up_to_a_bound(tmp_path: Path) -> None:
    for name in ("team", "service"):
        column = FILE[name].columns[0].name
        (tmp_path / f"{name}.csv").write_text(f"{column}\n" + "same\n" * 200, "utf-8")
    with pytest.raises(GivenInvalid) as caught:
        read_given(tmp_path)
    assert len(caught.value.faults) == 50
    assert str(caught.value).endswith("further faults are not listed")


def test_without_a_folder_nothing_is_given(tmp_path: Path) -> None:
    assert read_given(None) == NOTHING_GIVEN
    assert set(read_given(tmp_path).frames.values()) == {None}
    with pytest.raises(NotConfigured, match=r"KAM_INPUTS_DIR: .* is no folder"):
        read_given(tmp_path / "absent")


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "team.csv"
    prints = []
    for text in ("user\na\n", "user\na\n", "user\nb\n"):
        path.write_text(text, "utf-8")
        prints.append(read_given(tmp_path).fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_a_file_of_a_header_alone_is_there_and_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "team.csv").write_text("﻿user;function\n", "utf-8")
    frame = read_given(tmp_path).frames["team"]
    assert frame is not None
    assert frame.height == 0


@pytest.mark.parametrize("name", [one.name for one in FILES])
def test_keys_and_rules_speak_of_columns_that_exist(name: str) -> None:
    one = FILE[name]
    there = set(one.schema)
    assert set(one.key) <= there
    assert {column for pair in one.one_of for column in pair} <= there
    assert {column for rule in one.rules for column in rule.broken.meta.root_names()} <= there


def test_the_readme_is_made_from_the_declarations() -> None:
    """`python -m kammodel.given.describing > kammodel/given/README.md`."""
    assert Path("kammodel/given/README.md").read_text("utf-8") == readme()
