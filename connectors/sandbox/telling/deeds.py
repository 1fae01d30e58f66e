"""What a person can do in a CRM, whichever it is, and what they see of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """A live account. `won` is the sum of its own won deals and `wins` their number.

    `alone`: it has neither parent nor subsidiaries. `counted`: no other CRM's figures stand for it.
    `at_home`: its deals are in the company's own currency.
    """

    id: str
    name: str
    won: Decimal
    wins: int
    alone: bool
    counted: bool
    at_home: bool


@dataclass(frozen=True, slots=True)
class SeenDeal:
    """An open deal of a live account."""

    id: str
    name: str
    account: str
    amount: Decimal


class Deeds(Protocol):
    """One CRM as its people use it: everything goes through the CRM's own write functions, at its clock's now."""

    crm: str

    @property
    def currency(self) -> str:
        """The company's own currency."""
        ...

    def accounts(self) -> list[SeenAccount]:
        """Live accounts, those who bought most first, equals by id."""
        ...

    def open_deals(self) -> list[SeenDeal]:
        """Open deals with an amount, in the company's own currency, largest first, equals by id."""
        ...

    def add_deal(self, account: str, name: str, amount: Decimal) -> str:
        """Open a deal, expected to close in two weeks; gives its id."""
        ...

    def win(self, deal: str) -> None:
        """Close a deal as won, today."""
        ...

    def lose(self, deal: str) -> None:
        """Close a deal as lost, today."""
        ...

    def set_amount(self, deal: str, amount: Decimal) -> None:
        """Change a deal's amount."""
        ...

    def log_call(self, account: str, subject: str) -> None:
        """Log a call that was made, with one of the account's people if it has any."""
        ...

    def plan_meeting(self, account: str, subject: str) -> None:
        """Plan a meeting in a week, with one of the account's people if it has any."""
        ...

    def move(self, account: str, parent: str) -> None:
        """Put an account under another parent."""
        ...

    def hand_over(self, account: str) -> str | None:
        """Give an account to another active owner; gives the name, None where there is no other."""
        ...

    def delete_deal(self, deal: str) -> None:
        """Put a deal into the recycle bin."""
        ...

    def merge(self, winner: str, loser: str) -> None:
        """Merge an account into another."""
        ...
