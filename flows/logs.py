"""Logging of the command line and the flows, with every configured secret taken out of each record."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from flows.log_form import is_json, set_form

STARS = "********"
SHORTEST = 6
"""Characters. What is shorter is no secret, and would take ordinary words out of the log."""


_DURING: ContextVar[tuple[str | None, str | None]] = ContextVar("kam_run", default=(None, None))


@contextmanager
def logged_as(run: str, crm: str | None) -> Iterator[None]:
    """Log lines of this block, in its own thread, tell of a run and a CRM."""
    token = _DURING.set((run, crm))
    try:
        yield
    finally:
        _DURING.reset(token)


def run_of_thread() -> str | None:
    """The run that log lines of this thread tell of."""
    return _DURING.get()[0]


class JsonLines(logging.Formatter):
    """A record as one JSON object on one line: time (UTC), level, logger, message, run, crm; `trace` where there is
    one."""

    def format(self, record: logging.LogRecord) -> str:
        run, crm = _DURING.get()
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        told: dict[str, str | None] = {"time": at, "level": record.levelname, "logger": record.name}
        told |= {"message": record.getMessage(), "run": run, "crm": crm}
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else None)
        return json.dumps(told | ({"trace": trace} if trace else {}), ensure_ascii=False)


def secrets_of(settings: BaseModel) -> frozenset[str]:
    """Every secret value in the settings, nested ones and the store's password included."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            found.update({value.get_secret_value(), value.get_secret_value().strip()})
        elif isinstance(value, BaseModel):
            found |= secrets_of(value)
        elif name == "store_url" and value and (password := urlsplit(value).password):
            found.update({password, unquote(password)})
    return frozenset(secret for secret in found if len(secret) >= SHORTEST)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret replaced by stars, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, STARS)
    return text


class ScrubbingFactory:
    """Makes log records without secrets: before any handler, Prefect's included, gets to see them."""

    def __init__(self, make: Any, secrets: frozenset[str]) -> None:
        self.make, self.secrets = make, secrets

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self.make(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Arguments that do not fit: the handler says so, and shows the bare format.
            return record
        clean = scrub(message, self.secrets)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
            clean = scrub(trace, self.secrets)
            if clean != trace:
                # A formatter takes the finished text where there is one.
                record.exc_info, record.exc_text = None, clean
        return record


def set_up_logging(settings: BaseModel, level: int = logging.WARNING) -> None:
    """Warnings to standard error, and no secret in any record of this process from here on.

    What Prefect logs goes its own ways: to its server, and to the terminal as its settings say.
    """
    hide_secrets(settings)
    handler = logging.StreamHandler(sys.stderr)
    set_form(getattr(settings, "log_format", "text"))
    handler.setFormatter(JsonLines() if is_json() else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(lambda record: not record.name.startswith("prefect"))
    handler.setLevel(level)
    logging.basicConfig(handlers=[handler], level=level)


def json_line(message: str, level: int) -> str:
    """What a command says to a person, as a line of the log; configured secrets are taken out of it likewise."""
    make = logging.getLogRecordFactory()
    return JsonLines().format(make("kam", level, __file__, 0, message, (), None))


def hide_secrets(settings: BaseModel) -> None:
    """Takes the settings' secrets out of every log record of this process, those of earlier settings too."""
    make = logging.getLogRecordFactory()
    secrets = secrets_of(settings)
    if isinstance(make, ScrubbingFactory):
        secrets, make = secrets | make.secrets, make.make
    logging.setLogRecordFactory(ScrubbingFactory(make, secrets))
