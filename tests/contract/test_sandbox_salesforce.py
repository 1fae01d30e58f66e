"""Versions, limits, headers and faults of the Salesforce sandbox, by third-party clients."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterator

import pytest

from tests.contract.salesforce_client import code
from tests.contract.salesforce_small_org import Desk, open_desk, small_org


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def test_versions_are_told_without_signing_in(desk: Desk) -> None:
    """Not counted either; a retired version is gone, a future one not there."""
    desk.show(small_org())
    del desk.session.headers["Authorization"]
    versions = desk.session.get(f"{desk.url}/services/data", timeout=30)
    assert versions.json()[-3:] == [
        {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"},
        {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"},
        {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"},
    ]
    assert "Sforce-Limit-Info" not in versions.headers
    for version, status in (("v30.0", 410), ("v99.0", 404)):
        assert desk.session.get(f"{desk.url}/services/data/{version}/limits", timeout=30).status_code == status


def test_each_call_counts_and_the_last_one_is_refused(desk: Desk) -> None:
    """Sforce-Limit-Info goes up, errors included; then 403 REQUEST_LIMIT_EXCEEDED until a day has passed."""
    org = desk.show(small_org(daily_api_requests=3))
    used = [desk.call("GET", path).headers["Sforce-Limit-Info"] for path in ("limits", "query?q=x", "limits")]
    assert used == ["api-usage=1/3", "api-usage=2/3", "api-usage=3/3"]
    spent = desk.call("GET", "limits")
    assert (spent.status_code, code(spent.json())) == (403, "REQUEST_LIMIT_EXCEEDED")
    org.clock.advance(dt.timedelta(days=1))
    assert desk.get("limits")["DailyApiRequests"] == {"Max": 3, "Remaining": 2}


def test_bodies_are_zipped_when_asked(desk: Desk) -> None:
    """In both directions."""
    desk.show(small_org())
    zipped = desk.call("GET", "sobjects/Account/describe", headers={"Accept-Encoding": "gzip"})
    plain = desk.call("GET", "sobjects/Account/describe", headers={"Accept-Encoding": "identity"})
    assert (zipped.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert zipped.json() == plain.json()
    body = gzip.compress(json.dumps({"Name": "Zipped"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert desk.call("POST", "sobjects/Account", data=body, headers=headers).status_code == 201


def test_long_addresses_and_headers_are_refused_by_a_page(desk: Desk) -> None:
    """414 for the address, 431 for all of it; neither is JSON."""
    desk.show(small_org())
    long = desk.call("GET", "query", params={"q": "x" * 16_400})
    wide = desk.call("GET", "query", params={"q": "x" * 9_000}, headers={"X-Wide": "x" * 9_000})
    assert [(a.status_code, a.headers["Content-Type"].split(";")[0]) for a in (long, wide)] == [
        (414, "text/html"),
        (431, "text/html"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "more", "named"),
    [
        ("GET", "jobs/unknown", {}, "path jobs/unknown"),
        ("GET", "limits", {"params": {"a": "1"}}, "query parameter a"),
        ("GET", "query", {"params": {"q": "SELECT Id FROM Account", "x": "1"}}, "query parameter x"),
        ("GET", "limits", {"headers": {"Sforce-New": "1"}}, "header sforce-new"),
        (
            "GET",
            "query",
            {"params": {"q": "SELECT Id FROM Account"}, "headers": {"Sforce-Query-Options": "x=1"}},
            "Sforce-Query-Options x=1",
        ),
        ("PATCH", "composite/sobjects", {"json": {"records": [], "all": 1}}, "JSON key all"),
    ],
)
def test_what_the_sandbox_does_not_know_is_named(
    desk: Desk, method: str, path: str, more: dict[str, object], named: str
) -> None:
    """A 500 that names it, and never an empty list."""
    desk.show(small_org())
    answer = desk.call(method, path, **more)
    assert (answer.status_code, answer.json()[0]["message"]) == (500, f"sandbox: unknown {named}")


def test_a_known_path_has_its_methods(desk: Desk) -> None:
    """405 for the others."""
    desk.show(small_org())
    assert desk.call("PUT", "limits").status_code == 405


@pytest.mark.parametrize(
    ("fault", "status", "errors"),
    [
        ("expired_token", 401, "INVALID_SESSION_ID"),
        ("429", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("503", 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_faults_are_worded_as_salesforce_does(desk: Desk, fault: str, status: int, errors: str) -> None:
    """Being over the rate is a 403 here; with Retry-After where that was asked for."""
    desk.show(small_org())
    desk.faults.at(0, fault)  # type: ignore[arg-type]
    answer = desk.call("GET", "limits")
    assert (answer.status_code, code(answer.json())) == (status, errors)
    desk.faults.at(0, "429_retry_after")
    assert desk.call("GET", "limits").headers["Retry-After"] == "1"
