"""kam backfill, kam thin and kam explain --stored, on two served CRMs."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam


@pytest.fixture
def pulled(crms: ServedCompany) -> ServedCompany:
    """Both CRMs are read; nothing is scored."""
    ended = kam("pull")
    assert ended.exit_code == 0, ended.output
    return crms


def test_the_past_is_computed_and_printed_again(pulled: ServedCompany) -> None:
    """Days in order, then nothing to do; what was recorded is printed byte for byte, and nobody was written to."""
    span = ("--from", "2026-05-01", "--to", "2026-06-29", "--json")
    first = kam("backfill", *span)
    assert first.stderr.startswith("kam: scores: 1 past day of ")
    assert "no calls; nothing was scored yet, so that nobody can say how long it takes" in first.stderr.splitlines()[0]
    days = json.loads(first.stdout)["days"]
    assert [(day["as_of"], day["is_kept"]) for day in days] == [("2026-05-31", False)]
    assert days[0]["appended"] == days[0]["groups"] > 10
    assert json.loads(kam("backfill", *span).stdout)["days"][0]["is_kept"] is True
    told = kam("backfill", *span[:-1], "--every", "month")
    assert "0 past days computed, 1 were there already" in told.stdout
    assert "min at most (as long as the last past day took for each)" in told.stderr.splitlines()[0]
    group = json.loads(kam("explain", "--as-of", "2026-05-31", "--json", first_account(pulled)).stdout)["group_id"]
    once, again = (kam("explain", group, "--as-of", "2026-05-31", "--stored", "--json") for _ in range(2))
    assert once.exit_code == 0, once.output
    assert once.stdout == again.stdout
    stored = json.loads(once.stdout)
    assert (stored["as_of"], stored["group_id"]) == ("2026-05-31", group)
    then = kam("explain", group, "--recorded-at", stored["recorded_at"], "--json")
    assert then.stdout == once.stdout
    page = kam("explain", group, "--stored").stdout
    assert "printed as it was recorded" in page
    assert stored["config_hash"] in page
    assert "revenue_ttm" in page
    assert json.loads(kam("thin", "--json").stdout)["snapshots"] == 0
    assert "0 snapshots of days before" in kam("thin").stdout


def first_account(served: ServedCompany) -> str:
    org = served.company.org
    assert org is not None
    return str(next(a["Id"] for a in org.records("Account") if not a["IsDeleted"]))


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        (("backfill",), 2, "--from"),
        (("backfill", "--from", "2026-01-01", "--every", "year"), 2, "year"),
        (("backfill", "--from", "2026-01-01", "--to", "2999-01-01"), 1, "2999-01-01 has not come yet"),
        (("backfill", "--from", "2026-01-02", "--to", "2026-01-03"), 1, "no month ends between"),
        (("explain", "x", "--recorded-at", "noon"), 2, "noon"),
        (("explain", "x", "--recorded-at", "2026-01-01T00:00:00"), 2, "needs an offset"),
        (("explain", "x", "--stored"), 1, "no account or group 'x'"),
    ],
)
def test_what_cannot_be_done_is_said(command: tuple[str, ...], code: int, line: str) -> None:
    """In one line, without a traceback."""
    ended = kam(*command)
    assert ended.exit_code == code, ended.output
    assert line in ended.stderr
    assert "Traceback" not in ended.output
