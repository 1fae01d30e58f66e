"""The CRMs that can be named on the command line and in a flow's form."""

from enum import StrEnum


class Crm(StrEnum):
    """The CRMs that can be read and written."""

    salesforce = "salesforce"
    hubspot = "hubspot"
