"""What no CRM holds, out of the files of KAM_INPUTS_DIR: ratings, targets, wallets, surveys, plans, rates, words."""

from kammodel.given.faults import Fault
from kammodel.given.files import FILES
from kammodel.given.reading import NOTHING_GIVEN, Given, read_given

__all__ = ["FILES", "NOTHING_GIVEN", "Fault", "Given", "read_given"]
