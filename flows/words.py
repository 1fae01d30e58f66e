"""The words of the demo, of digests, reports and of what a KAM asks for, in English and Spanish (words.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from kammodel.tiering.texts import section

Language = Literal["en", "es"]


@cache
def _all() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))


class Words:
    """Sentences of one language. Numbers are written its way: 1,234.5 or 1.234,5."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, **values: Any) -> str:
        """The sentence, filled in."""
        return _all()[self.language][key].format(**values)

    def tier(self, code: str | None) -> str:
        """A tier's name; a dash for none."""
        return section("tier", self.language).get(code or "", "-")

    def number(self, value: float | None, decimals: int = 0) -> str:
        """A number with its thousands separated; a dash for none."""
        if value is None:
            return "-"
        text = f"{value:,.{decimals}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "es" else text

    def percent(self, value: float | None) -> str:
        """Percent points, whole, with their sign; a dash for none."""
        return "-" if value is None else f"{self.number(value)} %"
