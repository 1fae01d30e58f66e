"""Who was forgotten, known by keyed hashes alone: a row of the CRM can be told to be theirs, and nothing else can."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class Suppression(SQLModel, table=True):
    """A record that was forgotten, and does not come back with the next load.

    `hash`: keyed hash of kind, source, instance and source_id, none of which stands here. `kind`: the table of the
    record. `under`: the entry with which it was forgotten (a contact with its account), and with which it is let in
    again; null for what a person asked for. `address_hash`: of the person's e-mail address, where one was known: the
    same person under another id is found by it. `key_mark`: tells with which KAM_HASH_KEY the hashes were made.
    """

    __tablename__ = "suppression"

    hash: str = Field(primary_key=True)
    kind: str
    under: str | None = None
    address_hash: str | None = None
    forgotten_at: dt.datetime = Field(sa_type=Instant)
    key_mark: str
