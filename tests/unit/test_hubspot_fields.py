"""Provisioning, against servers that lack a call of HubSpot's."""

from typing import Any

import pytest

from connectors.hubspot.provisioning.making import provision
from kammodel.publish.fields import FIELDS
from tests.unit.hubspot_script import Reply, Script, server, told

RATING = tuple(f for f in FIELDS if f.key == "strategic_value")
NAME = RATING[0].hubspot_name
PATH = "/crm/v3/properties/companies"
NONE: Reply = (200, {}, {"results": []})
MADE: Reply = (201, {}, {"name": NAME})


def shown(body: dict[str, Any]) -> Reply:
    return 200, {}, {"results": [{**body, "archived": False, "modificationMetadata": {"readOnlyValue": False}}]}


class Learning(Script):
    """Shows the property that it was sent, from then on."""

    def next(self) -> Reply | str:
        reply = super().next()
        return shown(self.asked[-2][3]) if reply == "show" else reply


@pytest.mark.parametrize("raw", [b"Not Found", b"<html>404</html>", b""])
@pytest.mark.parametrize("status", [404, 405])
def test_properties_are_made_one_by_one_where_there_is_no_batch(status: int, raw: bytes) -> None:
    """Whether the server says that it lacks the call in JSON or not at all."""
    lacking: Reply = (status, {}, raw)
    script = Learning(NONE, NONE, lacking, lacking, MADE, lacking, lacking, MADE, "show")
    with server(script) as client:
        made = provision(client, RATING, "en", script.waits.append)
    assert made.created == (NAME,)
    assert [(method, path) for method, path, *_ in script.asked[4:8]] == [
        ("POST", f"{PATH}/groups"),
        ("POST", f"{PATH}/batch/create"),
        ("POST", f"{PATH}/batch/create"),
        ("POST", PATH),
    ]


def test_a_refusal_in_json_is_taken_at_once() -> None:
    """Nothing is asked twice that HubSpot itself has answered."""
    script = Learning(NONE, NONE, told(404), MADE, told(405), MADE, "show")
    with server(script) as client:
        assert provision(client, RATING, "en", script.waits.append).created == (NAME,)
    assert max(script.waits, default=0) < 0.1  # To keep the pace; no second look.
