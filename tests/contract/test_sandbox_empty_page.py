"""A page that is empty though there are records: served as each CRM words that nothing was found."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from connectors.sandbox.faults import KINDS
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET
from tests.contract import hubspot_world, salesforce_connected

QUERY = "/services/data/v66.0/query"
COMPANIES = "/crm/v3/objects/companies"


def test_salesforce_answers_a_query_with_no_records() -> None:
    """Once; the same query then has them."""
    with salesforce_connected.open_front() as front, requests.Session() as session:
        front.show(salesforce_connected.org())
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = session.post(f"{front.url}/services/oauth2/token", form, timeout=30).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"

        def ask(path: str, **query: str) -> Any:
            answer = session.get(front.url + path, params=query, timeout=30)
            assert answer.status_code == 200
            return answer.json()

        front.faults.on_path("/query", "empty_page")
        assert ask(QUERY, q="SELECT Id FROM Account") == {"totalSize": 0, "done": True, "records": []}
        assert ask(QUERY, q="SELECT Id FROM Account")["totalSize"] > 0
        front.faults.on_path("/limits", "empty_page")
        assert "DailyApiRequests" in ask("/services/data/v66.0/limits")


@pytest.mark.parametrize(
    ("path", "body", "nothing"),
    [
        (COMPANIES, None, {"results": []}),
        ("/crm/objects/2026-09/companies", None, {"results": []}),
        (f"{COMPANIES}/search", {"limit": 5}, {"total": 0, "results": []}),
    ],
)
def test_hubspot_answers_a_page_without_results_and_without_a_next_one(path: str, body: Any, nothing: Any) -> None:
    """Once; then there are some."""
    with hubspot_world.open_front() as front:
        front.show(hubspot_world.portal())
        front.faults.on_path("companies", "empty_page")

        def ask() -> Any:
            answer = front.get(path) if body is None else front.post(path, body)
            assert answer.status_code == 200
            return answer.json()

        assert ask() == nothing
        assert ask()["results"]


def test_hubspot_answers_other_calls_as_usual() -> None:
    """A single record is no page."""
    with hubspot_world.open_front() as front:
        front.show(hubspot_world.portal())
        first = front.get(COMPANIES).json()["results"][0]["id"]
        front.faults.on_path("companies", "empty_page")
        assert front.get(f"{COMPANIES}/{first}").json()["id"] == first
        assert [call.fault for call in front.faults.log] == [None, "empty_page"]


def test_it_cannot_be_told_from_the_answer() -> None:
    """So that it is none of the kinds that a client has to get over."""
    assert "empty_page" not in KINDS
