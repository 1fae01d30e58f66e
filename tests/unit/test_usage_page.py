"""What stands below the page of a run: rows set aside by reason, calls of each CRM, and its slowest steps."""

from __future__ import annotations

import datetime as dt

from flows.report.usage import MOST_STEPS, Left, Work, usage_page, works_of
from flows.results import ApplyReceipt, FillReceipt, PullReceipt, StreamReceipt, WindowReceipt
from flows.results.standing import Rejects

DAY = dt.date(2026, 6, 30)


def pulled() -> PullReceipt:
    streams = (
        StreamReceipt("accounts", is_full=False, calls=3, seconds=1.25),
        StreamReceipt("contacts", is_full=False, calls=11, seconds=4.0),
        StreamReceipt("events", is_full=False, state="not_begun"),
    )
    return PullReceipt("salesforce", "00D", "Acme", streams, {}, calls=20, seconds=6.0)


def test_calls_add_up_to_those_of_the_receipt() -> None:
    """What no stream has made is told as a step of its own; a stream that was not begun is none."""
    works = works_of([pulled(), None, ApplyReceipt("p1", "salesforce", 9, 0, 0, 0, calls=2, seconds=0.5)])
    assert [(work.step, work.calls) for work in works] == [
        ("pull accounts", 3),
        ("pull contacts", 11),
        ("pull, around the streams", 6),
        ("apply", 2),
    ]


def test_calls_stand_beside_what_is_left_of_the_day() -> None:
    page = usage_page(works_of([pulled()]), {"salesforce": Left(1_480, 15_000)}, {})
    assert "| salesforce | 20 | pull contacts, 11 | 1,480 | 15,000 |" in page
    assert "| salesforce | 20 | pull contacts, 11 | not stated |  |" in usage_page(works_of([pulled()]), {}, {})


def test_the_slowest_come_first_and_no_more_than_fit() -> None:
    """With their share of all seconds; a step that took none is left out."""
    rows = usage_page(works_of([pulled()]), {}, {}).split("## Slowest steps")[1].strip().splitlines()[2:]
    assert rows == ["| salesforce pull contacts | 4.0 | 76 % | 11 |", "| salesforce pull accounts | 1.2 | 24 % | 3 |"]
    many = [Work(None, f"step {n}", 0, 1.0 + n) for n in range(MOST_STEPS + 5)]
    assert usage_page(many, {}, {}).count("| step ") == MOST_STEPS + 1


def test_windows_of_a_backfill_are_summed_by_stream() -> None:
    windows = tuple(
        WindowReceipt(stream, DAY, DAY, "closed", calls=2, seconds=1.5) for stream in ("accounts", "tasks", "accounts")
    )
    receipt = FillReceipt("hubspot", "1", "Portal", DAY, DAY, windows, kept=0, left=0, calls=6, seconds=4.5)
    assert works_of([receipt]) == (
        Work("hubspot", "backfill accounts", 4, 3.0),
        Work("hubspot", "backfill tasks", 2, 1.5),
    )


def test_what_is_set_aside_is_told_by_reason_and_cannot_mark_up_the_page() -> None:
    aside = {"hubspot": (Rejects("deals", "amount", "no | number <b>", 1_204),), "salesforce": ()}
    page = usage_page([], {}, aside)
    assert "| hubspot | deals | amount | no \\| number &lt;b&gt; | 1,204 |" in page
    assert usage_page([], {}, {"hubspot": ()}) == ""
