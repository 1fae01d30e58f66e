"""A store whose process ends at a transaction: as it is about to be kept, or once it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flows.pipeline.leasing import machine
from kammodel.store import Store, Transaction
from tests.pipeline.mishaps import Killed


@dataclass
class End:
    """At which transaction, from now on, and whether it is kept. `seen`: how many have begun since."""

    at: int
    after: bool
    seen: int = 0


class StoppedStore(Store):
    """A store that can be told when its process is to end. What the process tries afterwards reaches nothing."""

    end: End | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        number = self._number()
        if self.end is not None and number > self.end.at:
            raise Killed
        with super().transaction() as tx:
            yield tx
            if self.end is not None and number == self.end.at and not self.end.after:
                tx.session.flush()
                raise Killed
        if self.end is not None and number == self.end.at:
            raise Killed

    @contextmanager
    def ends(self, at: int, *, after: bool) -> Iterator[End]:
        """Until the block ends."""
        self.end = end = End(at, after)
        try:
            yield end
        finally:
            self.end = None
            if end.seen > end.at:
                self._bury()

    def _bury(self) -> None:
        """Leases are held by a process that is gone, and not by this one."""
        gone = subprocess.Popen([sys.executable, "-V"], stdout=subprocess.DEVNULL)
        gone.wait()
        with self.transaction() as tx:
            holder = f"{machine()}/{gone.pid}/gone"
            tx.run("UPDATE lease SET holder=:holder", [{"holder": holder}])

    def _number(self) -> int:
        if self.end is None:
            return -1
        number, self.end.seen = self.end.seen, self.end.seen + 1
        return number
