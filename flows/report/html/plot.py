"""A plot as it stands on the page."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts import Titles


@dataclass(frozen=True)
class Plot:
    """`says`: one sentence with what is to be seen. `drawn`: null where nothing can be drawn, and `says` tells why.
    `tiers`: codes for the legend; `note`: what belongs below."""

    name: str
    title: str
    says: str
    drawn: Markup | None = None
    tiers: tuple[str, ...] = ()
    note: str = ""

    @property
    def titles(self) -> Titles:
        return Titles(self.name, self.title, self.says)
