"""The only SQL: bulk rows in and out, and the control tables, in one database."""

from kammodel.store.store import Store, Transaction
from kammodel.store.upserting import UpsertCount

__all__ = ["Store", "Transaction", "UpsertCount"]
