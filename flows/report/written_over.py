"""Tells where a write went over what a person had entered in the moment before it: accounts and fields, no values."""

from __future__ import annotations

from collections.abc import Sequence

from flows.results import ApplyReceipt

_UNSEEN = "written without seeing what people entered meanwhile: the CRM shows no history of these fields (see the log)"
HEAD = ("CRM", "account", "fields", "what became of it")


def over_rows(receipts: Sequence[ApplyReceipt]) -> list[tuple[str, str, str, str]]:
    """Under HEAD, an account a row; the accounts that a receipt does not name are counted."""
    rows = []
    for receipt in receipts:
        rows += [
            (receipt.source, one.source_id, ", ".join(one.fields), _what_became(is_back=one.is_back))
            for one in receipt.overwrites
        ]
        unnamed = receipt.overwritten - sum(len(one.fields) for one in receipt.overwrites)
        if unnamed > 0:
            rows.append((receipt.source, "others", f"{unnamed:,} cells", "see the cells of the plan"))
        if receipt.unseen:
            rows.append((receipt.source, "not named", f"{receipt.unseen:,} cells", _UNSEEN))
    return rows


def _what_became(*, is_back: bool) -> str:
    if is_back:
        return "a person's value was written over in the moment it was entered, and put back"
    return "a person's value was written over and could not be put back: ask who edited it"
