"""One variable moves every call to another version of HubSpot's paths, with the same rows and the same writes."""

from collections.abc import Iterator

import pytest

from connectors.contract import AccountWrite, Slice
from connectors.hubspot import paths
from connectors.sandbox.hubspot.ids import hubspot_id
from kammodel.publish.fields import FIELDS
from tests.contract.hubspot_copy import Copy, connected, read_all
from tests.contract.hubspot_world import NOW, Front, day, open_front, portal

ALPHA = str(hubspot_id("companies", 1))
WRITTEN = tuple(f for f in FIELDS if f.key in {"tier", "score"})


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def run(front: Front, version: str) -> tuple[Copy, str]:
    """What a full load, an increment, provisioning and a write-back leave, and the paths that were called."""
    there = front.show(portal(families=frozenset({version, "v4"} if version == "v3" else {version})))
    copy = Copy()
    with connected(front, api_version=version) as connector:
        read_all(connector, copy, Slice(None, NOW))
        read_all(connector, copy, Slice(day(40), NOW))
        connector.provision(FIELDS, "en")
        outcomes = [
            o for batch in connector.write_fields(WRITTEN, [AccountWrite(ALPHA, {"score": "5"})]) for o in batch
        ]
    assert [o.outcome for o in outcomes] == ["written"]
    assert there.shelf(there.known("companies")).records[int(ALPHA)].values["kam_score"] == "5"
    return copy, " ".join(call.path for call in front.faults.log)


@pytest.fixture(scope="module")
def in_v3(front: Front) -> tuple[Copy, str]:
    return run(front, "v3")


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
def test_a_dated_version_gives_the_same(front: Front, in_v3: tuple[Copy, str], version: str) -> None:
    """The portal serves nothing but that version, so that a single path left behind would fail."""
    copy, called = run(front, version)
    usual, usually = in_v3
    assert copy.tables == usual.tables
    assert copy.rejects == []
    assert "/v3" not in called
    assert called.count(version) == usually.count("/v3/") + usually.count("/v4/")


@pytest.mark.parametrize(
    ("path", "dated"),
    [
        (paths.objects("companies"), "/crm/objects/2026-09/companies"),
        (paths.search("deals"), "/crm/objects/2026-09/deals/search"),
        (paths.associations("deals", "companies"), "/crm/associations/2026-09/deals/companies/batch/read"),
        (paths.OWNERS, "/crm/owners/2026-09/"),
        (paths.property_("companies", "kam_tier"), "/crm/properties/2026-09/companies/kam_tier"),
        (paths.ACCOUNT_DETAILS, "/account-info/2026-09/details"),
        (paths.CURRENT_RATES, "/settings/currencies/2026-09/exchange-rates/current"),
        (paths.TOKEN, "/oauth/2026-09/token"),
    ],
)
def test_dated_paths(path: str, dated: str) -> None:
    """As HubSpot's documentation of 2026-09 spells them."""
    assert paths.in_version(path, "2026-09") == dated
    assert paths.in_version(path, "v3") == path
