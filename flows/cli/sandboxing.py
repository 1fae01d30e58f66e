"""`kam sandbox`: two CRMs on loopback, and the variables that reach them."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from pathlib import Path

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, serving, two_crms
from connectors.sandbox.salesforce.from_csv import NotAnExport, org_from_csv
from connectors.sandbox.seed import seeded_book
from flows.cli.faults import say
from flows.escaping import plain
from kammodel.errors import KamError


def serve(size: int, csv: Path | None, salesforce_port: int, hubspot_port: int) -> None:
    """Serves until Ctrl-C. Variables go to standard output, ready to be pasted or put into a file."""
    company, day = _of_csv(csv) if csv is not None else (_invented(size), "")
    try:
        with serving(company, (salesforce_port, hubspot_port)) as served:
            for name, value in served.environment().items():
                sys.stdout.write(f"export {name}={value}\n")
            sys.stdout.flush()
            say("serving on this machine until Ctrl-C; in another terminal set the variables above, then:")
            say(f"  kam check; kam provision; kam run{day}; kam explain ACCOUNT{day}")
            threading.Event().wait()
    except OSError as fault:
        raise KamError(f"a port cannot be had: {fault.strerror}; 0 takes a free one") from None
    except KeyboardInterrupt:
        say("ended; what was written into the sandbox is gone")


def _invented(size: int) -> Company:
    now = dt.datetime.now(dt.UTC)
    return two_crms(seeded_book(size, now), Clock(now, running=True))


def _of_csv(folder: Path) -> tuple[Company, str]:
    """The org of an export, and the option that has commands see it as of its last day."""
    # The clock is that of the day of use: it is the commands' clock that decides what they see.
    clock = Clock(dt.datetime.now(dt.UTC), running=True)
    try:
        org, report = org_from_csv(folder, clock=clock)
    except NotAnExport as fault:
        raise KamError(plain(str(fault))) from None
    for line in report.lines():
        say(plain(line))
    return Company(org, None, clock), f" --as-of {report.as_of.isoformat()}"
