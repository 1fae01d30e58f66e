"""`kam migrate`: the store's version before and after."""

from __future__ import annotations

import sys

from flows.cli.session import session
from flows.cli.show import print_json
from flows.escaping import plain
from kammodel.migrations import newest_version
from kammodel.store.versioning import version_of


def migrate_store(*, check: bool, as_json: bool) -> None:
    """Upgrades the store, or only looks; raises StoreNewer."""
    with session() as at:
        settings = at.runtime.settings
        newest = newest_version()
        before = version_of(settings.store_address) if check else at.runtime.store.version_before
    after = before if check else newest
    if as_json:
        told = {"store": settings.store_shown, "before": before, "after": after, "newest": newest}
        print_json(told | {"changed": before != after, "is_current": after == newest})
        return
    sys.stdout.write(f"{plain(settings.store_shown)}: {_said(before, newest, check=check)}\n")


def _said(before: str | None, newest: str, *, check: bool) -> str:
    if before == newest:
        return f"at version {newest}, nothing to do"
    was = f"version {before}" if before else "empty"
    return f"{was}, kam migrate brings it to {newest}" if check else f"was {was}, is now at {newest}"
