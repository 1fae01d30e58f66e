"""What a book has around companies and deals, as a portal shows it: tickets, products, line items, roles, goals."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.seed import seeded_book
from tests.contract.hubspot_world import Front, open_front

NOW = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)
STAGES = {"new": "1", "working": "3", "escalated": "1180000001", "closed": "4"}


@pytest.fixture(scope="module")
def book() -> Book:
    """A book of 80 accounts, which no test changes."""
    return seeded_book(80, NOW)


@pytest.fixture(scope="module")
def front(book: Book) -> Iterator[Front]:
    """Its portal, which no test changes."""
    with open_front() as opened:
        opened.show(Portal.from_book(book, Clock(NOW)))
        yield opened


def listed(front: Front, kind: str, properties: str) -> dict[str, dict[str, Any]]:
    """All records of a kind, by id, with their properties."""
    rows: dict[str, dict[str, Any]] = {}
    query = f"limit=100&properties={properties}"
    after = ""
    while True:
        page = front.get(f"/crm/v3/objects/{kind}?{query}{after}").json()
        rows |= {row["id"]: row["properties"] for row in page["results"]}
        if "paging" not in page:
            return rows
        after = f"&after={page['paging']['next']['after']}"


def linked(front: Front, source: str, target: str, ids: list[str]) -> dict[str, dict[int, list[Any]]]:
    """Links of records: id -> id of the other -> labels, the plain one among them."""
    body = {"inputs": [{"id": i} for i in ids]}
    answer = front.post(f"/crm/v4/associations/{source}/{target}/batch/read", body).json()
    return {
        row["from"]["id"]: {to["toObjectId"]: [t["label"] for t in to["associationTypes"]] for to in row["to"]}
        for row in answer["results"]
    }


@pytest.mark.parametrize(
    ("kind", "pick"),
    [
        ("tickets", lambda book: book.around.issues),
        ("products", lambda book: book.around.products),
        ("line_items", lambda book: book.around.items),
        ("contacts", lambda book: book.people),
        ("calls", lambda book: [t for t in book.touches if t.kind == "call" and not t.deleted]),
    ],
)
def test_the_client_library_pages_through_each_kind(front: Front, book: Book, kind: str, pick: Any) -> None:
    """hubspot-api-client's own typed paging sees what the book has, each once."""
    api = front.api(lambda c: c.crm.objects.basic_api)
    found = []
    after = None
    while True:
        page = api.get_page(kind, limit=100, after=after)
        found += [row.id for row in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    expected = [str(hubspot_id(kind, one.id)) for one in pick(book)]
    assert Counter(found) == Counter(expected)


def test_an_issue_is_a_ticket_in_the_support_pipeline(front: Front, book: Book) -> None:
    """Its state is a stage, its priority one of HubSpot's, its close date that of the book."""
    rows = listed(front, "tickets", "subject,hs_pipeline_stage,hs_ticket_priority,closed_date,time_to_close")
    assert {issue.state for issue in book.around.issues} == set(STAGES)
    for issue in book.around.issues:
        row = rows[str(hubspot_id("tickets", issue.id))]
        assert (row["subject"], row["hs_pipeline_stage"]) == (issue.subject, STAGES[issue.state])
        assert row["hs_ticket_priority"] == issue.priority.upper()
        assert (row["closed_date"] is None) == (row["time_to_close"] is None) == (issue.closed_at is None)


def test_the_stages_of_tickets_say_whether_they_are_open(front: Front) -> None:
    """`ticketState` in the metadata; a stage that an administrator added has a large number as its id."""
    [pipeline] = front.get("/crm/v3/pipelines/tickets").json()["results"]
    assert [(stage["id"], stage["metadata"]["ticketState"]) for stage in pipeline["stages"]] == [
        ("1", "OPEN"),
        ("2", "OPEN"),
        ("3", "OPEN"),
        ("1180000001", "OPEN"),
        ("4", "CLOSED"),
    ]
    assert [stage["displayOrder"] for stage in pipeline["stages"]] == [0, 1, 2, 3, 4]


def test_a_ticket_has_its_company_and_its_person(front: Front, book: Book) -> None:
    """The company as the primary one; an issue that nobody in particular raised has no contact."""
    issues = book.around.issues
    ids = [str(hubspot_id("tickets", issue.id)) for issue in issues]
    companies, people = linked(front, "tickets", "companies", ids), linked(front, "tickets", "contacts", ids)
    for ticket, issue in zip(ids, issues, strict=True):
        assert companies[ticket] == {hubspot_id("companies", issue.company): [None, "Primary"]}
        person = {} if issue.person is None else {hubspot_id("contacts", issue.person): [None]}
        assert people.get(ticket, {}) == person


def test_an_activity_about_an_issue_hangs_on_its_ticket(front: Front, book: Book) -> None:
    """And on the company too, as HubSpot sees to it by itself."""
    touch = next(t for t in book.touches if t.issue is not None and not t.deleted)
    task = str(hubspot_id("tasks", touch.id))
    assert linked(front, "tasks", "tickets", [task])[task] == {hubspot_id("tickets", touch.issue or 0): [None]}
    assert linked(front, "tasks", "companies", [task])[task] == {hubspot_id("companies", touch.company or 0): [None]}


def test_the_items_of_a_deal_add_up_to_its_amount(front: Front, book: Book) -> None:
    """In the deal's currency; each names the product it is of."""
    names = "quantity,price,amount,hs_product_id,hs_sku,hs_line_item_currency_code"
    rows = listed(front, "line_items", names)
    products = listed(front, "products", "name,hs_sku,price,hs_status")
    deals = listed(front, "deals", "amount,deal_currency_code,hs_num_of_associated_line_items")
    ids = list(rows)
    of = {item: str(next(iter(to))) for item, to in linked(front, "line_items", "deals", ids).items()}
    totals: dict[str, Decimal] = {}
    for item, row in rows.items():
        deal = deals[of[item]]
        assert row["hs_sku"] == products[row["hs_product_id"]]["hs_sku"]
        assert row["hs_line_item_currency_code"] == deal["deal_currency_code"]
        assert Decimal(row["amount"]) == Decimal(row["quantity"]) * Decimal(row["price"])
        totals[of[item]] = totals.get(of[item], Decimal(0)) + Decimal(row["amount"])
    assert len(totals) == len({item.deal for item in book.around.items})
    assert {deal: Decimal(deals[deal]["amount"]) for deal in totals} == totals
    assert Counter(of.values()) == {d: int(deals[d]["hs_num_of_associated_line_items"]) for d in totals}


def test_the_part_a_person_plays_in_a_deal_is_a_label(front: Front, book: Book) -> None:
    """One that the portal defined; beside it stands the plain link, and the contact's buying role."""
    roles = book.around.roles
    deals = linked(front, "deals", "contacts", list({str(hubspot_id("deals", role.deal)) for role in roles}))
    contacts = listed(front, "contacts", "hs_buying_role,jobtitle")
    for role in roles:
        person = hubspot_id("contacts", role.person)
        assert role.name in deals[str(hubspot_id("deals", role.deal))][person]
        assert None in deals[str(hubspot_id("deals", role.deal))][person]
        assert contacts[str(person)]["hs_buying_role"]
    somebody = next(role for role in roles if role.name == "Economic Buyer")
    assert "BUDGET_HOLDER" in contacts[str(hubspot_id("contacts", somebody.person))]["hs_buying_role"].split(";")
    without = {str(hubspot_id("contacts", person.id)) for person in book.people} - {
        str(hubspot_id("contacts", role.person)) for role in roles
    }
    assert {contacts[i]["hs_buying_role"] for i in without} == {None}


def test_a_second_company_of_a_person_is_labelled_and_not_primary(front: Front, book: Book) -> None:
    """The company where somebody works stays the primary one."""
    one = book.around.affiliations[0]
    person = next(person for person in book.people if person.id == one.person)
    contact = str(hubspot_id("contacts", one.person))
    assert linked(front, "contacts", "companies", [contact])[contact] == {
        hubspot_id("companies", person.company): [None, "Primary"],
        hubspot_id("companies", one.company): [None, one.roles[0]],
    }


def test_goals_are_what_the_plans_of_a_seller_are_to_bring(front: Front, book: Book) -> None:
    """One for each seller and year: quotas belong to users, not to companies."""
    rows = listed(front, "goal_targets", "hs_goal_name,hs_target_amount,hubspot_owner_id,hs_start_datetime")
    expected: dict[str, Decimal] = {}
    for plan in book.around.plans:
        owner = str(hubspot_id("owners", plan.owner))
        targets = (m.target for objective in plan.objectives for m in objective.measures if m.kind == "money")
        expected[owner] = expected.get(owner, Decimal(0)) + sum(targets)
    assert {row["hubspot_owner_id"]: Decimal(row["hs_target_amount"]) for row in rows.values()} == expected
    assert {(row["hs_goal_name"], row["hs_start_datetime"]) for row in rows.values()} == {
        ("New business 2026", "2025-12-31T23:00:00.000Z")
    }


def test_a_ticket_that_is_closed_and_opened_again(book: Book) -> None:
    """Takes a close date by itself, and loses it."""
    there = Portal.from_book(book, Clock(NOW))
    made = there.create("tickets", {"subject": "Noise", "hs_pipeline": "0", "hs_pipeline_stage": "1"})
    there.update("tickets", made.id, {"hs_pipeline_stage": "4"})
    assert there.value(made, "closed_date") == "2026-11-24T06:00:00.000Z"
    there.update("tickets", made.id, {"hs_pipeline_stage": "3"})
    assert not there.value(made, "closed_date")
