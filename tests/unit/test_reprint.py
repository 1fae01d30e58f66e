"""A stored snapshot as text: its JSON as it was written, everything in ASCII, keys in order."""

from __future__ import annotations

import datetime as dt
import json

from kammodel.reprint import snapshot_json


def test_a_snapshot_is_printed_as_it_was_written() -> None:
    """Digits of figures are not read and written anew: 1.0000 stays, and so does 0.30000000000000004."""
    row = {
        "score": 71.3,
        "as_of": dt.date(2026, 6, 30),
        "recorded_at": dt.datetime(2026, 7, 1, 2, 15, tzinfo=dt.UTC),
        "provisional": False,
        "quadrant": None,
        "kpis": '{"revenue_ttm":1.0000,"x":0.30000000000000004}',
        "reasons": '{"reason":"Ñandú \U0001f600 \\u202e"}',
    }
    text = snapshot_json(row)
    assert text == (
        '{"as_of":"2026-06-30","kpis":{"revenue_ttm":1.0000,"x":0.30000000000000004},"provisional":false,'
        '"quadrant":null,"reasons":{"reason":"\\u00d1and\\u00fa \\ud83d\\ude00 \\u202e"},'
        '"recorded_at":"2026-07-01T02:15:00+00:00","score":71.3}'
    )
    assert json.loads(text)["reasons"]["reason"] == "Ñandú \U0001f600 \u202e"


def test_a_snapshot_of_before_says_that_nothing_was_noted() -> None:
    """No list is not an empty one."""
    assert snapshot_json({"reconstructed": None}) == '{"reconstructed":null}'
