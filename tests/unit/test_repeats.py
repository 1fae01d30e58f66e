"""Rows that a query sends a second time are noticed, on one page or on two."""

import pytest

from connectors.errors import ShortAnswer
from connectors.repeats import Repeats


def test_each_row_comes_once() -> None:
    """However many pages there are."""
    repeats = Repeats("a query")
    for page in (["1", "2"], [], ["3"]):
        repeats.check(page)


@pytest.mark.parametrize(
    "pages", [(["1", "2"], ["3"], ["1", "2"]), (["1", "2", "1", "2"],), (["1", "2"], ["2", "1", "3"])]
)
def test_a_row_that_comes_again_ends_it(pages: tuple[list[str], ...]) -> None:
    """Others are missing in its place."""
    *before, last = pages
    repeats = Repeats("a query")
    for page in before:
        repeats.check(page)
    with pytest.raises(ShortAnswer, match="a query sent 2 rows a second time"):
        repeats.check(last)
