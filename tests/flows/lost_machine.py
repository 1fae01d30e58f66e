"""A process whose flow begins when it is told to, and never ends: to be killed as a machine that goes off is."""

from __future__ import annotations

import sys

from prefect import flow
from prefect.runtime import flow_run


@flow(name="kam-probe")
def endless() -> None:
    """Says which run it is, and waits for what never comes."""
    sys.stdout.write(f"{flow_run.id}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    sys.stdin.readline()
    endless()
