"""A canary in every text field of every record, and real runs: Prefect keeps none of them, and no secret."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.retry import Patience
from connectors.sandbox.hubspot.kinds import CONTACTS
from connectors.sandbox.salesforce.settings import ValidationRule
from flows.crms import Crm
from flows.local_server import LocalServer
from flows.run import run
from flows.runtime import Runtime, using
from flows.settings import settings_from
from flows.sync import pull
from kammodel.publish.fields import FIELDS
from tests.flows.test_partial import ended
from tests.pipeline.canaries import Planted, plant_in_org, plant_in_portal
from tests.pipeline.private_office import PrivateOffice, private_office

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AS_OF = dt.date(2026, 3, 2)
WRONG_TOKEN, WRONG_SECRET = "pat-eu1-canary-of-a-flow", "client-secret-canary-of-a-flow"
QUICK = Patience(sleep=lambda _: None)
_ENDS = {f"prefect.flow-run.{name}" for name in ("Completed", "Partial", "Failed", "Crashed")}
_WORD = re.compile(r"Zq\d{6}qZ")


@dataclass
class Kept:
    """What Prefect keeps: its database row by row, and every file of its homes as bytes."""

    office: PrivateOffice
    planted: Planted
    runs: list[UUID] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, home: Path) -> None:
        """Rows for their overflow pages, where a word may stand in two; files for what was deleted, and results."""
        self.files = {str(f.relative_to(home)): f.read_bytes() for f in home.rglob("*") if f.is_file()}
        (database,) = (home / "server").glob("*.db")
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as there:
            tables = [name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for table in tables:
                self.rows[table] = "\n".join(map(str, there.execute(f'SELECT * FROM "{table}"')))

    def words(self) -> dict[str, set[str]]:
        """The canaries in it, by where."""
        found = {table: set(_WORD.findall(text)) for table, text in self.rows.items()}
        return found | {
            file: {word.decode() for word in re.findall(_WORD.pattern.encode(), content)}
            for file, content in self.files.items()
        }

    def secrets(self) -> list[str]:
        """Those of the sign-in, the tokens that were given out for it, wrong ones, and the key of hashes."""
        org, portal = self.office.org.settings, self.office.portal.settings
        known = [org.client_secret, portal.access_token, self.office.variables["KAM_HASH_KEY"]]
        return [*known, WRONG_TOKEN, WRONG_SECRET]

    def told(self, secret: str) -> list[str]:
        """Where a text stands."""
        return [where for where, text in self.rows.items() if secret in text] + [
            where for where, content in self.files.items() if secret.encode() in content
        ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, prefect_server: LocalServer, prefect_api: str) -> Iterator[Kept]:
    """A whole run with rows that cannot be read and accounts that are refused; then runs that may not sign in."""
    with (
        pytest.MonkeyPatch.context() as patch,
        private_office(tmp_path_factory.mktemp("office") / "home") as office,
        temporary_settings({PREFECT_API_URL: prefect_api}),
    ):
        for name in [name for name in os.environ if name.startswith("KAM_")]:
            patch.delenv(name)
        kept = Kept(office, Planted())
        plant_in_org(office.org, kept.planted)
        plant_in_portal(office.portal, kept.planted)
        _make_trouble(kept)
        kept.runs += [_whole_run(office), *_runs_that_may_not_sign_in(office, patch), _run_that_breaks(kept, patch)]
        with get_client(sync_client=True) as client:
            _await(client, kept.runs)
        kept.read(prefect_server.home.parent)
        yield kept
    gc.collect()


def _make_trouble(kept: Kept) -> None:
    """A contact in each CRM that cannot be read, and a rule that refuses accounts in words of an administrator."""
    org, portal, another = kept.office.org, kept.office.portal, kept.planted.another
    table = org.table("Contact")
    table.put(table.row_of(org.records("Contact")[0] | {"CreatedDate": another("Contact.CreatedDate")}))
    person = next(one for one in portal.shelf(CONTACTS).records.values() if one.archived_at is None)
    person.values["hs_email_optout"] = another("contacts.hs_email_optout")
    told = f"{another('message of a validation rule')} decides about this account"
    refuses = ValidationRule("Account", lambda row: str(row["Id"]).endswith("IAA"), told)
    org.settings.validation_rules.append(refuses)


def _whole_run(office: PrivateOffice) -> UUID:
    settings = settings_from({**office.served.environment(), "KAM_HOME": str(office.home), **office.variables})
    with Runtime(settings, clock=office.company.clock.now, patience=QUICK) as runtime, using(runtime):
        for crm in ("salesforce", "hubspot"):
            runtime.connector(crm).provision(FIELDS, "en")
        state: State[Any] = asyncio.run(ended(run(as_of=AS_OF, return_state=True)))
    assert (state.name, "cells refused" in str(state.message)) == ("Partial", True)
    return _id(state)


def _runs_that_may_not_sign_in(office: PrivateOffice, patch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """As a worker runs them: from the environment."""
    given = {**office.served.environment(), "KAM_HOME": str(office.home), **office.variables}
    wrong = {"KAM_HUBSPOT__ACCESS_TOKEN": WRONG_TOKEN, "KAM_SALESFORCE__CLIENT_SECRET": WRONG_SECRET}
    for name, value in (given | wrong).items():
        patch.setenv(name, value)
    for crm in (Crm.hubspot, Crm.salesforce):
        state: State[Any] = asyncio.run(ended(pull(crm=crm, return_state=True)))
        assert state.name == "Failed"
        yield _id(state)


def _run_that_breaks(kept: Kept, patch: pytest.MonkeyPatch) -> UUID:
    """Nobody foresaw what the database says, and it names the row that it does not take."""
    word = kept.planted.another("message of the database")
    patch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", kept.office.portal.settings.access_token)
    with closing(sqlite3.connect(kept.office.home / "kam.db")) as store:
        refuses = f"SELECT RAISE(ABORT, 'no room for {word}')"
        store.execute(f"CREATE TRIGGER full BEFORE INSERT ON rejected_record BEGIN {refuses}; END")
    state: State[Any] = asyncio.run(ended(pull(crm=Crm.hubspot, full=True, return_state=True)))
    assert state.name == "Failed"
    assert re.fullmatch(r"IntegrityError in kammodel\.store\.\w+, line \d+: see the log of the run", str(state.message))
    return _id(state)


def _id(state: State[Any]) -> UUID:
    assert state.state_details.flow_run_id is not None
    return state.state_details.flow_run_id


def _await(client: SyncPrefectClient, runs: list[UUID]) -> None:
    """Until the log is sent and the server has recorded how each run ended, which it does behind their backs."""
    APILogWorker.drain_all(timeout=10)
    for run_id in runs:
        asked = {"filter": {"any_resource": {"id": [f"prefect.flow-run.{run_id}"]}}, "limit": 50}
        ends_at = time.monotonic() + 60
        while not _ENDS & {e["event"] for e in client.request("POST", "/events/filter", json=asked).json()["events"]}:
            assert time.monotonic() < ends_at, f"no event tells of the end of {run_id}"


def test_what_prefect_keeps_is_all_there(kept: Kept) -> None:
    """The search looks at something: names of accounts are meant to be read, and so is what went wrong."""
    names = [row["Name"] for row in kept.office.org.records("Account")]
    assert any(name in kept.rows["artifact"] for name in names)
    there = {
        "artifact": ("kam-run", "kam-digest-", "## Set aside", "### Refused by the CRM"),
        "log": ("hubspot contacts", "kammodel/store/", "KAM_HUBSPOT__ACCESS_TOKEN"),
        "flow_run": ("2026-03-02",),
        "flow_run_state": ("cells refused", "KAM_SALESFORCE__CLIENT_ID", "IntegrityError in kammodel.store."),
        "task_run": ("pull-hubspot", "apply-salesforce"),
        "events": ("kam.run.partial", "IntegrityError in kammodel.store."),
    }
    missing = [(table, text) for table, texts in there.items() for text in texts if text not in kept.rows[table]]
    assert missing == []
    assert len(kept.planted.unread) > 2_000


def test_prefect_keeps_nothing_of_what_stood_in_fields(kept: Kept) -> None:
    """Neither of what no mapping names, nor of what the store keeps: titles of contacts, names of deals."""
    planted = kept.planted.unread | kept.planted.kept
    leaks = {where: sorted({planted[word] for word in words}) for where, words in kept.words().items()}
    assert {where: places for where, places in leaks.items() if places} == {}


def test_prefect_keeps_no_secret(kept: Kept) -> None:
    """Neither one that is right nor one that was refused, nor the key of hashes. What it names them by is found."""
    assert {"log", "flow_run_state"} < {*kept.told("KAM_HUBSPOT__ACCESS_TOKEN")}
    assert {secret: places for secret in kept.secrets() if (places := kept.told(secret))} == {}
