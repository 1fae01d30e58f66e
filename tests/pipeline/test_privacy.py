"""A canary in every text field of every record: none that is not read turns up anywhere, none that is kept leaves."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO

import pytest
from typer.testing import CliRunner

from connectors.sandbox.hubspot.kinds import CONTACTS
from connectors.sandbox.salesforce.settings import ValidationRule
from flows import steps
from flows.cli.app import app
from flows.cli.show import print_json, show_run
from flows.report.markdown import run_page
from tests.pipeline.canaries import Planted, plant_in_org, plant_in_portal
from tests.pipeline.private_office import PrivateOffice, private_office

SECRET = "pat-eu1-canary-0000"
AS_OF = "2026-03-02"
_WORD = re.compile(r"Zq\d{6}qZ")


@dataclass
class Told:
    """Everything that kam said or left behind, by where."""

    office: PrivateOffice
    planted: Planted
    texts: dict[str, str] = field(default_factory=dict)

    def kam(self, *arguments: str) -> int:
        """Runs a command; keeps what it printed."""
        ended = CliRunner().invoke(app, list(arguments))
        self.texts[f"{len(self.texts)} kam {' '.join(arguments)}"] = ended.output
        return ended.exit_code

    def words(self) -> dict[str, set[str]]:
        """The canaries in what was said, by where."""
        return {where: set(_WORD.findall(text)) for where, text in self.texts.items()}

    def in_files(self) -> dict[str, set[str]]:
        """The canaries in all files, by file."""
        files = (path for path in self.office.home.parent.rglob("*") if path.is_file())
        return {
            path.name: {w.decode() for w in re.findall(_WORD.pattern.encode(), path.read_bytes())} for path in files
        }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A life of kam: read, scored, planned, written, explained, refused, set aside, and asked in the wrong way."""
    folder = tmp_path_factory.mktemp("canaries")
    with pytest.MonkeyPatch.context() as patch, private_office(folder / "home") as office, _logged() as lines:
        for name in [name for name in os.environ if name.startswith("KAM_")]:
            patch.delenv(name)
        patch.chdir(folder)
        for name, value in {**office.served.environment(), **office.variables, "KAM_HOME": str(office.home)}.items():
            patch.setenv(name, value)
        planted = Planted()
        plant_in_org(office.org, planted)
        plant_in_portal(office.portal, planted)
        told = Told(office, planted)
        _live(told, patch)
        told.texts["log"] = "\n".join(lines)
        yield told


def _live(told: Told, patch: pytest.MonkeyPatch) -> None:
    office = told.office
    assert told.kam("provision") == 0
    _make_unreadable(office)
    _refuse_writes(office, told.planted.another("message of a validation rule", kept=True))
    with office.runtime() as at:
        receipt = steps.run(at, dt.date.fromisoformat(AS_OF), full=False, progress=at.progress)
    assert receipt.write_backs[0].applied.faults.keys() == {"FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    told.texts["artifact of a run"] = run_page(receipt)
    told.texts["run on the screen"] = _printed(lambda: show_run(receipt))
    told.texts["run as JSON"] = _printed(lambda: print_json(receipt))
    assert told.kam("pull", "--json") == 0
    for command in ("plans", "digest", "matches", "check"):
        assert told.kam(command) == 0
    for plan in (one.plan.plan_id for one in receipt.write_backs):
        assert told.kam("plans", plan) == 0
        assert told.kam("plans", plan, "--json") == 0
        assert told.kam("plans", plan, "--csv", f"{plan}.csv") == 0
    account = office.org.records("Account")[0]["Id"]
    assert told.kam("explain", account, "--as-of", AS_OF) == 0
    assert told.kam("explain", account, "--as-of", AS_OF, "--json") == 0
    _ask_wrongly(told, patch)


def _printed(show: Callable[[], None]) -> str:
    with redirect_stdout(StringIO()) as screen:
        show()
    return screen.getvalue()


def _make_unreadable(office: PrivateOffice) -> None:
    """A contact in each CRM that cannot be read: it is set aside with the raw row."""
    contact = office.org.records("Contact")[0]
    table = office.org.table("Contact")
    table.put(table.row_of(contact | {"CreatedDate": "the day before yesterday"}))
    person = next(r for r in office.portal.shelf(CONTACTS).records.values() if r.archived_at is None)
    person.values["hs_email_optout"] = "perhaps"


def _refuse_writes(office: PrivateOffice, word: str) -> None:
    """Salesforce refuses some accounts, in words that an administrator chose."""
    rule = ValidationRule("Account", lambda row: str(row["Id"]).endswith("IAA"), f"{word} decides about this account")
    office.org.settings.validation_rules.append(rule)


def _ask_wrongly(told: Told, patch: pytest.MonkeyPatch) -> None:
    address = f"{told.planted.another('an address that is asked for')}@example.com"
    assert told.kam("forget", "--person", address, "--yes") == 1
    patch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", SECRET)
    assert told.kam("pull", "--crm", "hubspot") == 1
    patch.setenv("KAM_HASH_KEY", "short-canary")
    assert told.kam("pull") == 3


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Every record of every logger, from DEBUG on, as a handler would print it."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    make, handlers, level = logging.getLogRecordFactory(), logging.root.handlers[:], logging.root.level
    # A client of a vendor's makes the one above it silent.
    calls = logging.getLogger("urllib3.connectionpool")
    logging.root.addHandler(Keeping())
    for one in (logging.root, calls):
        one.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logging.setLogRecordFactory(make)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        calls.setLevel(logging.NOTSET)


def test_there_is_a_canary_in_everything(told: Told) -> None:
    """Names, streets, telephone numbers, subjects, bodies and descriptions of all kinds of record."""
    places = set(told.planted.unread.values())
    assert places >= {
        "Contact.LastName", "Contact.Phone", "Contact.MailingStreet", "Contact.Email", "Task.Subject",
        "Task.Description", "Event.Description", "Case.Subject", "User.Email", "contacts.firstname", "contacts.email",
        "emails.hs_email_html", "emails.hs_email_subject", "notes.hs_note_body", "owners.email",
    }  # fmt: skip
    assert len(told.planted.unread) > 2_000


def test_what_was_said_is_all_there(told: Told) -> None:
    """The search looks at something: names of accounts, which are meant to be read, are found in it."""
    name = told.office.org.records("Account")[0]["Name"]
    assert "explain" in [where.split()[2] for where, text in told.texts.items() if name in text]
    assert told.texts["log"].count("/services/data/") > 20
    assert {path.suffix for path in told.office.home.parent.rglob("*") if path.is_file()} >= {".csv", ".db", ".md"}


def test_what_no_mapping_names_is_nowhere(told: Told) -> None:
    """Not in a file, be it the store, nor in a log, nor on the screen; e-mail addresses and bodies are among it."""
    leaks = {
        where: sorted(told.planted.unread[word] for word in words & told.planted.unread.keys())
        for where, words in (*told.words().items(), *told.in_files().items())
    }
    assert {where: places for where, places in leaks.items() if places} == {}


def test_what_the_store_keeps_does_not_leave_it(told: Told) -> None:
    """Titles and departments of contacts and names of deals: in the store, and in nothing that is shown or exported."""
    kept = told.planted.kept
    files = told.in_files()
    assert files["kam.db"] & kept.keys()
    leaks = {
        where: sorted({kept[word] for word in words & kept.keys()})
        for where, words in (*told.words().items(), *files.items())
        if where != "kam.db"
    }
    assert {where: places for where, places in leaks.items() if places} == {}


def test_a_row_that_was_set_aside_has_no_address(told: Told) -> None:
    """It is kept as it came, but for the address, of which the hash is kept."""
    with told.office.runtime() as at, at.store.transaction() as tx:
        raws = [
            row[0] for row in tx.connection.exec_driver_sql("SELECT raw FROM rejected_record WHERE entity='person'")
        ]
    assert len(raws) == 2
    told_addresses = [json.loads(raw).get("Email", json.loads(raw).get("email")) for raw in raws]
    assert [len(text) for text in told_addresses] == [64, 64]


def test_no_secret_is_told(told: Told) -> None:
    """Neither those of the sign-in nor the key of hashes: in no text and in no file."""
    org, portal = told.office.org.settings, told.office.portal.settings
    secrets = [SECRET, org.client_secret, portal.access_token, told.office.variables["KAM_HASH_KEY"], "short-canary"]
    said = "\n".join(told.texts.values())
    assert [secret for secret in secrets if secret in said] == []
    files = [path.read_bytes() for path in told.office.home.parent.rglob("*") if path.is_file()]
    assert [secret for secret in secrets if any(secret.encode() in content for content in files)] == []
