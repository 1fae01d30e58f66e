"""Records by id and in lists: what is there, what is gone, and what HubSpot merely left out."""

from typing import Any

import pytest

from connectors.errors import RequestRefused, SliceLost, UnexpectedAnswer
from connectors.hubspot.listing import listed
from connectors.hubspot.records import Wish, fetch
from tests.unit.hubspot_script import Reply, Script, server, told

WISH = Wish("companies", ("name",), scope="crm.objects.companies.read")


def row(record_id: str) -> dict[str, Any]:
    return {"id": record_id, "properties": {"name": f"n{record_id}"}}


def batch(*ids: str, status: int = 200, **more: Any) -> Reply:
    return status, {}, {"status": "COMPLETE", "results": [row(i) for i in ids], **more}


def lost(*ids: str) -> dict[str, Any]:
    return {"category": "OBJECT_NOT_FOUND", "message": "stranger", "context": {"ids": list(ids)}}


def fetched(script: Script, *ids: str, wish: Wish = WISH) -> tuple[list[str], dict[str, str | None]]:
    with server(script) as client:
        found = fetch(client, wish, ids)
    return [r["id"] for r in found.records], found.gone


def asked(script: Script) -> list[Any]:
    """Ids of each batch, path of each single call."""
    return [[i["id"] for i in body["inputs"]] if body else path.split("?")[0] for _, path, _, body in script.asked]


def test_all_there_is_one_call() -> None:
    """With the properties of the wish, and history where it is wished for."""
    script = Script(batch("2", "1"))
    assert fetched(script, "1", "2") == (["2", "1"], {})
    ((_, path, _, body),) = script.asked
    assert path == "/crm/v3/objects/companies/batch/read"
    assert body == {"inputs": [{"id": "1"}, {"id": "2"}], "properties": ["name"]}
    script = Script(batch("1"))
    fetched(script, "1", wish=Wish("deals", ("amount",), history=("dealstage",)))
    assert script.asked[0][3]["propertiesWithHistory"] == ["dealstage"]


def test_no_ids_are_no_call() -> None:
    """Nothing is asked for nothing."""
    script = Script(batch())
    assert fetched(script) == ([], {})
    assert script.asked == []


@pytest.mark.parametrize(("history", "sizes"), [((), [100, 100, 50]), (("dealstage",), [50] * 5)])
def test_batches_are_as_large_as_allowed(history: tuple[str, ...], sizes: list[int]) -> None:
    """A hundred, or fifty with history."""
    ids = [str(n) for n in range(250)]
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    script = Script(*(batch(*ids[start : start + size]) for start, size in zip(starts, sizes, strict=True)))
    assert fetched(script, *ids, wish=Wish("deals", (), history=history))[0] == ids
    assert [len(a) for a in asked(script)] == sizes


def test_what_a_207_calls_missing_is_gone() -> None:
    """One entry may speak of many ids; only ids that we asked for count."""
    script = Script(batch("1", status=207, errors=[lost("2", "3"), lost("77")], numErrors=2))
    assert fetched(script, "1", "2", "3") == (["1"], {"2": None, "3": None})
    assert len(script.asked) == 1


@pytest.mark.parametrize("context", [{"id": "2"}, {"id": ["2"]}])
def test_other_spellings_of_a_missing_id(context: dict[str, Any]) -> None:
    """HubSpot's contexts differ by endpoint; an entry may carry the id itself."""
    error = {"category": "OBJECT_NOT_FOUND", "context": context}
    assert fetched(Script(batch("1", status=207, errors=[error])), "1", "2")[1] == {"2": None}
    bare = {"category": "OBJECT_NOT_FOUND", "id": "2"}
    assert fetched(Script(batch("1", status=207, errors=[bare])), "1", "2")[1] == {"2": None}


def test_what_is_merely_left_out_is_asked_for_again() -> None:
    """A batch that came short does not read as deletions: once more together, then each alone."""
    script = Script(batch("1"), batch("2"), (200, {}, row("3")))
    assert fetched(script, "1", "2", "3") == (["1", "2", "3"], {})
    assert asked(script) == [["1", "2", "3"], ["2", "3"], "/crm/v3/objects/companies/3"]


def test_alone_and_not_found_is_gone() -> None:
    """A 404 to the id itself is HubSpot's word for it; another refusal is not."""
    script = Script(batch("1"), batch(), told(404, category="OBJECT_NOT_FOUND"))
    assert fetched(script, "1", "2") == (["1"], {"2": None})
    with pytest.raises(RequestRefused):
        fetched(Script(batch("1"), batch(), told(400, category="VALIDATION_ERROR")), "1", "2")


def test_a_merged_id_answers_with_its_survivor() -> None:
    """It is gone, and we learn into which record; the survivor is not taken for the one we asked for."""
    script = Script(batch("1"), batch(), (200, {}, row("9")))
    assert fetched(script, "1", "2") == (["1"], {"2": "9"})


def test_a_batch_may_show_the_survivor_too() -> None:
    """Its row is kept, and the old id is still looked into."""
    script = Script(batch("9"), batch("9"), (200, {}, row("9")))
    ids, gone = fetched(script, "2")
    assert set(ids) == {"9"}
    assert gone == {"2": "9"}


def page(*ids: str, after: Any = None, **more: Any) -> Reply:
    paging = {"paging": {"next": {"after": after}}} if after is not None else {}
    return 200, {}, {"results": [row(i) for i in ids], **paging, **more}


def pages(script: Script, after: str | None = None, *, archived: bool = False) -> list[tuple[list[str], str | None]]:
    with server(script) as client:
        return [([r["id"] for r in p], a) for p, a in listed(client, WISH, archived=archived, after=after)]


def test_lists_are_followed_to_the_end() -> None:
    """Each page with the cursor of the next; the last has none. An empty page is not the end."""
    script = Script(page("1", after="1"), page(after=5), page("7"))
    assert pages(script) == [(["1"], "1"), ([], "5"), (["7"], None)]
    paths = [path for _, path, *_ in script.asked]
    assert paths == [
        "/crm/v3/objects/companies?limit=100&properties=name",
        "/crm/v3/objects/companies?limit=100&properties=name&after=1",
        "/crm/v3/objects/companies?limit=100&properties=name&after=5",
    ]


def test_the_bin_is_listed_by_its_own_word() -> None:
    """`archived=true`, on every page."""
    script = Script(page("1", after="1"), page())
    pages(script, archived=True)
    assert all("archived=true" in path for _, path, *_ in script.asked)


@pytest.mark.parametrize(
    "paging", [{"next": {}}, {"next": {"after": ""}}, {"next": {"link": "x"}}, {}, "x", {"next": 1}]
)
def test_a_page_that_says_more_and_not_where_is_refused(paging: Any) -> None:
    """A short list would look like a whole one."""
    with pytest.raises(UnexpectedAnswer, match="without a cursor"):
        pages(Script(page("1", paging=paging)))


@pytest.mark.parametrize("paging", [None, {"next": None}])
def test_no_next_page_is_the_end(paging: Any) -> None:
    """Both ways in which HubSpot says so."""
    assert pages(Script(page("1", paging=paging))) == [(["1"], None)]


def test_a_cursor_that_comes_again_is_refused() -> None:
    """Going round in circles would never end; the first cursor counts too."""
    with pytest.raises(UnexpectedAnswer, match="same cursor twice"):
        pages(Script(page("1", after="1"), page("2", after="2"), page("1", after="1")))
    with pytest.raises(UnexpectedAnswer, match="same cursor twice"):
        pages(Script(page("1", after="5")), after="5")


def test_a_place_that_is_no_longer_known_is_lost() -> None:
    """The slice starts again; the same refusal in the middle of a list is a fault of another kind."""
    with pytest.raises(SliceLost, match="companies"):
        pages(Script(told(400, category="VALIDATION_ERROR")), after="5")
    with pytest.raises(RequestRefused):
        pages(Script(page("1", after="1"), told(400, category="VALIDATION_ERROR")))


@pytest.mark.parametrize("record_id", [None, "", True, 1.5, ["1"]])
def test_a_record_without_an_id_is_refused(record_id: Any) -> None:
    """What is no id must not become one."""
    with pytest.raises(UnexpectedAnswer, match="without an id"):
        pages(Script((200, {}, {"results": [{"id": record_id, "properties": {}}]})))


def test_an_id_may_be_a_number() -> None:
    """Documents say text."""
    assert pages(Script((200, {}, {"results": [{"id": 7, "properties": {}}]}))) == [(["7"], None)]


def test_a_list_without_results_is_refused() -> None:
    """An answer of another shape is not an empty list."""
    with pytest.raises(UnexpectedAnswer, match="no list of results"):
        pages(Script((200, {}, {"message": "fine"})))
