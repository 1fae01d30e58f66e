"""Which records came is known for certain, however many there are and however near to each other their ids lie."""

import datetime as dt

from pyroaring import BitMap64

from connectors.contract import Slice
from connectors.hubspot.proof import Proof
from connectors.hubspot.records import Record, Wish
from tests.unit.hubspot_script import Script, server

NOW = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC)
FIRST, NUMBER, PAGE, STEP = 82_000_080_000, 60_000, 100, 3


def record(number: int) -> Record:
    return {"id": str(FIRST + STEP * number), "properties": {"hs_createdate": "2026-01-01T00:00:00Z"}}


def test_a_page_that_did_not_come_is_not_taken_for_one_that_did() -> None:
    """Each of its records counts when it comes late; and then no more."""
    pages = [[record(n) for n in range(at, at + PAGE)] for at in range(0, NUMBER, PAGE)]
    top = FIRST + STEP * NUMBER
    with server(Script()) as client:
        proof = Proof(client, Wish("emails", ()), Slice(None, NOW), lambda _: None)
        late = pages.pop(len(pages) // 2)
        for page in pages:
            assert proof.counted(page, top) == PAGE
        assert proof.counted(late, top) == PAGE
        assert proof.counted(late, top) == 0


def test_an_id_that_is_no_number_proves_nothing() -> None:
    """Nor does one of more than 64 bits; and neither ends a load."""
    odd = [{"id": text, "properties": {"hs_createdate": ""}} for text in ("x1", str(1 << 64), "0")]
    with server(Script()) as client:
        proof = Proof(client, Wish("emails", ()), Slice(None, NOW), lambda _: None)
        assert proof.counted(odd, FIRST) == 0
        proof.saw([str(1 << 65), "7"])
        assert proof.seen == BitMap64([0, 7])
