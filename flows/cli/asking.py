"""Asks before something is done that cannot simply be done again."""

from __future__ import annotations

import click

from kammodel.errors import KamError


def ask(what: str, otherwise: str) -> None:
    """Returns if a person types yes to doing `what`; else raises KamError that says `otherwise`."""
    try:
        answer = click.prompt(f"Type yes to {what}", default="", show_default=False, err=True)
    except click.Abort:
        raise KamError(f"{otherwise}: nobody was there to ask; --yes goes ahead without asking") from None
    if answer.strip().lower() not in {"yes", "sí", "si"}:
        raise KamError(otherwise)
