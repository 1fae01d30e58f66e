"""Links between records: who is linked, who is not, and what must not pass for no links."""

from typing import Any

import pytest

from connectors.errors import TryAgainLater, UnexpectedAnswer
from connectors.hubspot.associations import Silence, read_links
from tests.unit.hubspot_script import Reply, Script, server, told

NO_LINKS = {"category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}

PRIMARY_COMPANY, PARENT_COMPANY = 5, 14


def to(target: Any, *types: dict[str, Any]) -> dict[str, Any]:
    return {"toObjectId": target, "associationTypes": list(types)}


def kind(type_id: Any, label: str | None = None, category: str = "HUBSPOT_DEFINED") -> dict[str, Any]:
    return {"category": category, "typeId": type_id, "label": label}


def origin(record_id: Any, *targets: dict[str, Any], after: Any = None) -> dict[str, Any]:
    paging = {"paging": {"next": {"after": after}}} if after is not None else {}
    return {"from": {"id": record_id}, "to": list(targets), **paging}


def reply(*results: dict[str, Any], errors: list[Any] | None = None, **more: Any) -> Reply:
    return 207 if errors else 200, {}, {"results": list(results), "errors": errors or [], **more}


def unlinked(*ids: str, **more: Any) -> dict[str, Any]:
    return {**NO_LINKS, "context": {"fromObjectId": list(ids)}, **more}


def read(script: Script, *ids: str, mark: int | None = PRIMARY_COMPANY) -> list[tuple[str, str, bool]]:
    with server(script) as client:
        return sorted(read_links(client, "deals", "companies", ids, mark=mark).rows())


def inputs(script: Script) -> list[Any]:
    return [body["inputs"] for *_, body in script.asked]


def test_links_of_many_records_in_one_call() -> None:
    """Ids are numbers or texts on the wire; each pair stands once, marked if any of its types is the mark."""
    script = Script(
        reply(
            origin("1", to(10, kind(341)), to("11", kind(341), kind(5, "Primary"))),
            origin(2, to(10, kind("5"))),
        )
    )
    assert read(script, "1", "2") == [("1", "10", False), ("1", "11", True), ("2", "10", True)]
    assert script.asked[0][1] == "/crm/v4/associations/deals/companies/batch/read"
    assert inputs(script) == [[{"id": "1"}, {"id": "2"}]]


def test_the_mark_is_hubspots_own_type() -> None:
    """A portal's own type of that number is another; the label Primary marks a primary company only."""
    script = Script(
        reply(origin("1", to(10, kind(14, category="USER_DEFINED")), to(11, kind(14)), to(12, kind(1, "Primary"))))
    )
    assert read(script, "1", mark=PARENT_COMPANY) == [("1", "10", False), ("1", "11", True), ("1", "12", False)]
    assert read(Script(reply(origin("1", to(12, kind(1, "PRIMARY"))))), "1") == [("1", "12", True)]
    assert read(Script(reply(origin("1", to(12, kind(5))))), "1", mark=None) == [("1", "12", False)]


def test_records_without_links_are_absent() -> None:
    """HubSpot says so in error entries of a 207, one for many ids or one each."""
    script = Script(reply(origin("1", to(10)), errors=[unlinked("2", "3"), unlinked("4")], numErrors=3))
    assert read(script, "1", "2", "3", "4") == [("1", "10", False)]
    assert len(script.asked) == 1


def test_a_cut_list_of_errors_is_believed_by_its_count() -> None:
    """HubSpot lists some of many; what it counts beyond them is accounted for."""
    script = Script(reply(origin("1", to(10)), errors=[unlinked("2")], numErrors=3))
    assert read(script, "1", "2", "3", "4") == [("1", "10", False)]
    assert len(script.asked) == 1


def test_records_that_nothing_is_said_about_are_asked_for_once_more() -> None:
    """And no others."""
    script = Script(reply(origin("1", to(10))), reply(origin("2", to(20)), errors=[unlinked("3")]))
    assert read(script, "1", "2", "3") == [("1", "10", False), ("2", "20", False)]
    assert inputs(script) == [[{"id": "1"}, {"id": "2"}, {"id": "3"}], [{"id": "2"}, {"id": "3"}]]


def test_a_record_that_nothing_is_said_about_twice_is_asked_for_alone() -> None:
    """A server may name no record without links; one that is gone meanwhile has none either."""
    silent = reply(origin("1", to(10)))
    none: Reply = (200, {}, {"results": []})
    gone = told(404, category="OBJECT_NOT_FOUND")
    script = Script(silent, silent, none, gone)
    assert read(script, "1", "2", "3") == [("1", "10", False)]
    assert [path for _, path, *_ in script.asked[2:]] == [
        f"/crm/v4/objects/deals/{one}/associations/companies" for one in ("2", "3")
    ]


def test_a_linked_record_that_is_left_out_does_not_pass_for_an_unlinked_one() -> None:
    """A deal would lose its company, and the next pull would not give it back: its stamp has not moved."""
    silent = reply(origin("1", to(10)))
    script = Script(silent, silent, (200, {}, {"results": []}), (200, {}, {"results": [to(20)]}))
    with pytest.raises(TryAgainLater, match="left out that deals 3 is linked with companies"):
        read(script, "1", "2", "3")


def test_an_empty_answer_does_not_pass_for_no_links_at_all() -> None:
    """Of many records that nothing is said about ten are asked for alone."""
    ids = [str(n) for n in range(1, 1001)]
    script = Script(reply(), reply(), (200, {}, {"results": []}))
    assert read(script, *ids) == []
    assert len(script.asked) == 2 + 10
    with pytest.raises(TryAgainLater, match="may be with 999 more"):
        read(Script(reply(), reply(), (200, {}, {"results": [to(20)]})), *ids)


def asked_by(script: Script, silence: Silence, *ids: str) -> int:
    """How many calls the links of records without any take."""
    before = len(script.asked)
    with server(script) as client:
        assert read_links(client, "deals", "companies", ids, silence=silence).is_empty()
    return len(script.asked) - before


def test_what_it_means_that_nothing_is_said_is_remembered() -> None:
    """Of a server that names no record without links one in each answer is asked for alone, once ten were."""
    script, silence, ids = Script(reply()), Silence(), [str(n) for n in range(1, 1001)]
    assert [asked_by(script, silence, *ids) for _ in range(3)] == [2 + 10, 2, 2]
    left_out = Script(reply(), (200, {}, {"results": [to(20)]}))
    with pytest.raises(TryAgainLater, match="left out that deals 1 is linked with companies"):
        asked_by(left_out, silence, *ids)


def test_a_server_that_names_some_has_to_name_all() -> None:
    """However often nothing was said before of records that had no links."""
    script = Script(reply(errors=[unlinked("1")]), reply())
    assert asked_by(script, Silence(confirmed=1000), "1", "2", "3") == 2 + 2


def test_an_answer_about_other_records_is_none() -> None:
    """However many they are."""
    script = Script(reply(origin("7", to(10))), reply(origin("1", to(11))))
    assert ("1", "11", False) in read(script, "1")


def test_long_lists_of_links_are_followed() -> None:
    """Only the records that have more are asked on, each from its own cursor."""
    script = Script(reply(origin("1", to(10), after="c1"), origin("2", to(20))), reply(origin("1", to(11))))
    assert read(script, "1", "2") == [("1", "10", False), ("1", "11", False), ("2", "20", False)]
    assert inputs(script)[1] == [{"id": "1", "after": "c1"}]


@pytest.mark.parametrize("paging", [{"next": {}}, {"next": {"after": ""}}, {"next": {"after": None}}])
def test_more_links_without_a_cursor_are_refused(paging: Any) -> None:
    """A short list of links would look like a whole one."""
    with pytest.raises(UnexpectedAnswer, match="further links"):
        read(Script(reply({**origin("1", to(10)), "paging": paging})), "1")


def test_a_cursor_that_comes_again_is_refused() -> None:
    """It would never end."""
    with pytest.raises(UnexpectedAnswer, match="further links"):
        read(Script(reply(origin("1", to(10), after="c1"))), "1")


def test_an_error_that_is_none_of_no_links_is_tried_again() -> None:
    """A record that could not be read must not pass for one without links."""
    failed = {"category": "INTERNAL_ERROR", "context": {"fromObjectId": ["2"]}}
    script = Script(reply(origin("1", to(10)), errors=[failed]), reply(origin("1", to(10)), origin("2", to(20))))
    assert read(script, "1", "2") == [("1", "10", False), ("2", "20", False)]
    with pytest.raises(TryAgainLater, match="could not read some links"):
        read(Script(reply(origin("1"), errors=[failed])), "1", "2")


@pytest.mark.parametrize(
    "result",
    [
        {"to": [to(1)]},
        {"from": {}, "to": []},
        {"from": "1", "to": []},
        origin("1", {}),
        origin("1", {"toObjectId": None}),
        origin("1", {"toObjectId": True}),
        origin("1", {"toObjectId": ""}),
        origin(True, to(1)),
        origin("", to(1)),
    ],
)
def test_links_without_both_ends_are_refused(result: dict[str, Any]) -> None:
    """They are not what HubSpot documents."""
    with pytest.raises(UnexpectedAnswer, match=r"links? without|otherwise than it documents"):
        read(Script(reply(result)), "1")


@pytest.mark.parametrize(
    ("context", "counted"), [({"fromObjectId": "2"}, 1), ({"ids": [2]}, None), ({"ids": 2, "odd": {}}, {})]
)
def test_who_has_no_links_may_be_said_otherwise(context: dict[str, Any], counted: Any) -> None:
    """What only tells that there is nothing does not cost the slice."""
    script = Script(reply(origin("1", to(10)), errors=[{**NO_LINKS, "context": context}], numErrors=counted))
    assert read(script, "1", "2") == [("1", "10", False)]
    assert len(script.asked) == 1


def test_who_is_not_named_is_asked_for_once_more() -> None:
    """Where the context is none that can be read."""
    script = Script(reply(origin("1", to(10)), errors=[{**NO_LINKS, "context": "2"}]), reply(origin("2", to(20))))
    assert read(script, "1", "2") == [("1", "10", False), ("2", "20", False)]
    assert inputs(script)[1] == [{"id": "2"}]


@pytest.mark.parametrize("errors", [["no"], "no", [{"category": None, "context": 1}]])
def test_an_error_of_which_nothing_is_told_is_a_fault(errors: Any) -> None:
    """It is not said to be about a record without links."""
    with pytest.raises(TryAgainLater, match="could not read some links"):
        read(Script((207, {}, {"results": [origin("1", to(10))], "errors": errors})), "1", "2")


def test_links_of_another_shape_are_refused() -> None:
    """Where it matters nothing is made to fit."""
    with pytest.raises(UnexpectedAnswer, match="otherwise than it documents"):
        read(Script(reply({**origin("1", to(10)), "paging": "more"}, errors=["no"])), "1")


def test_a_thousand_records_a_call() -> None:
    """And no call for none."""
    ids = [str(n) for n in range(1, 1502)]
    script = Script(reply(*(origin(i) for i in ids[:1000])), reply(*(origin(i) for i in ids[1000:])))
    assert read(script, *ids) == []
    assert [len(i) for i in inputs(script)] == [1000, 501]
    script = Script(reply())
    assert read(script) == []
    assert script.asked == []


def test_labels_are_told_where_they_are_asked_for() -> None:
    """Those that a portal made itself, sorted; Primary is no label but a mark."""
    types = [
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "USER_DEFINED", "typeId": 14, "label": "Sponsor"},
        {"category": "USER_DEFINED", "typeId": 3, "label": " Board member "},
    ]
    body = {"results": [{"from": {"id": "1"}, "to": [to(10, *types), to(11, types[0])]}]}
    with server(Script((200, {}, body))) as client:
        found = read_links(client, "contacts", "companies", ["1"], mark=1, labelled=True)
    assert found.rows() == [("1", "10", True, "Board member;Sponsor"), ("1", "11", False, None)]
