"""Somebody is forgotten in both CRMs: nothing of them is left in any file, and nothing brings them back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS
from connectors.sandbox.telling.hubspot import HubSpotDeeds
from connectors.sandbox.telling.salesforce import SalesforceDeeds
from flows import steps
from flows.pipeline import kept_files
from kammodel.entities import Account, Activity, Opportunity, Person
from kammodel.errors import KamError, NotConfigured
from kammodel.store.suppressing import lift_suppression, suppressions
from tests.pipeline.private_office import HOUR, PrivateOffice, files_with, private_office

SOMEBODY = "ada.unforgettable@example.com"
TITLE = "Chief Unforgettable Officer"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOffice]:
    """Ada is a contact in both CRMs. All is read, scored and written."""
    with private_office(tmp_path_factory.mktemp("forgetting") / "home") as office:
        office.org.update("Contact", ada_in_org(office), {"Email": SOMEBODY.upper(), "Title": TITLE})
        office.portal.update("contacts", ada_in_portal(office), {"email": SOMEBODY, "jobtitle": TITLE})
        with office.runtime() as at:
            for crm in at.chosen(None):
                at.connector(crm).provision(at.fields, "en")
            steps.run(at, None, full=False, progress=at.progress)
        yield office


@pytest.fixture
def office(served: PrivateOffice, tmp_path: Path) -> PrivateOffice:
    """The CRMs, and a copy of what kam keeps."""
    shutil.copytree(served.home, tmp_path / "home")
    return PrivateOffice(served.served, tmp_path / "home")


def ada_in_org(office: PrivateOffice) -> str:
    """The contact with whom most was done."""
    persons = [str(task["WhoId"]) for kind in ("Task", "Event") for task in office.org.records(kind) if task["WhoId"]]
    return max(sorted(set(persons)), key=persons.count)


def ada_in_portal(office: PrivateOffice) -> str:
    return str(min(n for n, r in office.portal.shelf(CONTACTS).records.items() if r.archived_at is None))


def acme_in_org(office: PrivateOffice) -> tuple[str, str]:
    """Id and name of the account with the most deals."""
    deals = [str(deal["AccountId"]) for deal in office.org.records("Opportunity")]
    most = max(sorted(set(deals)), key=deals.count)
    record = office.org.record("Account", most)
    assert record is not None
    return most, str(record["Name"])


def rows_with(office: PrivateOffice, text: str) -> list[str]:
    """Columns of the store in which a text stands by itself, or among others."""
    found = []
    with closing(sqlite3.connect(office.home / "kam.db")) as db:
        db.create_function("tells", 1, lambda value: kept(value, text))
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            for _, column, *_ in db.execute(f'PRAGMA table_info("{table}")').fetchall():
                n = db.execute(f'SELECT count(*) FROM "{table}" WHERE tells("{column}")').fetchone()[0]
                found += [f"{table}.{column}"] if n else []
    return found


def kept(value: object, text: str) -> bool:
    wanted = kept_files.pattern_of([], [text])
    assert wanted is not None
    return isinstance(value, str) and wanted.search(value) is not None


def test_a_person_is_gone_from_every_file(office: PrivateOffice) -> None:
    """By the address, in both CRMs at once: rows, links in activities and cases, free bytes of the file, logs of it."""
    ids = (ada_in_org(office), ada_in_portal(office))
    assert files_with(office.home, TITLE)
    done = office.forget("person", f" {SOMEBODY.title()} ")
    assert (done.kind, done.records, done.counts["person"], done.is_complete) == ("person", 2, 2, True)
    assert done.emptied["activity"] > 3
    assert files_with(office.home, TITLE, SOMEBODY, ids[0], ids[0][:15]) == []
    assert [rows_with(office, id_) for id_ in ids] == [[], []]


def test_a_rehearsal_counts_the_same_and_does_nothing(office: PrivateOffice) -> None:
    """What is shown before is what is done then."""
    before = (office.home / "kam.db").read_bytes()
    shown = office.forget("person", SOMEBODY, rehearsal=True)
    assert (office.home / "kam.db").read_bytes() == before
    done = office.forget("person", SOMEBODY)
    assert (shown.counts, shown.emptied, shown.records) == (done.counts, done.emptied, done.records)
    assert shown.is_rehearsal
    assert not done.is_rehearsal


def test_nothing_brings_a_person_back(office: PrivateOffice) -> None:
    """Neither increments, nor a full load, nor the comparison of ids; rows read still add up; an edit makes no
    difference, nor does coming again under another id with the same address."""
    ids = (ada_in_org(office), ada_in_portal(office))
    office.forget("person", SOMEBODY)
    office.org.update("Contact", ids[0], {"Department": "Unforgettables"})
    office.portal.update("contacts", ids[1], {"hs_buying_role": "CHAMPION"})
    again = office.org.create("Contact", {"LastName": "Lovelace", "Email": SOMEBODY, "Title": TITLE})
    for receipt in (*office.pull(), *office.pull(full=True)):
        for s in receipt.streams:
            assert s.read == s.inserted + s.changed + s.unchanged + s.rejected + s.suppressed, s
        contacts = next(s for s in receipt.streams if s.stream == "contacts")
        assert contacts.suppressed == (2 if receipt.source == "salesforce" else 1)
        assert contacts.inserted == 0
    assert files_with(office.home, TITLE, SOMEBODY, "Unforgettables", again, again[:15], ids[0], ids[0][:15]) == []
    assert [rows_with(office, id_) for id_ in ids] == [[], []]
    office.org.delete("Contact", again)


def test_what_cannot_be_read_is_forgotten_too(office: PrivateOffice) -> None:
    """Of somebody the store may have a raw row only; and a row of somebody forgotten is not even set aside."""
    ada, unread = ada_in_org(office), office.org.create("Contact", {"LastName": "Unread", "Title": "Chief Unread"})
    known = office.org.record("Contact", ada)
    for record in (ada, unread):
        spoil(office, record)
    office.pull("salesforce")
    assert files_with(office.home, "Chief Unread")
    assert office.forget("person", unread).counts == {"rejected_record": 1}
    assert office.forget("person", ada).counts["rejected_record"] == 1
    office.pull("salesforce", full=True)
    assert files_with(office.home, "Chief Unread", TITLE, unread, ada) == []
    table = office.org.table("Contact")
    table.put(table.row_of(known or {}))
    office.org.purge("Contact", unread)


def test_somebody_who_was_never_read_is_found_by_address(office: PrivateOffice) -> None:
    """In a row that was set aside, with the hash in place of the address; under another id they stay out too."""
    address = "una_read@example.com"
    unread = office.org.create("Contact", {"LastName": "Unread", "Email": "Una_Read@example.com"})
    spoil(office, unread)
    office.pull("salesforce")
    assert office.forget("person", address).counts == {"rejected_record": 1}
    again = office.org.create("Contact", {"LastName": "Unread", "Email": address, "Title": "Chief Unread"})
    office.company.clock.advance(HOUR)
    office.pull("salesforce", full=True)
    assert files_with(office.home, unread, again, "Chief Unread") == []
    for one in (unread, again):
        office.org.delete("Contact", one)
        office.org.purge("Contact", one)


def spoil(office: PrivateOffice, contact: str) -> None:
    """A moment that nobody can read, and a change that an increment shows."""
    office.company.clock.advance(HOUR)
    office.org.update("Contact", contact, {"Department": "Anything"})
    record, table = office.org.record("Contact", contact), office.org.table("Contact")
    table.put(table.row_of({**(record or {}), "CreatedDate": "some day"}))


def test_an_account_goes_with_all_that_belongs_to_it(office: PrivateOffice) -> None:
    """Deals with their steps, contacts, cases; snapshots, ledger, plans; the digest on the disk."""
    account, name = acme_in_org(office)
    page = office.home / "digests" / "2026-03-01" / "somebody.md"
    page.parent.mkdir(parents=True)
    page.write_text(f"# Digest\n\n| {name} | key |\n| another | growth |\n", "utf-8")
    with office.runtime() as at:
        deals = at.store.read(Opportunity).filter(account_id=account)["source_id"].to_list()
        assert deals
    done = office.forget("account", account)
    assert {"account", "opportunity", "opportunity_stage_event", "person", "score_snapshot"} <= done.counts.keys()
    assert {"written_cell", "planned_cell"} <= done.counts.keys()
    assert str(page) in done.cleaned
    assert page.read_text("utf-8") == "# Digest\n\n| another | growth |\n"
    assert files_with(office.home, account, account[:15], *deals) == []


def test_nothing_brings_an_account_back(office: PrivateOffice) -> None:
    """Nor what was done with it since: a deal that is opened now, with its steps, a call that is logged."""
    account, _ = acme_in_org(office)
    office.forget("account", account)
    deeds = SalesforceDeeds(office.org)
    deal = deeds.add_deal(account, "An unforgettable deal", Decimal(100))
    deeds.log_call(account, "Hello again")
    for receipt in (*office.pull("salesforce"), *office.pull("salesforce", full=True)):
        for s in receipt.streams:
            assert s.read == s.inserted + s.changed + s.unchanged + s.rejected + s.suppressed, s
    assert files_with(office.home, account, account[:15], deal, deal[:15], "An unforgettable deal") == []
    with office.runtime() as at:
        touches = at.store.read(Activity).filter(pl.col("source") == "salesforce")
        held = ("account_ids", "opportunity_id", "case_id")
        assert not touches.filter(pl.any_horizontal(pl.col(held).str.contains(account))).height
        steps.score(at, None, progress=at.progress)
    assert files_with(office.home, account, account[:15]) == []
    office.org.purge("Opportunity", deal)


def test_a_deal_that_moves_to_a_forgotten_account_goes(office: PrivateOffice) -> None:
    """It was another one's before, and is in the store as such."""
    account, _ = acme_in_org(office)
    deal = next(
        d for d in office.org.records("Opportunity") if d["AccountId"] not in {None, account} and not d["IsDeleted"]
    )
    office.forget("account", account)
    assert files_with(office.home, deal["Id"])
    office.org.update("Opportunity", deal["Id"], {"AccountId": account})
    office.pull("salesforce")
    office.org.update("Opportunity", deal["Id"], {"AccountId": deal["AccountId"]})
    assert files_with(office.home, deal["Id"]) == []


def test_an_account_of_hubspot(office: PrivateOffice) -> None:
    """With its deals; and a merge into it brings nothing back either."""
    deeds = HubSpotDeeds(office.portal)
    company = next(a for a in deeds.accounts() if a.alone)
    office.forget("account", company.id, "hubspot")
    assert rows_with(office, company.id) == []
    loser = next(a for a in deeds.accounts() if a.alone and a.id != company.id)
    deeds.merge(company.id, loser.id)
    office.pull("hubspot", full=True)
    survivors = [str(n) for n, r in office.portal.shelf(COMPANIES).records.items() if r.archived_at is None]
    assert company.id in survivors or loser.id not in survivors
    assert rows_with(office, company.id) == []


def test_what_is_allowed_comes_back(office: PrivateOffice) -> None:
    """With the next full load, as if nothing had been."""
    done = office.forget("person", SOMEBODY)
    with office.runtime() as at, at.store.transaction() as tx:
        ((entry, under),) = suppressions(tx)
        assert (entry.hash, entry.kind, under) == (done.entry, "person", 1)
        lift_suppression(tx, done.entry[:12])
        assert suppressions(tx) == []
    office.pull("salesforce", full=True)
    with office.runtime() as at:
        assert at.store.read(Person).filter(title=TITLE, deleted=False)["source_id"].to_list() == [ada_in_org(office)]


def test_without_the_key_nothing_is_read(office: PrivateOffice) -> None:
    """Nobody could be told from those who were forgotten; nor with another key."""
    office.forget("person", SOMEBODY)
    for variables in ({}, {"KAM_HASH_KEY": "another key than the one before"}):
        blind = PrivateOffice(office.served, office.home, variables)
        with pytest.raises(NotConfigured, match="KAM_HASH_KEY is"):
            blind.pull()
    with pytest.raises(NotConfigured, match="KAM_HASH_KEY is missing"):
        PrivateOffice(office.served, office.home, {}).forget("person", ada_in_org(office))


def test_nobody_is_a_fault_that_tells_no_address(office: PrivateOffice) -> None:
    """Nothing is done."""
    with pytest.raises(KamError) as fault:
        office.forget("person", "nobody@example.com")
    assert "nobody@example.com" not in str(fault.value)
    with pytest.raises(KamError, match="no account with that id"):
        office.forget("account", "001000000000000AAA")


def test_files_of_people_are_named_and_not_touched(office: PrivateOffice, tmp_path: Path) -> None:
    """What somebody typed into a file of inputs is theirs to change."""
    account, name = acme_in_org(office)
    file = tmp_path / "inputs" / "accounts.csv"
    file.parent.mkdir()
    file.write_text(f"account,strategic_value\n{account},9\n", "utf-8")
    office.variables["KAM_INPUTS_DIR"] = str(file.parent)
    done = office.forget("account", account)
    assert done.theirs == (str(file),)
    assert account in file.read_text("utf-8")
    with office.runtime() as at:
        assert at.store.read(Account).filter(name=name, source="salesforce").is_empty()


def test_the_records_of_our_own_prefect_server_are_cleaned(office: PrivateOffice) -> None:
    """Its database lies under KAM_HOME: pages of runs name accounts."""
    account, name = acme_in_org(office)
    file = office.home / "prefect" / "prefect.db"
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE artifact (id TEXT PRIMARY KEY, data TEXT, n INTEGER)")
        db.execute("INSERT INTO artifact VALUES ('1', ?, 2)", (f"| {name} | moved | salesforce {account} |",))
        db.commit()
    done = office.forget("account", account)
    assert str(file) in done.cleaned
    assert files_with(file.parent, name, account) == []
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT data FROM artifact").fetchone() == ("| forgotten | moved | salesforce forgotten |",)
