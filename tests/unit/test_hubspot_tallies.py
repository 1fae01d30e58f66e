"""What came, by ranges of ids, in memory that does not grow."""

import pytest

from connectors.hubspot import tallies
from connectors.hubspot.tallies import added, came, less, parts


@pytest.fixture
def _three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST", 3)


def test_ranges_cover_all_ids() -> None:
    """From the first to the highest that is known: what a list left out before its first row lies there, too."""
    assert parts((), 90) == [(1, 90, 0)]
    assert parts(((10, 5), (40, 6)), 90) == [(1, 39, 5), (40, 90, 6)]
    assert parts(((10, 5), (40, 6), (95, 0)), 90) == [(1, 39, 5), (40, 90, 6)]


def test_what_came_is_put_where_it_begins() -> None:
    """In whichever order threads bring it."""
    assert added(added((), 40, 6, ()), 10, 5, ()) == ((10, 5), (40, 6))


@pytest.mark.usefixtures("_three")
def test_the_smallest_neighbours_become_one() -> None:
    """When there are too many."""
    assert added(((10, 5), (40, 1), (60, 2)), 80, 9, ()) == ((10, 5), (40, 3), (80, 9))


@pytest.mark.usefixtures("_three")
def test_neighbours_with_unread_ids_between_them_stay_apart() -> None:
    """What comes of those falls between them."""
    assert added(((10, 5), (40, 1), (60, 2)), 80, 9, (50,)) == ((10, 6), (60, 2), (80, 9))
    assert len(added(((10, 5), (40, 1), (60, 2)), 80, 9, (20, 50, 70))) == 4


def test_what_went_away_is_taken_off_its_range() -> None:
    """Below the first range it is the first."""
    told = less(((10, 5), (40, 6)), (3, 39, 40))
    assert told == ((10, 3), (40, 5))
    assert came(told) == 8
    assert less((), (3,)) == ()
