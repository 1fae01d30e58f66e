"""The rules of scores in and out, by the hash that snapshots carry."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

RULES = {"config_hash": pl.String(), "content": pl.String()}


def save_rules(tx: Transaction, config_hash: str, content: str, at: dt.datetime) -> None:
    """Keeps what a hash stands for; once."""
    sql = (
        "INSERT INTO score_rules (config_hash, recorded_at, content) VALUES (:hash, :at, :content) "
        "ON CONFLICT DO NOTHING"
    )
    tx.run(sql, [{"hash": config_hash, "at": to_micros(at), "content": content}])


def load_rules(tx: Transaction, hashes: pl.Series) -> pl.DataFrame:
    """RULES of the hashes that are known, in order of hash."""
    sql = (
        f"SELECT config_hash, content FROM score_rules WHERE {tx.backend.among('config_hash', 'hashes')} "  # noqa: S608
        f"ORDER BY {tx.backend.in_order('config_hash')}"
    )
    return tx.frame(sql, RULES, hashes=tx.backend.listed(hashes.unique()))
