"""How our fields get into a CRM: what was made, what stands in the way, and how it goes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from kammodel.publish.fields import CustomField

Done = Literal["created", "changed", "unchanged", "removed", "left alone"]


@dataclass(frozen=True)
class Part:
    """Something beside the fields that provisioning makes or takes away, such as a list view, and what became of it.

    `why`: the reason where it was left alone.
    """

    kind: str
    name: str
    done: Done
    why: str | None = None


@dataclass(frozen=True)
class Provisioned:
    """What provisioning did: names of fields created, changed and left as they were, `parts` beside them, `notes` for
    the admin. With `dry_run`, what it would do; nothing was changed."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True)
class Removal:
    """What removing takes away. `fields`: accounts that hold a value in each, None where that cannot be read;
    `typed_by_people`: those of them that only people fill in."""

    fields: dict[str, int | None]
    typed_by_people: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours is there."""
        return not self.fields and not self.parts


@dataclass(frozen=True)
class Finding:
    """Something in the way, or worth knowing, before anything is written. An `error` makes it impossible; `unknown` is
    what could not be found out. `about`: provisioning, or the runs that write."""

    grade: Literal["error", "warning", "unknown"]
    about: Literal["provision", "run"]
    text: str


@runtime_checkable
class Provisioning(Protocol):
    """A connector that can also say beforehand what provisioning would do, and undo it."""

    def preflight(self, fields: Sequence[CustomField]) -> list[Finding]:
        """What stands in the way of provisioning and of the first run. Reads only."""
        ...

    def provision(
        self, fields: Sequence[CustomField], language: str, *, layouts: bool = True, dry_run: bool = False
    ) -> Provisioned:
        """As `Connector.provision`. `layouts`: show the fields on pages too. `dry_run`: checks, and changes nothing."""
        ...

    def removal(self, fields: Sequence[CustomField]) -> Removal:
        """What `remove` would take away. Reads only."""
        ...

    def remove(self, fields: Sequence[CustomField], *, dry_run: bool = False) -> Removal:
        """Takes away what `provision` made, as far as it is there: what was stopped half-way is finished by another."""
        ...
