"""From what was written into CRMs to one digest per owner, as files: who is told of what, and how often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in, two_crms
from connectors.sandbox.salesforce.settings import OrgSettings, ValidationRule
from flows.pipeline import digesting
from flows.results import ApplyReceipt
from kammodel.entities import Account, User
from kammodel.identity import COLUMNS, account_groups
from kammodel.publish.digest import Digest
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN

SIZE = 40
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Story:
    """An org over two days. `first`: the digests of its first run. `killed`: those of the next day's second run, in
    the first of which somebody's tier was written and the digests were not; `page` is the file's text then. `back`:
    those of a third run, in which the tier was taken back."""

    account: str
    first: tuple[digesting.Kept, ...]
    killed: tuple[digesting.Kept, ...]
    page: str
    back: tuple[digesting.Kept, ...]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that has read and scored two CRMs."""
    folder = tmp_path_factory.mktemp("stored")
    with office(two_crms(small_book(SIZE), Clock(NOW), org_settings=OrgSettings(**LEAN)), folder) as desk:
        desk.pull()
        desk.score()
    return folder / "kam.db"


@pytest.fixture
def desk(stored: Path, tmp_path: Path) -> Iterator[Office]:
    """The same moment; our fields are there, and empty; the plans are made."""
    company = two_crms(small_book(SIZE), Clock(NOW), org_settings=OrgSettings(**LEAN))
    with office(company, tmp_path, stored) as opened:
        opened.provision()
        opened.plan()
        yield opened


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    company = same_in(small_book(SIZE), Clock(NOW), "salesforce", org_settings=OrgSettings(**LEAN))
    with office(company, folder) as desk:
        desk.provision()
        first = keep(desk, folder, desk.run()[3])
        account = next(id_ for id_, fields in desk.held_by("salesforce").items() if fields["tier"] == "growth")
        desk.clock.advance(DAY)
        set_by_hand(desk, account, "strategic")
        desk.run()
        killed = keep(desk, folder, desk.run()[3])
        page = "".join(one.file.read_text("utf-8") for one in killed if one.file)
        set_by_hand(desk, account, "growth")
        yield Story(account, first, killed, page, keep(desk, folder, desk.run()[3]))


def set_by_hand(desk: Office, account: str, tier: str) -> None:
    """Somebody says in the CRM which tier counts; the next run is an hour later."""
    org = desk.served.company.org
    assert org is not None
    org.update("Account", account, {"KAM_Tier_Override__c": tier, "KAM_Tier_Override_Reason__c": "because"})
    desk.clock.advance(HOUR)


def pages(desk: Office) -> digesting.Pages:
    return {one.name: one.record_url for one in desk.connectors}


def of_day(desk: Office, crm: str | None = None) -> tuple[Digest, ...]:
    return digesting.digests_of_day(desk.store, desk.config(), pages(desk), crm=crm)


def keep(desk: Office, folder: Path, applied: list[ApplyReceipt]) -> tuple[digesting.Kept, ...]:
    """What a run does at its end."""
    ids = [one.plan_id for one in applied]
    return digesting.keep_digests(desk.store, desk.config(), lambda: pages(desk), folder, ids)


def companies_with_tier(desk: Office) -> int:
    """How many companies hold a tier in some CRM."""
    held = {(name, id_) for name in ("salesforce", "hubspot") for id_, f in desk.held_by(name).items() if f["tier"]}
    members = account_groups(desk.store.read(Account, list(COLUMNS)), "salesforce").members
    rows = members.select("source", "source_id", "company").iter_rows()
    return len({company for source, id_, company in rows if (source, id_) in held})


def test_digests_tell_what_stands_in_the_crms(desk: Office) -> None:
    """Every company with a tier is in one digest, with the tier that its page shows; before, nobody is told a thing."""
    assert of_day(desk) == ()
    desk.apply()
    made = of_day(desk)
    told = {page: change.after for one in made for change in one.changes for page in change.pages.values()}
    held = {one.record_url(id_): f["tier"] for one in desk.connectors for id_, f in desk.held_by(one.name).items() if f}
    assert told == {page: held[page] for page in told}
    assert sum(change.accounts for one in made for change in one.changes) == companies_with_tier(desk) > 20
    assert {one.unwritten for one in made} == {0}
    assert all(change.reason and change.coverage for one in made for change in one.changes)


def test_an_owner_is_called_as_in_the_crm(desk: Office) -> None:
    desk.apply()
    users = desk.store.read(User, ["source", "source_instance", "source_id", "name"])
    names = {f"{source}:{instance}:{id_}": name for source, instance, id_, name in users.iter_rows()}
    made = of_day(desk)
    assert len(made) > 2
    assert {one.kam: one.owner for one in made if one.kam} == {one.kam: names[one.kam] for one in made if one.kam}


def test_files_are_written_once_and_only_told_of_when_new(desk: Office, tmp_path: Path) -> None:
    """An apply that goes on with nothing, and a plan that wants nothing, tell nobody anything."""
    folder = tmp_path / "digests"
    kept = keep(desk, folder, desk.apply())
    assert [one.file for one in kept] == [folder / "2026-03-02" / f"{one.digest.slug}.md" for one in kept]
    assert all(one.file and one.file.read_text("utf-8").startswith("# Tier changes: ") for one in kept)
    assert keep(desk, folder, desk.apply()) == ()
    desk.plan()
    assert keep(desk, folder, desk.apply()) == ()


def test_what_the_crm_refuses_is_in_no_digest(desk: Office) -> None:
    """Changes of HubSpot are told; those that Salesforce refused are only counted."""
    org = desk.served.company.org
    assert org is not None
    org.settings.validation_rules.append(ValidationRule("Account", bool))
    refused, _ = desk.apply()
    assert refused.written == 0
    made = of_day(desk)
    assert {crm for one in made for change in one.changes for crm in change.crms} == {"hubspot"}
    assert sum(one.unwritten for one in made) > 0
    assert of_day(desk, "salesforce") == ()
    assert of_day(desk, "hubspot") == tuple(replace(one, unwritten=0) for one in made)


def test_a_folder_that_cannot_be_written_fails_nothing(desk: Office, tmp_path: Path) -> None:
    """The digests are there all the same, and say what to do."""
    (tmp_path / "digests").write_text("a file is in the way")
    kept = keep(desk, tmp_path / "digests", desk.apply())
    assert kept
    assert {one.file for one in kept} == {None}
    assert all("kam digest --out" in str(one.fault) for one in kept)


def test_a_change_goes_to_its_owner_alone(story: Story) -> None:
    """A later day's digest has one line, and nobody else has one; the run that wrote it was killed before it told."""
    (kept,) = story.killed
    (change,) = kept.digest.changes
    assert (change.before, change.after, change.section) == ("growth", "strategic", "up")
    assert story.account in change.pages["salesforce"]
    assert kept.digest.slug in {one.digest.slug for one in story.first}
    assert "Growth | **Strategic**" in story.page
    assert (kept.digest.as_of, len(story.first) > 1) == (NOW.date() + DAY, True)


def test_who_was_told_of_a_change_hears_that_it_was_taken_back(story: Story) -> None:
    """On the same page, which now says so."""
    (kept,), (before,) = story.back, story.killed
    (change,) = kept.digest.changes
    assert (kept.file, change.before, change.after, change.section) == (before.file, "strategic", "growth", "back")
    assert kept.file is not None
    assert "Taken back" in kept.file.read_text("utf-8")
