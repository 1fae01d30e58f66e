"""The ids that the book's stages have in HubSpot's default pipeline."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sandbox.book import Stage

PIPELINE = "default"


def stage_ids(stages: Iterable[Stage]) -> dict[str, str]:
    """Stage key of the book -> stage id: `closedwon` and `closedlost` as in every portal, others from the key."""
    ids: dict[str, str] = {}
    for stage in stages:
        wanted = {"won": "closedwon", "lost": "closedlost"}.get(stage.kind) or _word(stage.key)
        # A second stage of the same kind, or a key that reads the same, gets a number, as custom stages do.
        ids[stage.key] = wanted if wanted not in ids.values() else str(1_170_000_000 + len(ids))
    return ids


def _word(key: str) -> str:
    return "".join(c for c in key.lower() if c.isascii() and c.isalnum()) or "stage"
