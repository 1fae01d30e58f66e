"""Keeps the newest tokens of a refresh token between runs, and lets one run at a time renew them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import orjson

from connectors.errors import TryAgainLater
from connectors.locking import locks
from kammodel.digest import digest
from kammodel.errors import NotConfigured

FOLDER = "sign-in"
_LOOKS, _BETWEEN_LOOKS_S = 150, 0.2
"""Half a minute, six times over with the retries of the call that waits: as long as the slowest answer may take."""


@dataclass(frozen=True)
class Kept:
    """What a refresh gave. `is_asking`: it was being renewed when it was written down, and no answer is noted since.

    `until`: when the access token ends, in seconds since 1970, where the CRM says so.
    """

    refresh_token: str
    access_token: str | None = None
    root: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    is_asking: bool = False
    until: float | None = None


class Keeper(Protocol):
    """Where the newest tokens are. Nobody else writes while `alone` lasts."""

    def read(self) -> Kept | None: ...

    def write(self, kept: Kept) -> None: ...

    def alone(self) -> AbstractContextManager[None]: ...


class MemoryKeeper:
    """Keeps tokens for the life of the process. A token that rotates is lost with it."""

    def __init__(self) -> None:
        self._kept: Kept | None = None
        self._lock = threading.Lock()

    def read(self) -> Kept | None:
        return self._kept

    def write(self, kept: Kept) -> None:
        self._kept = kept

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._lock:
            yield


class FileKeeper:
    """Keeps tokens in a file that only its owner may read, replaced as a whole, with a lock file beside it.

    There is a file for each configured token: one that is changed in the configuration starts afresh, and a run that
    still works with the one before does not write over it. `crm`: its name for people. Raises NotConfigured where the
    directory cannot be used.
    """

    def __init__(self, crm: str, state: Path, parts: tuple[str, ...], sleep: Callable[[float], None]) -> None:
        self._crm = crm
        self._folder = state / FOLDER
        # The name is a digest, so that it says nothing of the token.
        self._path = self._folder / f"{crm.lower()}-{digest(parts)}.json"
        self._sleep = sleep

    def read(self) -> Kept | None:
        """What was written last; None where there is nothing, or nothing of ours."""
        try:
            known = orjson.loads(self._path.read_bytes())
            kept = Kept(**known)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return None
        except OSError as fault:
            raise self._unusable(fault) from None
        return kept if kept.refresh_token and isinstance(kept.refresh_token, str) else None

    def write(self, kept: Kept) -> None:
        """On the disk when this returns; a crash leaves either the old or the new content."""
        beside = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with suppress(FileNotFoundError):
                beside.unlink()
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps(asdict(kept)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as fault:
            raise self._unusable(fault) from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the lock. The system takes it back from a process that ends, however it ends."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise self._unusable(fault) from None
        try:
            self._wait_for(handle)
            yield
        finally:
            os.close(handle)

    def _wait_for(self, handle: int) -> None:
        for look in range(_LOOKS):
            if look:
                self._sleep(_BETWEEN_LOOKS_S)
            if locks(handle):
                return
        raise TryAgainLater(f"another run is renewing the sign-in to {self._crm} and holds {self._path.stem}.lock")

    def _unusable(self, fault: OSError) -> NotConfigured:
        return NotConfigured(
            f"the sign-in to {self._crm} cannot be kept in {self._folder} ({fault.strerror}): kam has to read and "
            "write there; KAM_HOME moves it"
        )
