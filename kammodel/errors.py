"""The root of every fault that a person can act on, and the exit code each kind ends the program with.

KamError                      1  failed
├── NotConfigured             3  a variable, a field or a file is missing: the message says which
│   ├── PolicyInvalid         3  the tier policy file cannot be used: the message says line and reason
│   └── GivenInvalid          3  files of KAM_INPUTS_DIR cannot be used: file, line, column, reason, what to do
├── StoreUnusable             1  the store cannot be opened or written
│   └── StoreNewer            3  it belongs to a newer version: the message says what to do
└── connectors.errors.*          everything a CRM can answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class KamError(Exception):
    """A foreseeable fault. Its text is one line for a person: what, where, what to do next; never a secret."""

    exit_code: ClassVar[int] = 1


class NotConfigured(KamError):
    """Something that has to be set up first is missing; the text names it and how to set it."""

    exit_code = 3


class PolicyInvalid(NotConfigured):
    """The tier policy cannot be used as it stands."""


class GivenInvalid(NotConfigured):
    """Files of KAM_INPUTS_DIR cannot be used as they stand. `faults`: each by itself, for programs."""

    def __init__(self, text: str, faults: Sequence[object] = ()) -> None:
        super().__init__(text)
        self.faults = tuple(faults)


class StoreUnusable(KamError):
    """The store cannot be opened or written."""


class StoreNewer(StoreUnusable):
    """The store was written by a newer version; it is left as it is."""

    exit_code = 3
