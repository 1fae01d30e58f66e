"""What is told where a write went over what a person had entered."""

from flows.report.written_over import over_rows
from flows.results import ApplyReceipt, Overwritten


def test_accounts_and_fields_are_named_and_the_rest_is_counted() -> None:
    """Each with what became of it; a receipt without any has no rows."""
    named = (Overwritten("1", ("score", "tier"), is_back=True), Overwritten("2", ("tier",), is_back=False))
    receipt = ApplyReceipt("p", "hubspot", 9, 0, 0, 0, 4, 1.0, overwritten=1_503, overwrites=named)
    rows = over_rows([ApplyReceipt("q", "salesforce", 9, 0, 0, 0, 4, 1.0), receipt])
    assert [row[:3] for row in rows] == [
        ("hubspot", "1", "score, tier"),
        ("hubspot", "2", "tier"),
        ("hubspot", "others", "1,500 cells"),
    ]
    assert ["put back" in row[3] for row in rows] == [True, True, False]
    assert "could not be put back" in rows[1][3]


def test_cells_that_nobody_could_look_behind_are_counted() -> None:
    """Also where nothing else is to be told."""
    receipt = ApplyReceipt("p", "salesforce", 9, 0, 0, 0, 4, 1.0, unseen=1_204)
    ((_, _, cells, told),) = over_rows([receipt])
    assert cells == "1,204 cells"
    assert "without seeing" in told
