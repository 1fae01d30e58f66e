"""The HubSpot connector reads what stands around companies and deals: persons, tickets, items, products, messages."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Slice
from connectors.errors import PermissionMissing
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping_file import Choice, MappingInvalid, Overrides
from connectors.retry import Patience
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN, ALL_SCOPES
from connectors.sandbox.surroundings import (
    Affiliation,
    Issue,
    Item,
    Measure,
    Objective,
    Plan,
    Product,
    Role,
    Surroundings,
)
from kammodel.entities import AccountPerson, OpportunityPerson
from tests.contract.hubspot_copy import Copy, connected, read_all, read_stream, stream_of
from tests.contract.hubspot_world import NOW, Front, day, open_front, portal, small_book

EVERYTHING = Slice(None, NOW + dt.timedelta(seconds=1))
AROUND = Surroundings(
    issues=[
        Issue(1, 1, 1, 1, day(40), day(30), "closed", "Broken pump", priority="High", closed_at=day(30)),
        Issue(2, 2, None, 1, day(5), day(2), "escalated", "Late again", escalated=True),
    ],
    roles=[Role(1, 1, 1, "Economic Buyer", day(50)), Role(2, 3, 1, "Influencer", day(50))],
    affiliations=[Affiliation(1, 1, 6, day(80), roles=("Board member",))],
    products=[Product(1, "Pump", "P-1", Decimal(750))],
    items=[Item(1, 1, 1, 2, Decimal(750), day(60))],
    plans=[
        Plan(
            *(1, 1, 1, "Alpha 2026", dt.date(2026, 1, 1), dt.date(2026, 12, 31), day(90)),
            objectives=(Objective(1, "Grow", "new", (Measure(1, "Revenue", "money", Decimal("90000.50")),)),),
        )
    ],
)
ALPHA, IBERIA, _, BETA, _, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
FIRST, SECOND, THIRD = (str(hubspot_id("deals", n)) for n in range(1, 4))
CARLA, DAN = (str(hubspot_id("contacts", n)) for n in (1, 2))
BROKEN, LATE = (str(hubspot_id("tickets", n)) for n in (1, 2))
PUMP, ITEM = str(hubspot_id("products", 1)), str(hubspot_id("line_items", 1))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def around(**settings: Any) -> Portal:
    return portal(replace(small_book(), around=AROUND), **settings)


@pytest.fixture(scope="module")
def copied(front: Front) -> Copy:
    """The portal, read in full once: only looked at by the tests."""
    front.show(around())
    with connected(front) as connector:
        return read_all(
            connector, Copy(), EVERYTHING, ("contacts", "opportunities", "tickets", "line_items", "products", "goals")
        )


def chosen(front: Front, **streams: dict[str, Choice]) -> HubSpotConnector:
    """A connector with a mapping file."""
    settings = HubSpotSettings(base_url=front.url, access_token=SecretStr(ACCESS_TOKEN))
    overrides = Overrides("kam.toml", "hubspot", streams)
    return HubSpotConnector(settings, patience=Patience(sleep=lambda _: None), overrides=overrides)


def test_contacts_are_persons_of_their_primary_company(copied: Copy) -> None:
    """With title and what they are in purchases; of names and addresses nothing is read."""
    assert copied.rejects == []
    person = copied.rows("person")[CARLA]
    assert (person["account_id"], person["title"], person["deleted"]) == (ALPHA, "CFO", False)
    assert person["buying_roles"] == "BUDGET_HOLDER;INFLUENCER"
    assert copied.rows("person")[DAN]["account_id"] == BETA
    assert set(person) & {"name", "first_name"} == set()
    assert (person["email"], person["email_hash"]) == (None, None)


def test_a_person_has_to_do_with_several_companies(copied: Copy) -> None:
    """Each link is a row, with the labels that the portal gives it; Primary says where the person works."""
    rows = copied.rows("account_person")
    assert {i: (r["account_id"], r["person_id"], r["roles"], r["is_direct"]) for i, r in rows.items()} == {
        f"{CARLA}:{ALPHA}": (ALPHA, CARLA, None, True),
        f"{CARLA}:{ACME}": (ACME, CARLA, "Board member", False),
        f"{DAN}:{BETA}": (BETA, DAN, None, True),
    }


def test_persons_play_a_part_in_deals(copied: Copy) -> None:
    """The label of the link is the role."""
    rows = copied.rows("opportunity_person")
    assert {(r["opportunity_id"], r["person_id"], r["role"]) for r in rows.values()} >= {
        (FIRST, CARLA, "Economic Buyer"),
        (THIRD, CARLA, "Influencer"),
    }


def test_tickets_are_cases(copied: Copy) -> None:
    """Closed is what the stage says; the company is the primary one."""
    closed, open_ = copied.rows("support_case")[BROKEN], copied.rows("support_case")[LATE]
    assert (closed["account_id"], closed["person_id"], closed["priority"]) == (ALPHA, CARLA, "HIGH")
    assert (closed["status"], closed["is_closed"], closed["opened_at"], closed["closed_at"]) == (
        "Closed",
        True,
        day(40),
        day(30),
    )
    assert (open_["status"], open_["is_closed"], open_["closed_at"], open_["person_id"]) == (
        "Escalated",
        False,
        None,
        None,
    )


def test_line_items_and_products(copied: Copy) -> None:
    """What was sold in which deal, at which price."""
    item, product = copied.rows("line_item")[ITEM], copied.rows("product")[PUMP]
    assert (item["opportunity_id"], item["product_id"], item["quantity"]) == (FIRST, PUMP, 2.0)
    assert (item["list_price"], item["unit_price"], item["amount"], item["discount_share"]) == (
        7_500_000,
        7_500_000,
        15_000_000,
        None,
    )
    assert (product["name"], product["code"], product["is_active"]) == ("Pump", "P-1", True)


def test_streams_say_what_links_make_of_them(front: Front) -> None:
    """Which columns have to be looked at again, and whose parts come and go."""
    front.show(around())
    with connected(front) as connector:
        accounts, deals, contacts = (stream_of(connector, n) for n in ("accounts", "opportunities", "contacts"))
        assert all(name.startswith("accounts.kam_") for name in connector.unavailable())
    assert (accounts.linked, deals.linked, contacts.linked) == (("parent_id",), ("account_id",), ("account_id",))
    assert (deals.parts, contacts.parts) == (
        ((OpportunityPerson, "opportunity_id"),),
        ((AccountPerson, "person_id"),),
    )


def test_contacts_have_increments_by_a_stamp_of_their_own(front: Front) -> None:
    """HubSpot calls it otherwise than for any other kind, and answers the wrong name with nothing."""
    there = front.show(around())
    there.clock.advance(dt.timedelta(hours=1))
    there.update("contacts", CARLA, {"jobtitle": "CEO"})
    with connected(front) as connector:
        copy = Copy()
        read_stream(connector, copy, "contacts", Slice(NOW, there.clock.now() + dt.timedelta(seconds=1)))
    assert [(i, r["title"]) for i, r in copy.rows("person").items()] == [(CARLA, "CEO")]


def test_goals_are_targets_of_owners(copied: Copy) -> None:
    """A period has its first and its last day; the amount is in the portal's own currency."""
    (goal,) = copied.rows("target").values()
    assert (goal["owner_id"], goal["metric"]) == (str(hubspot_id("owners", 1)), "sales_quota")
    assert (goal["starts_on"], goal["ends_on"]) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert (goal["target_value"], goal["currency"]) == (90000.5, "EUR")


def test_persons_that_are_hidden_make_touches_unknown(front: Front) -> None:
    """Contacts a token may not see: activities are read without persons, and say so, rather than with none."""
    front.show(portal(absent_kinds=frozenset({"contacts"})))
    with connected(front) as connector:
        calls = stream_of(connector, "calls")
        assert "person_ids" not in calls.columns
        assert "grant crm.objects.contacts.read" in connector.unavailable()["calls.person_ids"]
        assert "contacts" in connector.unavailable()
        assert all(stream.name != "contacts" for stream in connector.streams())


@pytest.mark.parametrize(
    ("scope", "stream"),
    [
        ("tickets", "tickets"),
        ("crm.objects.line_items.read", "line_items"),
        ("crm.objects.products.read", "products"),
        ("crm.objects.goals.read", "goals"),
    ],
)
def test_a_scope_that_is_missing_costs_its_stream(front: Front, scope: str, stream: str) -> None:
    """It is named, and nothing else is lost."""
    front.show(around(scopes=ALL_SCOPES - {scope}))
    with connected(front) as connector:
        names = {s.name for s in connector.streams()}
        assert scope in connector.unavailable()[stream]
    assert stream not in names
    assert {"accounts", "opportunities", "calls", "contacts"} <= names


def test_without_companies_the_scope_is_named(front: Front) -> None:
    """Nothing can be done, and the message says what to grant."""
    front.show(around(scopes=ALL_SCOPES - {"crm.objects.companies.read"}))
    with connected(front) as connector, pytest.raises(PermissionMissing, match=r"crm\.objects\.companies\.read"):
        connector.streams()


@pytest.mark.parametrize(("state", "met"), [("0", None), ("1", False), ("2", None), ("3", True), ("4", False)])
def test_tickets_tell_their_service_level(front: Front, state: str, met: bool | None) -> None:
    """The first answer, the time agreed, and what HubSpot says of it where that is decided."""
    there = front.show(around())
    level = {"hs_time_to_close_sla_at": "2026-11-02T10:00:00Z", "hs_time_to_close_sla_status": state}
    there.update("tickets", LATE, {"first_agent_reply_date": "2026-11-01T10:00:00Z", **level})
    with connected(front) as connector:
        ticket = read_all(connector, Copy(), EVERYTHING, ("tickets",)).rows("support_case")[LATE]
    assert (ticket["first_response_at"].day, ticket["sla_due_at"].day) == (1, 2)
    assert ticket["is_sla_met"] is met


def test_a_mapping_file_points_at_the_portals_own_properties(front: Front) -> None:
    """A column is read from the property chosen, in the words chosen."""
    there = front.show(around())
    body = {"label": "x", "groupName": "contactinformation", "type": "string", "fieldType": "text"}
    front.post("/crm/v3/properties/contacts", body | {"name": "team"})
    there.update("contacts", CARLA, {"team": "Finance"})
    there.update("companies", ALPHA, {"hs_lead_status": "CONNECTED"})
    there.update("tickets", LATE, {"hs_ticket_category": "BILLING_ISSUE;PRODUCT_ISSUE"})
    connector = chosen(
        front,
        contacts={"department": Choice(field="team")},
        accounts={"type": Choice(field="hs_lead_status", words={"connected": "customer"})},
        tickets={"kind": Choice(field="hs_ticket_category", words={"billing_issue": "question"})},
    )
    copy = read_all(connector, Copy(), EVERYTHING, ("accounts", "contacts", "tickets"))
    connector.close()
    assert copy.rows("person")[CARLA]["department"] == "Finance"
    assert copy.rows("account")[ALPHA]["type"] == "customer"
    assert copy.rows("support_case")[LATE]["kind"] == "question"


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        ({"companies": {"type": Choice(field="x")}}, r"kam.toml, hubspot.companies: there is no such stream"),
        ({"accounts": {"typ": Choice(field="x")}}, r"hubspot.accounts.typ: there is no such column; did you mean type"),
        ({"accounts": {"name": Choice(field="domian")}}, r"have no property domian .*; did you mean domain"),
        ({"accounts": {"employees": Choice(field="domain")}}, r"domain is of type string; employees needs number"),
        ({"opportunities": {"amount": Choice(field="hs_acv")}}, r"cannot be read from another property"),
        ({"accounts": {"name": Choice(field="name", words={"a": "b"})}}, r"words are for columns of ours that hold"),
        ({"accounts": {"type": Choice(field="type", words={"a": "client"})}}, r"client is no word of ours"),
    ],
)
def test_a_mapping_file_is_checked_against_the_portal(front: Front, streams: Any, told: str) -> None:
    """What is wrong is named with its key, and the nearest name offered."""
    front.show(around())
    connector = chosen(front, **streams)
    with pytest.raises(MappingInvalid, match=told):
        connector.streams()
    connector.close()


def test_a_calculated_property_that_was_chosen_is_read_in_full_now_and_then(front: Front) -> None:
    """It changes without moving its record's stamp."""
    front.show(around())
    connector = chosen(front, accounts={"annual_revenue": Choice(field="num_associated_deals")})
    assert stream_of(connector, "accounts").drifting == ("num_associated_deals",)
    connector.close()
