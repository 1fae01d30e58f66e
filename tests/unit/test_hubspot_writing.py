"""Writes to companies: one outcome for each write, whatever HubSpot makes of the batch."""

from typing import Any

import pytest

from connectors.contract import AccountWrite, WriteOutcome
from connectors.errors import AnswerUnclear, FieldsNotProvisioned, QuotaSpent
from connectors.hubspot.writing import Writer, read_fields
from kammodel.publish.fields import OURS, CustomField
from tests.unit.hubspot_script import Reply, Script, server, told

FIELD = {f.key: f for f in OURS}
FIELDS: list[CustomField] = [FIELD[k] for k in ("tier", "score", "scored_on")]


def write(source_id: str, **values: str | None) -> AccountWrite:
    return AccountWrite(source_id, values or {"tier": "key"})


def done(*ids: str, errors: list[Any] | None = None, traced: bool = True) -> Reply:
    rows = [{"id": i, "properties": {}} | ({"objectWriteTraceId": f"kam-{i}"} if traced else {}) for i in ids]
    return (207 if errors else 200), {}, {"status": "COMPLETE", "results": rows, "errors": errors or []}


def written(script: Script, *writes: AccountWrite, traced: bool = True) -> list[list[tuple[str, str, str | None]]]:
    with server(script) as client:
        batches = Writer(client, script.waits.append, traced=traced).write(FIELDS, writes)
        return [[(o.source_id, o.outcome, o.code) for o in batch] for batch in batches]


def sent(script: Script) -> list[list[str]]:
    return [[i["id"] for i in body["inputs"]] for *_, body in script.asked]


def test_values_as_hubspot_takes_them() -> None:
    """Internal names; an empty text clears; numbers without an exponent; a trace id to know the row by."""
    script = Script(done("1"))
    assert written(script, write("1", tier=None, score="1E+2", scored_on="2026-01-31")) == [[("1", "written", None)]]
    ((method, path, _, body),) = script.asked
    assert (method, path) == ("POST", "/crm/v3/objects/companies/batch/update")
    properties = {"kam_tier": "", "kam_score": "100", "kam_scored_on": "2026-01-31"}
    assert body == {"inputs": [{"id": "1", "properties": properties, "objectWriteTraceId": "kam-1"}]}


def test_a_hundred_a_call() -> None:
    """One list of outcomes per batch, one outcome per write."""
    ids = [str(n) for n in range(150)]
    script = Script(done(*ids[:100]), done(*ids[100:]))
    assert [len(batch) for batch in written(script, *(write(i) for i in ids))] == [100, 50]
    assert written(Script(done())) == []


def test_writes_for_one_company_are_put_together() -> None:
    """HubSpot refuses an id that stands twice; the later value wins, and each write has its outcome."""
    script = Script(done("1"))
    outcomes = written(script, write("1", tier="key", score="1"), write("1", tier="growth"))
    assert outcomes == [[("1", "written", None), ("1", "written", None)]]
    assert script.asked[0][3]["inputs"][0]["properties"] == {"kam_tier": "growth", "kam_score": "1"}


def test_outcomes_are_matched_by_id_and_not_by_place() -> None:
    """Any order, with errors in between; of a row that nothing is said about nobody knows what became."""
    errors = [
        {
            "category": "VALIDATION_ERROR",
            "errors": [{"code": "INVALID_OPTION"}],
            "context": {"objectWriteTraceId": ["kam-2"]},
        },
        {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["3"]}},
        {"category": "RATE_LIMITS", "id": "4", "context": {}},
    ]
    script = Script(done("6", "1", errors=errors))
    assert written(script, *(write(str(n)) for n in range(1, 7))) == [
        [
            ("1", "written", None),
            ("2", "rejected", "INVALID_OPTION"),
            ("3", "gone", "OBJECT_NOT_FOUND"),
            ("4", "retry", "RATE_LIMITS"),
            ("5", "unclear", "NO_ANSWER"),
            ("6", "written", None),
        ]
    ]


def test_rows_without_a_trace_are_known_by_their_id() -> None:
    """A server that does not give the trace back is understood too."""
    assert written(Script(done("2", "1", traced=False)), write("1"), write("2")) == [
        [("1", "written", None), ("2", "written", None)]
    ]


def test_a_batch_refused_for_one_row_is_halved() -> None:
    """Until the bad row stands alone; the others are written. Trace ids were of no use, and are not sent again."""
    bad = told(400, category="VALIDATION_ERROR", errors=[{"code": "INVALID_OPTION"}])
    script = Script(bad, bad, done("1", "2"), bad, done("3"), bad)
    assert written(script, *(write(i) for i in "1234")) == [
        [("1", "written", None), ("2", "written", None), ("3", "written", None), ("4", "rejected", "INVALID_OPTION")]
    ]
    assert sent(script) == [["1", "2", "3", "4"], ["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["4"]]
    assert [["objectWriteTraceId" in row for row in body["inputs"]] for *_, body in script.asked][:2] == [
        [True] * 4,
        [False] * 4,
    ]


def test_a_server_that_knows_no_trace_ids_is_written_to_without() -> None:
    """A row alone is not blamed for its trace id; and a setting leaves them out from the start."""
    unknown = told(400, category="VALIDATION_ERROR", errors=[{"code": "UNKNOWN_FIELD"}])
    assert written(Script(unknown, done("1", traced=False)), write("1")) == [[("1", "written", None)]]
    script = Script(done("1", traced=False))
    assert written(script, write("1"), traced=False) == [[("1", "written", None)]]
    assert script.asked[0][3] == {"inputs": [{"id": "1", "properties": {"kam_tier": "key"}}]}


def test_a_row_that_is_locked_is_sent_once_more() -> None:
    """After two seconds, by itself; if it is locked still, a later run writes it."""
    locked = [{"category": "LOCKED", "context": {"ids": ["2"]}}]
    script = Script(done("1", errors=locked), done("2"))
    assert written(script, write("1"), write("2")) == [[("1", "written", None), ("2", "written", None)]]
    assert sent(script) == [["1", "2"], ["2"]]
    assert 2.0 in script.waits


def test_what_was_under_way_is_told_before_the_run_stops() -> None:
    """Several batches at a time: a fault in one does not hide what the others wrote."""
    spent = (429, {}, {"policyName": "DAILY", "message": "You have reached your daily limit."})
    ids = [str(n) for n in range(300)]
    outcomes: list[WriteOutcome] = []
    with server(Script(done(*ids), spent, done(*ids)), parallel=3) as client:
        batches = Writer(client, lambda _: None).write(FIELDS, [write(i) for i in ids])
        with pytest.raises(QuotaSpent):
            outcomes.extend(outcome for batch in batches for outcome in batch)
    assert {o.outcome for o in outcomes} == {"written"}
    assert len(outcomes) == 200


def test_one_company_that_is_not_there_is_gone() -> None:
    """Alone in its call, the status says it."""
    assert written(Script(told(404, category="OBJECT_NOT_FOUND")), write("1"))[0][0][1] == "gone"


@pytest.mark.parametrize("code", ["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"])
def test_a_property_that_is_missing_is_no_matter_of_rows(code: str) -> None:
    """The run stops at once and says what to do."""
    script = Script(told(400, category="VALIDATION_ERROR", errors=[{"code": code}]))
    with pytest.raises(FieldsNotProvisioned, match="run kam provision"):
        written(script, write("1"), write("2"))
    assert len(script.asked) == 1


def test_a_batch_that_fails_for_now_leaves_its_rows_for_later() -> None:
    """The next batch goes on; three in a row are no longer about the rows, and the run stops."""
    ids = [str(n) for n in range(300)]
    passing = [(503, {"Retry-After": "1"}, b"")] * 3
    script = Script(done(*ids[:100]), *passing, done(*ids[200:]))
    outcomes = written(script, *(write(i) for i in ids))
    assert [{o for _, o, _ in batch} for batch in outcomes] == [{"written"}, {"retry"}, {"written"}]
    with pytest.raises(AnswerUnclear):
        written(Script("drop"), *(write(i) for i in ids))


@pytest.mark.parametrize("lost", [(500, {}, b""), (503, {}, b""), (502, {}, b"<html>"), "drop", "cut"])
def test_a_write_that_may_have_been_carried_out_is_not_sent_twice(lost: Reply | str) -> None:
    """It is sent once, and told as unclear after a wait; what HubSpot plainly refused is sent again."""
    script = Script(lost, done("1"))
    ((told_,),) = written(script, write("1"))
    assert told_[1] == "unclear"
    assert (len(script.asked), len(script.waits)) == (1, 1)
    script = Script((429, {"Retry-After": "1"}, {}), done("1"))
    assert written(script, write("1")) == [[("1", "written", None)]]


def test_a_half_without_an_answer_does_not_hide_the_other() -> None:
    """A batch was halved for a bad row: the rows that were written are told as written."""
    bad = told(400, category="VALIDATION_ERROR", errors=[{"code": "INVALID_OPTION"}])
    script = Script(bad, done("1", traced=False), "drop")
    (outcomes,) = written(script, write("1"), write("2"), traced=False)
    assert [o[:2] for o in outcomes] == [("1", "written"), ("2", "unclear")]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"category": "VALIDATION_ERROR", "errors": [{"code": "INVALID_OPTION"}]}, "validation"),
        ({"category": "OBJECT_NOT_FOUND"}, "gone"),
        ({"category": "CONFLICT"}, "duplicate"),
        ({"category": "MISSING_SCOPES"}, "permission"),
        ({"category": "RATE_LIMITS"}, "quota"),
        ({"category": "SOMETHING_NEW"}, "other"),
    ],
)
def test_what_sort_of_refusal_it_is(error: dict[str, Any], kind: str) -> None:
    """By its category; a word that nobody knows is another sort."""
    script = Script(done(errors=[{**error, "context": {"ids": ["1"]}}]))
    with server(script) as client:
        ((outcome,),) = Writer(client, script.waits.append).write(FIELDS, [write("1")])
    assert outcome.kind == kind


def test_fields_are_read_as_they_stand_there() -> None:
    """A date as a day, whether it comes as one or as its midnight in milliseconds; an empty text as null."""
    rows = [
        {"id": "1", "properties": {"kam_tier": "key", "kam_score": "71.0", "kam_scored_on": "1769817600000"}},
        {"id": "2", "properties": {"kam_tier": "", "kam_score": "n/a", "kam_scored_on": "2026-01-31"}},
        {"id": "3", "properties": {"kam_tier": None, "kam_score": None, "kam_scored_on": "soon"}},
    ]
    script = Script(
        (207, {}, {"results": rows, "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["4"]}}]})
    )
    with server(script) as client:
        (frame,) = read_fields(client, FIELDS, ["1", "2", "2", "3", "4"])
    assert frame.columns == ["source_id", "tier", "score", "scored_on"]
    assert frame.rows() == [
        ("1", "key", "71.0", "2026-01-31"),
        ("2", None, "n/a", "2026-01-31"),
        ("3", None, None, "soon"),
    ]
    assert [i["id"] for i in script.asked[0][3]["inputs"]] == ["1", "2", "3", "4"]
