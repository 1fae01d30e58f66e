"""A world lived through, from its first account to its last file."""

from __future__ import annotations

from tests.oracle.account_acts import accounts
from tests.oracle.acts import Life
from tests.oracle.deal_acts import deal
from tests.oracle.file_acts import files
from tests.oracle.service_acts import activity, case, contract


def live(life: Life) -> None:
    random = life.random
    is_busy = life.chance(0.08)
    accounts(life)
    for _ in range(60 if is_busy else random.choice((0, 2, 5, 9, 9, 22)) * life.wealth):
        deal(life, is_quick=is_busy)
    for _ in range(random.choice((0, 0, 4, 12))):
        activity(life)
    for _ in range(random.choice((0, 0, 2, 5))):
        case(life)
    for _ in range(random.choice((0, 0, 0, 3)) if "salesforce" in life.sources else 0):
        contract(life)
    files(life)
