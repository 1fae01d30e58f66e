"""The parameters of our flows, as Prefect's UI renders them into a form: one titled, described type each."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from flows.crms import Crm


def _titled(title: str) -> dict[str, str]:
    # Prefect titles a parameter with its Python name; what stands in json_schema_extra wins over that.
    return {"title": title}


OneCrm = Annotated[Crm | None, Field(json_schema_extra=_titled("CRM"))]
Full = Annotated[bool, Field(json_schema_extra=_titled("Read everything"))]
AsOf = Annotated[dt.date | None, Field(json_schema_extra=_titled("As of"))]
Repair = Annotated[bool, Field(json_schema_extra=_titled("Read again what differs"))]
Review = Annotated[bool, Field(json_schema_extra=_titled("Wait for a review"))]
CompareAll = Annotated[bool, Field(json_schema_extra=_titled("Compare every account"))]
