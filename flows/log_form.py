"""The form of what a command logs and says on standard error: text, or one JSON object a line (KAM_LOG_FORMAT).

Apart from flows.logs, which is heavier than `kam --help` may be.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

_TOLD: ContextVar[str | None] = ContextVar("kam_log_format", default=None)


def set_form(form: str | None) -> None:
    """As the settings have it; None until they are read, and then the variable of the process counts."""
    _TOLD.set(form)


def is_json() -> bool:
    """Whether lines are JSON objects."""
    return (_TOLD.get() or os.environ.get("KAM_LOG_FORMAT")) == "json"
