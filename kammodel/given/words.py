"""Words that an organisation uses for a thing: ours, unless words.csv names others."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

WORDS: Mapping[str, tuple[str, ...]] = {
    # Reading 26, with the feminine and short forms of the same words.
    "executive_title": (
        "chief", "president", "vp", "svp", "evp", "vice president", "founder", "cofounder", "owner",
        "managing director", "director general", "directora general", "presidente", "presidenta", "vicepresidente",
        "vicepresidenta", "consejero delegado", "consejera delegada", "fundador", "fundadora", "propietario",
        "propietaria", "socio director", "socia directora", "gerente general", "c?o",
    ),
    # An assistant to the chief executive is none, and neither is the owner of a product.
    "no_executive_title": (
        "assistant", "asistente", "secretary", "secretaria", "secretario", "product owner", "process owner",
    ),
    "economic_buyer": ("economic buyer", "economic decision maker", "budget holder", "comprador economico"),
    "champion": ("champion", "promotor interno"),
    "user": ("user", "business user", "end user", "usuario", "usuario final"),
    "technical": ("technical", "technical buyer", "technical evaluator", "comprador tecnico", "evaluador tecnico"),
    "executive_sponsor": ("executive sponsor", "patrocinador ejecutivo"),
    # Where nobody notes roles, the title is all there is; who champions us stands in no title.
    "economic_buyer_title": (
        "cfo", "finance", "purchasing", "procurement", "buyer", "compras", "financiero", "financiera", "einkauf",
        "einkaufsleiter",
    ),
    "technical_title": (
        "cto", "cio", "it", "engineer", "engineering", "technical", "technology", "tecnico", "tecnica", "ingeniero",
        "ingeniera", "sistemas",
    ),
    "user_title": ("operations", "plant", "production", "coo", "operaciones", "planta", "produccion", "logistica"),
    "required_role": ("economic_buyer", "champion", "user", "technical"),
    "high_priority": ("high", "urgent", "critical", "highest", "alta", "urgente", "critica"),
    "escalated": ("escalated", "escalado", "escalada"),
    "not_in_force": (
        "draft", "cancelled", "canceled", "archived", "inactive", "borrador", "cancelado", "cancelada", "archivado",
        "inactivo",
    ),
}  # fmt: skip
"""By list of words.csv. In titles `?` stands for one letter: `c?o` is CEO, CFO, COO and so on."""

BUYING_ROLES = ("economic_buyer", "champion", "user", "technical")
"""The roles that may be required of the people at an account."""

_ACCENTS = dict(zip("áàâäãéèêëíìîïóòôöõúùûüñç", "aaaaaeeeeiiiiooooouuuunc", strict=True))


def words_of(name: str, given: pl.DataFrame | None) -> list[str]:
    """The words of a list, folded: those of words.csv if it names any of the list, else ours."""
    own = [] if given is None else given.filter(pl.col("list") == name)["word"].to_list()
    return sorted({_fold_text(word) for word in own or WORDS[name]})


def folded(text: pl.Expr) -> pl.Expr:
    """Lower case, without accents, `_` and `-` as spaces, so that spellings of one word are equal."""
    lower = text.str.to_lowercase().str.replace_many(list(_ACCENTS), list(_ACCENTS.values()))
    return lower.str.replace_all(r"[\s_\-]+", " ").str.strip_chars()


def is_one_of(text: pl.Expr, words: list[str]) -> pl.Expr:
    """The whole text is one of the words; null text is no."""
    return folded(text).is_in(words).fill_null(value=False)


def has_word(text: pl.Expr, words: list[str]) -> pl.Expr:
    """One of the words stands in the text as a word by itself; null text is no."""
    if not words:
        return pl.lit(value=False)
    patterns = "|".join(re.escape(word).replace(r"\?", "[a-z]") for word in words)
    return folded(text).str.contains(rf"(?:^|[^a-z0-9])(?:{patterns})(?:$|[^a-z0-9])").fill_null(value=False)


def _fold_text(word: str) -> str:
    plain = "".join(_ACCENTS.get(sign, sign) for sign in word.lower())
    return re.sub(r"[\s_\-]+", " ", plain).strip()
