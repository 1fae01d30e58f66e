"""The invented book: the same each time, and with one of everything a CRM can hold."""

import datetime as dt
import random
from collections import Counter
from decimal import Decimal

import pytest

from connectors.sandbox.book import Book
from connectors.sandbox.seed import allotted, seeded_book
from connectors.sandbox.seeding import hostile

NOW = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)
OPEN = {"qualification", "needs_analysis", "proposal", "negotiation"}


@pytest.fixture(scope="module")
def book() -> Book:
    """A book of 200 accounts."""
    return seeded_book(200, NOW)


def test_the_same_size_moment_and_seed_give_the_same_book() -> None:
    """Nothing is left to chance; another seed is another company."""
    assert seeded_book(40, NOW) == seeded_book(40, NOW)
    assert seeded_book(40, NOW).companies != seeded_book(40, NOW, seed=8).companies


def test_a_book_has_five_deals_and_twenty_activities_per_account(book: Book) -> None:
    """The totals are exact, so that figures of two runs can be compared."""
    live = [c for c in book.companies if not c.deleted and c.merged_into is None]
    assert (len(live), len(book.deals), len(book.touches)) == (200, 1_000, 4_000)
    assert [c.id for c in live] == list(range(1, 201))
    assert [d.id for d in book.deals] == list(range(1, 1_001))
    assert len({t.id for t in book.touches}) == 4_000


def test_a_book_too_small_for_its_oddities_is_refused() -> None:
    """Forty accounts are the least."""
    with pytest.raises(ValueError, match="at least 40 accounts, not 39"):
        seeded_book(39, NOW)


def test_nothing_was_recorded_after_now(book: Book) -> None:
    """Created and changed by now, changes in order, what is done lies in the past; plans lie ahead."""
    for record in (*book.companies, *book.deals, *book.touches):
        assert record.created_at <= record.updated_at <= NOW
    for deal in book.deals:
        assert [c.at for c in deal.changes] == sorted(c.at for c in deal.changes)
        assert deal.changes[0].at == deal.created_at
        assert deal.changes[-1].at <= NOW
    assert all(touch.at <= NOW for touch in book.touches if touch.done)
    assert any(touch.at > NOW for touch in book.touches)


def test_business_covers_three_years_open_won_and_lost(book: Book) -> None:
    """Each of the three years has won and lost deals; open ones are expected soon, or were."""
    kinds = Counter(d.changes[-1].stage for d in book.deals)
    assert kinds["won"] > 300
    assert kinds["lost"] > 150
    assert sum(kinds[stage] for stage in OPEN) > 100
    for years in (0, 1, 2):
        first, last = NOW.date() - dt.timedelta(365 * years + 365), NOW.date() - dt.timedelta(365 * years)
        closed = [d for d in book.deals if d.changes[-1].close_on and first < d.changes[-1].close_on <= last]
        assert {"won", "lost"} <= {d.changes[-1].stage for d in closed}
    opened = [d.changes[-1].close_on for d in book.deals if d.changes[-1].stage in OPEN]
    assert min(d for d in opened if d) < NOW.date() < max(d for d in opened if d)


def test_business_has_seasons(book: Book) -> None:
    """December closes at least twice what August does."""
    months = Counter(d.changes[-1].close_on.month for d in book.deals if d.changes[-1].close_on)
    assert months[12] > 2 * months[8]


def test_a_few_accounts_make_much_of_the_business(book: Book) -> None:
    """The four stars of two hundred accounts won more than a fifth of all that was won."""
    won: Counter[int] = Counter()
    for deal in book.deals:
        if deal.company and deal.changes[-1].stage == "won":
            won[deal.company] += int((deal.changes[-1].amount or 0) * _rate(deal.currency))
    top = sum(amount for _, amount in won.most_common(4))
    assert top / sum(won.values()) > 0.2


def test_there_are_customers_prospects_partners_and_competitors(book: Book) -> None:
    """Prospects have bought nothing; some accounts have no kind."""
    assert {c.kind for c in book.companies} == {"Customer", "Prospect", "Partner", "Competitor", None}
    prospects = {c.id for c in book.companies if c.kind == "Prospect"}
    assert not [d for d in book.deals if d.company in prospects and d.changes[-1].stage == "won"]


def test_families_have_levels_a_ring_and_a_company_of_its_own(book: Book) -> None:
    """Five levels in one group, three companies in a ring, one its own parent, one with a deleted parent."""
    parent = {c.id: c.parent for c in book.companies if c.parent}
    assert sum(parent[c] == c for c in parent) == 1
    rings = [c for c in parent if c != parent[c] and c == parent.get(parent.get(parent[c], 0) or 0)]
    assert len(rings) == 3
    assert max(_levels(c, parent) for c in parent if c not in rings and parent[c] != c) == 5
    deleted = {c.id for c in book.companies if c.deleted}
    assert sum(p in deleted for p in parent.values()) == 1


def test_some_records_were_merged_some_deleted(book: Book) -> None:
    """One loser was merged into another loser; a deleted company took its deals along."""
    merged = {c.id: c.merged_into for c in book.companies if c.merged_into}
    assert len(merged) == 3
    assert sum(into in merged for into in merged.values()) == 1
    deleted = {c.id for c in book.companies if c.deleted}
    assert len(deleted) == 3
    deals = [d for d in book.deals if d.company in deleted]
    assert len(deals) == 3
    assert all(d.deleted for d in deals)
    assert any(d.deleted for d in book.deals if d.company not in deleted)
    assert any(t.deleted for t in book.touches)


def test_an_owner_who_left_still_owns(book: Book) -> None:
    """Companies, deals and activities are theirs, but no activity of the last year."""
    left = [s.id for s in book.sellers if not s.active]
    assert len(left) == 1
    assert any(c.owner in left for c in book.companies)
    assert any(d.owner in left for d in book.deals)
    assert any(t.owner in left for t in book.touches)


def test_bulk_loads_share_one_stamp(book: Book) -> None:
    """Half of the accounts came in at one moment, and a third was changed at another."""
    (_, created), *_ = Counter(c.created_at for c in book.companies).most_common(1)
    (_, updated), *_ = Counter(c.updated_at for c in book.companies).most_common(1)
    assert created >= 100
    assert updated >= 50


def test_values_are_missing_and_dated_back(book: Book) -> None:
    """Deals closed before they were created, won and open deals without amount, accounts without industry."""
    last = [(d, d.changes[-1]) for d in book.deals]
    assert any(c.stage == "won" and c.close_on and c.close_on < d.created_at.date() for d, c in last)
    assert any(c.stage in OPEN and c.amount is None for _, c in last)
    assert any(d.company is None for d in book.deals)
    assert any(d.currency is None for d in book.deals)
    for name in ("industry", "kind", "country", "employees", "annual_revenue", "domain"):
        assert any(getattr(c, name) is None for c in book.companies), name
    assert any(len({c.amount for c in d.changes}) > 1 for d in book.deals)


def test_currencies_have_dated_rates_that_no_crm_rounds(book: Book) -> None:
    """Four currencies beside the euro, each with three rates; a rate and its reciprocal have at most six decimals."""
    assert Counter(r.currency for r in book.rates) == {"USD": 3, "GBP": 3, "MXN": 3, "JPY": 3}
    assert {c.currency for c in book.companies} == {"EUR", "USD", "GBP", "MXN", "JPY"}
    for rate in book.rates:
        assert rate.in_home == round(rate.in_home, 6)
        assert round(1 / rate.in_home, 6) * rate.in_home == 1
    oldest = min(r.valid_from for r in book.rates)
    assert oldest < min(c.close_on for d in book.deals for c in d.changes if c.close_on)


def test_every_hostile_text_is_in_the_book(book: Book) -> None:
    """One account each, one person, one deal, one activity, one reason; the first is on a star."""
    names = {c.name for c in book.companies}
    assert len(hostile.NAMES) == 16
    assert set(hostile.NAMES.values()) <= {name if len(name) < 200 else hostile.NAMES["long"] for name in names}
    assert hostile.PERSON in {p.name for p in book.people}
    assert hostile.DEAL in {d.name for d in book.deals}
    assert hostile.LOST_REASON in {d.lost_reason for d in book.deals}
    assert hostile.SUBJECT in {t.subject for t in book.touches if not t.deleted}
    assert Counter(c.name for c in book.companies if not c.merged_into).most_common(1)[0][1] == 2


def test_activities_are_of_every_kind(book: Book) -> None:
    """Done and planned, in and out, with nobody, one or two people, about deals or not, entered days later."""
    touches = book.touches
    assert {t.kind for t in touches} == {"call", "email", "meeting", "note", "task"}
    assert {t.inbound for t in touches} == {True, False, None}
    assert {len(t.people) for t in touches} == {0, 1, 2}
    assert {t.deal is None for t in touches} == {True, False}
    assert any(t.kind == "task" and not t.done and t.at < NOW for t in touches)
    assert any(t.created_at - t.at > dt.timedelta(days=1) for t in touches)
    owners = {d.id: d.company for d in book.deals}
    assert all(owners[t.deal] == t.company for t in touches if t.deal)
    employers = {p.id: p.company for p in book.people}
    assert all(employers[p] == t.company for t in touches for p in t.people)


def test_only_a_meeting_entered_twice_repeats_person_day_and_kind(book: Book) -> None:
    """Salesforce knows one person of an activity: where two activities look alike, they are alike in both CRMs."""
    alike: dict[tuple[object, ...], set[tuple[int, ...]]] = {}
    for t in book.touches:
        if t.people:
            alike.setdefault((t.kind, t.at.date(), t.people[0]), set()).add(t.people)
    repeated = Counter((t.kind, t.at.date(), t.people[0]) for t in book.touches if t.people)
    assert {kind for (kind, *_), count in repeated.items() if count > 1} == {"meeting"}
    assert all(len(people) == 1 for people in alike.values())


def test_an_allotment_adds_up() -> None:
    """Whole numbers by weight, and nothing where the weight is nothing."""
    counts = allotted([1, 0, 3], 9, random.Random(1))
    assert sum(counts) == 9
    assert counts[1] == 0
    assert counts[2] >= 6


def _rate(currency: str | None) -> Decimal:
    rates = {"USD": "0.8", "GBP": "1.25", "MXN": "0.05", "JPY": "0.00625"}
    return Decimal(rates.get(currency or "EUR", "1"))


def _levels(company: int, parent: dict[int, int]) -> int:
    levels = 1
    while company in parent and levels < 20:
        company, levels = parent[company], levels + 1
    return levels
