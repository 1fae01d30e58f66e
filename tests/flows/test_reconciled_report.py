"""What a count showed, in words: the lag that it allowed, and what differs by its kind."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from flows.report.reconciled import HEAD, proof_cells, reconciled_page, remarks
from flows.results import ReconcileReceipt, Verdict, WindowProof

AT = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC)


def window(verdict: Verdict, reason: str | None, *, lag: dt.timedelta = dt.timedelta(minutes=12)) -> WindowProof:
    return WindowProof("deals", "id", None, None, 9, 8, verdict=verdict, reason=reason, before=AT - lag, counted_at=AT)


def receipt(*windows: WindowProof) -> ReconcileReceipt:
    return ReconcileReceipt("hubspot", "1", "Acme", windows, 3, 1.0, AT)


def lag(minutes: int) -> str:
    cells = proof_cells(window("ok", None, lag=dt.timedelta(minutes=minutes)))
    return dict(zip(HEAD, cells, strict=True))["lag"]


def test_the_allowed_lag_is_shown() -> None:
    """Of each window, in minutes or hours, and what it means; on the page too."""
    assert (lag(12), lag(180)) == ("12.0 min", "3.0 h")
    assert dict(zip(HEAD, proof_cells(WindowProof("a", "id", None, None, 1, 1)), strict=True))["lag"] == ""
    assert any(line.startswith("lag: ") for line in remarks(receipt(window("ok", None))))
    assert "| 12.0 min |" in reconciled_page([receipt(window("ok", None))])


def test_what_differs_is_told_by_its_kind() -> None:
    """Also what is not there any more, which accuses nobody."""
    for verdict in ("differs", "ok"):
        lines = remarks(receipt(window(verdict, "7 missing, 2 extra")))
        assert "deals, all records: 7 missing, 2 extra" in lines


def test_an_accusation_that_was_not_counted_again_says_since_when() -> None:
    """Of what was counted just now that is plain."""
    an_hour_ago = replace(window("differs", "7 missing"), counted_at=AT - dt.timedelta(hours=1))
    lines = remarks(receipt(an_hour_ago, window("differs", "1 extra"), window("unproven", "too large")))
    assert "deals, all records: 7 missing, as counted at 2026-06-30 09:00:00 UTC and not disproven since" in lines
    assert "deals, all records: 1 extra" in lines
    assert "not proven: deals: too large" in lines
