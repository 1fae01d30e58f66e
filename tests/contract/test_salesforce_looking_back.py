"""What a job, or a write whose answer was lost, went over in Salesforce is found in the history of the fields."""

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract import AccountWrite, LooksBack
from connectors.salesforce import soql
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from connectors.sandbox.salesforce.org import Org
from kammodel.publish.fields import FIELDS, OURS
from tests.contract.meanwhile import meanwhile
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned, write

ALPHA, IBERIA, BETA = (salesforce_id("001", n) for n in (1, 2, 4))
JOB = Sizes(ingest_from=1, ingest_rows=100)
UPLOADED = "PATCH /services/data/v66.0/jobs/ingest"
TRACKED = [f.salesforce_name for f in OURS if f.for_people]


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def ready(front: Front, **settings: Any) -> Org:
    """Accounts that hold the score 1."""
    there = provisioned(front, **settings)
    for account in (ALPHA, IBERIA, BETA):
        there.update("Account", account, {"KAM_Score__c": 1})
    return there


def scored(*ids: str) -> list[AccountWrite]:
    return [AccountWrite(i, {"score": "2", "tier": "key"}, {"score": "1", "tier": None}) for i in ids]


def over(connector: SalesforceConnector, *writes: AccountWrite) -> dict[str, dict[str, str | None]]:
    assert isinstance(connector, LooksBack)
    return connector.overwritten(OURS, writes)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("at_once", [400, 2])
def test_an_edit_during_a_job_is_seen(
    front: Front, monkeypatch: pytest.MonkeyPatch, at_once: int, *, labels: bool
) -> None:
    """Also where they cleared a field; choices by their code, as which the field takes them back. Of many accounts
    only those are asked about that others have edited."""
    monkeypatch.setattr(soql, "IDS_AT_ONCE", at_once)
    there = ready(front, history_holds_labels=labels)

    def people_edit() -> None:
        there.update("Account", ALPHA, {"KAM_Score__c": 7.5, "KAM_Tier__c": "growth"})
        there.update("Account", IBERIA, {"KAM_Score__c": None, "Phone": "1"})

    meanwhile(front, UPLOADED, people_edit)
    with connected(front, sizes=JOB) as connector:
        told = write(connector, *scored(ALPHA, IBERIA, BETA))
        assert connector.unseen == 0
    assert {i: o.outcome for i, o in told.items()} == dict.fromkeys((ALPHA, IBERIA, BETA), "written")
    assert {i: o.overwritten for i, o in told.items()} == {
        ALPHA: {"score": "7.5", "tier": "growth"},
        IBERIA: {"score": None},
        BETA: {},
    }


def test_only_the_last_change_counts_and_only_if_it_is_ours(front: Front) -> None:
    """Whoever has edited since has had their say; who chose what we write, or entered again what we found, loses
    nothing; all within one second, as the clock of the org stands."""
    there = ready(front)
    ours = there.integration_user_id
    for account, *steps in (
        (ALPHA, ("7.5", None), ("2", ours), ("9", None)),
        (IBERIA, ("7.5", None), ("2", None), ("2", ours)),
        (BETA, ("7.5", None), ("1", None), ("2", ours)),
    ):
        for value, by in steps:
            there.update("Account", account, {"KAM_Score__c": float(value)}, by=by)
    with connected(front) as connector:
        assert over(connector, *scored(ALPHA, IBERIA, BETA)) == {}
        there.update("Account", BETA, {"KAM_Score__c": 8}, by=None)
        there.update("Account", BETA, {"KAM_Score__c": 2}, by=ours)
        assert over(connector, *scored(ALPHA, IBERIA, BETA)) == {BETA: {"score": "8.0"}}


def test_a_history_without_our_change_tells_nothing(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    """A run goes on days later, or another program of our own user has changed it since: what we went over, nobody
    knows. A person who edited it since has had their say; nobody types a stamp."""
    there = ready(front)
    ours = there.integration_user_id
    there.update("Account", ALPHA, {"KAM_Score__c": 7.5})
    there.update("Account", ALPHA, {"KAM_Score__c": 2}, by=ours)
    there.clock.advance(dt.timedelta(days=3))
    there.update("Account", IBERIA, {"KAM_Score__c": 2}, by=ours)
    there.update("Account", IBERIA, {"KAM_Score__c": 3}, by=ours)
    there.update("Account", BETA, {"KAM_Score__c": 2}, by=ours)
    there.update("Account", BETA, {"KAM_Score__c": 9})
    asked = [
        AccountWrite(i, {"score": "2", "stamp": "1."}, {"score": "1", "stamp": None}) for i in (ALPHA, IBERIA, BETA)
    ]
    with caplog.at_level(logging.WARNING), connected(front) as connector:
        assert over(connector, *asked) == {}
        assert connector.unseen == 2
    assert "could not be seen in 2 cells of 3 accounts: what their history tells last is not our change" in caplog.text


@pytest.mark.parametrize(
    "settings",
    [
        {"account_field_history": False},
        {"account_field_history": False, "metadata": MetadataSettings(untracked_object_refuses=False)},
        {"hidden_objects": frozenset({"AccountHistory"})},
        {"metadata": MetadataSettings(tracked_fields_per_object=0)},
    ],
    ids=["off", "off, unsaid", "hidden", "full"],
)
def test_without_a_history_nothing_is_invented(
    front: Front, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    """The log, and who asks, are told in how many cells an edit could not be seen."""
    there = ready(front, **settings)
    meanwhile(front, UPLOADED, lambda: there.update("Account", ALPHA, {"KAM_Score__c": 7.5}))
    with caplog.at_level(logging.WARNING), connected(front, sizes=JOB) as connector:
        told = write(connector, *scored(ALPHA, IBERIA))
    assert {i: (o.outcome, o.overwritten) for i, o in told.items()} == dict.fromkeys((ALPHA, IBERIA), ("written", {}))
    assert "could not be seen in 4 cells of 2 accounts" in caplog.text
    assert connector.unseen == 4


def test_a_look_back_without_an_answer_does_not_hide_what_was_written(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    """The outcomes are told, and that nobody looked."""
    ready(front)
    front.faults.on_path("/query", "503", times=99)
    with caplog.at_level(logging.WARNING), connected(front, sizes=JOB) as connector:
        told = write(connector, *scored(ALPHA, IBERIA))
    assert {o.outcome for o in told.values()} == {"written"}
    assert "could not be seen in 4 cells" in caplog.text
    assert connector.unseen == 4


def test_the_history_of_a_job_costs_a_few_calls(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """One to learn which accounts others have edited, however many there are; one of each kind to begin with."""
    monkeypatch.setattr(soql, "IDS_AT_ONCE", 2)
    ready(front).clock.advance(dt.timedelta(days=2))
    with connected(front, sizes=JOB) as connector:
        write(connector, *scored(ALPHA, IBERIA, BETA))
        queries = front.asked("GET /services/data/v66.0/query")
        assert (queries, front.asked("AccountHistory/describe")) == (2, 1)
        write(connector, *(AccountWrite(i, {"score": "3"}, {"score": "2"}) for i in (ALPHA, IBERIA, BETA)))
        assert front.asked("GET /services/data/v66.0/query") == queries + 1


def tracked(there: Org) -> list[str]:
    return [one.name for one in there.table("Account").fields if one.track_history]


def test_provisioning_gives_our_fields_a_history(front: Front) -> None:
    """Those that people may type into; a dry run tells it, and a second run has nothing to do."""
    there = front.show(org())
    with connected(front) as connector:
        tried = connector.provision(FIELDS, "en", dry_run=True)
        assert tracked(there) == []
        done = connector.provision(FIELDS, "en")
        again = connector.provision(FIELDS, "en")
    assert sorted(tracked(there)) == sorted(TRACKED)
    kinds = [[(p.name, p.done) for p in told.parts if p.kind == "field history"] for told in (tried, done, again)]
    assert kinds == [[("13 fields", "created")]] * 2 + [[("13 fields", "unchanged")]]
    assert (again.created, again.changed) == ((), ())


def test_fields_that_are_there_get_one_too(front: Front) -> None:
    """Once the org keeps histories, or has room again."""
    there = provisioned(front, tracked_account_fields=frozenset({"Phone", "Fax"}), metadata=MetadataSettings())
    for field in [one for one in there.table("Account").fields if one.track_history]:
        there.add_field("Account", type(field)(**{**vars(field), "track_history": False}))
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert (done.created, set(done.changed)) == ((), set(TRACKED))
    assert sorted(tracked(there)) == sorted(TRACKED)


def test_the_most_important_come_first_where_there_is_little_room(front: Front) -> None:
    """Others have seventeen of twenty; what is left without is told."""
    names = [one.name for one in org().table("Account").fields if one.type in {"string", "phone", "picklist", "url"}]
    there = front.show(org(tracked_account_fields=frozenset(names[:17])))
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert tracked(there) == ["KAM_Tier__c", "KAM_Score__c", "KAM_Reason__c"] == TRACKED[:3]
    kept, left = (part for part in done.parts if part.kind == "field history")
    assert (kept.name, left.name, left.done) == ("3 fields", ", ".join(TRACKED[3:]), "left alone")


@pytest.mark.parametrize("limit", [0, 5])
def test_an_org_that_refuses_histories_gets_the_fields_without(front: Front, limit: int) -> None:
    """Its limit may be another than the one that is documented."""
    there = front.show(org(metadata=MetadataSettings(tracked_fields_per_object=limit)))
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
        assert connector.missing_fields(FIELDS) == []
        assert connector.provision(FIELDS, "en").changed == ()
    assert tracked(there) == []
    (left,) = (part for part in done.parts if part.kind == "field history")
    assert left.why is not None
    assert "exceeded the allowed number of fields to track" in left.why
