"""Secrets that a variable names and does not hold: in a Secret block of Prefect, or in a file that is mounted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.prefect_settings import set_prefect_environment
from kammodel.errors import NotConfigured

BLOCK, FILE = "block:secret/", "file:"
"""How the value of a variable begins that names one."""


def unsealed(values: Mapping[str, str]) -> dict[str, str]:
    """What stands in the places that variables name, by variable; those that hold their value are left out.

    Raises NotConfigured with the variable and the place, never with what was found there.
    """
    found = {}
    for name, value in values.items():
        if value.startswith(BLOCK):
            found[name] = _in_block(name, value.removeprefix(BLOCK))
        elif value.startswith(FILE):
            found[name] = _in_file(name, Path(value.removeprefix(FILE)))
    return found


def _in_file(name: str, file: Path) -> str:
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no text"
        raise NotConfigured(f"{name} names a file, {file}, that cannot be read: {why}") from None
    return _filled(name, f"the file {file}", text)


def _in_block(name: str, block: str) -> str:
    if not os.environ.get("PREFECT_API_URL"):
        raise NotConfigured(f"{name} names a block of Prefect, and PREFECT_API_URL does not say where Prefect is")
    # Prefect takes two seconds to import, and reads its own settings then: only who keeps secrets there waits for it.
    set_prefect_environment()
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from httpx import HTTPError, HTTPStatusError
    from prefect.blocks.system import Secret

    try:
        held: Any = Secret.load(block, _sync=True)  # type: ignore[call-arg]
    except ValueError:
        raise NotConfigured(
            f"{name} names the Secret block {block}, which Prefect does not have: make it in the UI (Blocks), or by "
            "prefect.blocks.system.Secret"
        ) from None
    except HTTPStatusError as refused:
        raise NotConfigured(
            f"{name} names the Secret block {block}, and Prefect answers {refused.response.status_code}: look at "
            "PREFECT_API_AUTH_STRING"
        ) from None
    except HTTPError as fault:
        raise NotConfigured(
            f"{name} names the Secret block {block}, and no Prefect answers at PREFECT_API_URL ({type(fault).__name__})"
        ) from None
    return _filled(name, f"the Secret block {block}", str(held.get()).strip())


def _filled(name: str, place: str, text: str) -> str:
    if not text:
        raise NotConfigured(f"{name}: nothing stands in {place}")
    return text
