"""The root of every fault that a person can act on, and the exit code each kind ends the program with.

KamError                      1  failed
├── NotConfigured             3  a variable, a field or a file is missing: the message says which
│   └── PolicyInvalid         3  the tier policy file cannot be used: the message says line and reason
├── StoreUnusable             1  the store cannot be opened, or belongs to a newer version
└── connectors.errors.*          everything a CRM can answer
"""

from __future__ import annotations

from typing import ClassVar


class KamError(Exception):
    """A foreseeable fault. Its text is one line for a person: what, where, what to do next; never a secret."""

    exit_code: ClassVar[int] = 1


class NotConfigured(KamError):
    """Something that has to be set up first is missing; the text names it and how to set it."""

    exit_code = 3


class PolicyInvalid(NotConfigured):
    """The tier policy cannot be used as it stands."""


class StoreUnusable(KamError):
    """The store cannot be opened or written."""
