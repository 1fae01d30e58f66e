"""Which account rows are one company, in one CRM or in several, and which companies are one account group."""

from kammodel.identity.decisions import reference_key
from kammodel.identity.grouping import COLUMNS, AccountGroups, account_groups
from kammodel.identity.matching import STATES

__all__ = ["COLUMNS", "STATES", "AccountGroups", "account_groups", "reference_key"]
