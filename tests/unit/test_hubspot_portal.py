"""What a portal says of itself: who it is, its stages, owners and rates."""

from typing import Any

import pytest

from connectors.errors import RequestRefused, UnexpectedAnswer
from connectors.hubspot.portal import read_owners, read_portal, read_rates, read_stages
from tests.unit.hubspot_script import Reply, Script, server, told


def results(*rows: dict[str, Any], after: str | None = None) -> Reply:
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return 200, {}, {"results": list(rows), **paging}


def test_the_portal_behind_the_token() -> None:
    """Zone and page address are checked; what it does not say is unknown."""
    told_ = {"portalId": 77, "accountType": "STANDARD", "timeZone": "Europe/Madrid", "companyCurrency": "EUR"}
    with server(Script((200, {}, told_ | {"uiDomain": "app-eu1.hubspot.com"}))) as client:
        portal = read_portal(client)
    assert (portal.id, portal.kind, portal.zone) == ("77", "STANDARD", "Europe/Madrid")
    assert (portal.currency, portal.ui_domain) == ("EUR", "app-eu1.hubspot.com")
    with server(Script((200, {}, {"portalId": 77, "timeZone": "../x", "uiDomain": "evil/\n"}))) as client:
        portal = read_portal(client)
    assert (portal.kind, portal.zone, portal.currency, portal.ui_domain) == ("unknown", "UTC", None, "app.hubspot.com")
    with server(Script((200, {}, {"x": 1}))) as client, pytest.raises(UnexpectedAnswer, match="which portal"):
        read_portal(client)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"probability": "1.0", "isClosed": "true"}, "won"),
        ({"probability": "0.0", "isClosed": "true"}, "lost"),
        ({"probability": "0", "isClosed": True}, "lost"),
        ({"probability": "0.4", "isClosed": "true"}, None),
        ({"probability": "0.4", "isClosed": "false"}, "open"),
        ({"probability": "0.0", "isClosed": "false"}, "open"),
        ({"probability": "1.0"}, "won"),
        ({"probability": "0.0"}, "lost"),
        ({"probability": "0.2"}, "open"),
        ({"probability": "x"}, "open"),
        ({}, "open"),
        (None, "open"),
    ],
)
def test_what_a_stage_means(metadata: Any, status: str | None) -> None:
    """Won or lost if closed with probability 1 or 0; closed with another one is not known."""
    stage = {"id": "s", "label": "S", "displayOrder": 2, "metadata": metadata}
    with server(Script(results({"id": "p", "label": "P", "stages": [stage]}))) as client:
        (row,) = read_stages(client).to_dicts()
    assert row["@status"] == status
    assert (row["@id"], row["@pipeline_name"], row["@name"], row["@position"]) == ("p:s", "P", "S", "2")


def test_owners_of_both_kinds() -> None:
    """Those who left are asked for separately, page by page; names are put together of what there is."""
    first = results({"id": 1, "firstName": "Ana", "lastName": "Núñez"}, after="1")
    script = Script(first, results({"id": "2", "firstName": "", "lastName": "Bo"}), results({"id": "3"}))
    with server(script) as client:
        rows = read_owners(client).select("@id", "@name", "@active").rows()
    assert rows == [("1", "Ana Núñez", "false"), ("2", "Bo", "false"), ("3", None, "true")]
    assert [("archived=true" in path, "after=1" in path) for _, path, *_ in script.asked] == [
        (True, False),
        (True, True),
        (False, False),
    ]


def rate(
    rate_: Any, theirs: str = "USD", to: str | None = "EUR", at: str | None = "2026-01-31T23:30:00Z"
) -> dict[str, Any]:
    return {"fromCurrencyCode": theirs, "toCurrencyCode": to, "conversionRate": rate_, "effectiveAt": at}


def rates(*given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with server(Script(results(*given))) as client:
        columns = ("@id", "@currency", "@home_currency", "@valid_from", "@numerator", "@denominator")
        return read_rates(client, "EUR", "Europe/Madrid").select(columns).rows()


def test_rates_are_exact_fractions_dated_in_the_portals_zone() -> None:
    """Half past midnight in Madrid is the next day; a rate from the home currency is turned round without a loss."""
    assert rates(rate(0.9)) == [("USD@2026-02-01", "USD", "EUR", "2026-02-01", "9", "10")]
    assert rates(rate("3", theirs="EUR", to="JPY", at=None)) == [("JPY@", "JPY", "EUR", None, "1", "3")]
    assert rates(rate("1E-7", to=None, at="x"))[0][3:] == (None, "1", "10000000")


def test_rates_that_say_nothing_are_left_out() -> None:
    """None, zero, below zero, no number, of a currency to itself, or between two foreign ones."""
    odd = [rate(r) for r in (None, 0, -1, "x", "nan", "inf", "")]
    assert rates(*odd, rate(1, theirs="EUR"), rate(1, theirs="USD", to="JPY")) == []


def test_portals_without_a_history_of_rates() -> None:
    """The current ones are read where the list does not exist; another refusal is one."""
    with server(Script(told(404), results(rate(2, at=None)))) as client:
        assert read_rates(client, "EUR", "UTC")["@id"].to_list() == ["USD@"]
    lacking = (404, {}, b"<html>no such page</html>")
    with server(Script(lacking, lacking, results(rate(2, at=None)))) as client:
        assert read_rates(client, "EUR", "UTC")["@id"].to_list() == ["USD@"]
    with server(Script(told(400))) as client, pytest.raises(RequestRefused):
        read_rates(client, "EUR", "UTC")


@pytest.mark.parametrize(
    ("metadata", "is_closed"),
    [
        ({"ticketState": "CLOSED", "isClosed": "false"}, "true"),
        ({"ticketState": "open"}, "false"),
        ({"isClosed": "true"}, "true"),
        ({"isClosed": False}, "false"),
        ({"ticketState": "x"}, None),
        (None, None),
    ],
)
def test_what_a_stage_of_tickets_means(metadata: Any, is_closed: str | None) -> None:
    """Closed or open by its state, else by the mark that stages of deals have; won and lost mean nothing there."""
    stage = {"id": "4", "label": "Closed", "displayOrder": 3, "metadata": metadata}
    with server(Script(results({"id": "0", "label": "P", "stages": [stage]}))) as client:
        (row,) = read_stages(client, "tickets").to_dicts()
    assert (row["@is_closed"], row["@stage_name"]) == (is_closed, "Closed")
    assert (row["@status"], row["@probability"]) == (None, None)
