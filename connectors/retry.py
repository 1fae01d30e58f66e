"""The one owner of retries: which faults are tried again, how long it waits, and when it gives up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import tenacity

from connectors.errors import AnswerUnclear, SessionExpired, TryAgainLater

T = TypeVar("T")

LONGEST_ASKED = 120.0
"""Seconds. A CRM that asks for a longer wait than this is not waited for: the run stops and resumes later."""


_TIMED_OUT, _BROKE_DOWN, _UNAVAILABLE = 408, 500, 503


@dataclass(frozen=True)
class Patience:
    """How often and how long. `sleep` is passed in, so that tests need no time."""

    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    sleep: Callable[[float], None] = field(default=time.sleep)


def persist(
    call: Callable[[], T],
    *,
    patience: Patience,
    renew: Callable[[], None] | None = None,
    repeatable: bool = True,
) -> T:
    """Makes the call until it succeeds, its fault is final, or patience ends; then raises the last fault.

    `TryAgainLater` waits as long as the CRM asks (Retry-After), else exponentially with jitter. An expired
    session is renewed once and costs no try. `repeatable=False` is for calls that must not be made twice:
    an unclear outcome (see `may_be_done`) then goes to the caller as AnswerUnclear, once the wait is over after which
    it would have been tried again; a plain refusal (429, a 503 that says when to come back) is still tried again.
    """
    renewed = False

    def called() -> T:
        try:
            return call()
        except TryAgainLater as fault:
            if repeatable or not may_be_done(fault):
                raise
            raise AnswerUnclear(str(fault), code=fault.code, status=fault.status, after=fault.after) from fault

    def once() -> T:
        nonlocal renewed
        try:
            return called()
        except SessionExpired:
            if renew is None or renewed:
                raise
            renew()
            # After the renewal: one that failed for now (the sign-in answers 503) is tried again as well.
            renewed = True
            return called()

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda fault: _again(fault, repeatable=repeatable)),
        wait=lambda state: _wait(state, patience),
        stop=tenacity.stop_after_attempt(patience.tries),
        sleep=patience.sleep,
        reraise=True,
    )
    try:
        return retrying(once)
    except AnswerUnclear as fault:
        if not repeatable and (fault.after or 0) <= LONGEST_ASKED:
            # What follows is another call to the same CRM, which has its trouble.
            patience.sleep(patience.first_wait if fault.after is None else fault.after)
        raise


def may_be_done(fault: TryAgainLater) -> bool:
    """Whether the CRM may have carried out the call: no whole answer came, or a server before or in it broke down.

    A 503 that says when to come back is a refusal, and so is everything below 500 but a timeout.
    """
    if isinstance(fault, AnswerUnclear):
        return True
    status = fault.status or 0
    return status == _TIMED_OUT or (status >= _BROKE_DOWN and not (status == _UNAVAILABLE and fault.after is not None))


def _again(fault: BaseException, *, repeatable: bool) -> bool:
    if not isinstance(fault, TryAgainLater):
        return False
    if isinstance(fault, AnswerUnclear) and not repeatable:
        return False
    return fault.after is None or fault.after <= LONGEST_ASKED


def _wait(state: tenacity.RetryCallState, patience: Patience) -> float:
    fault = state.outcome.exception() if state.outcome else None
    if isinstance(fault, TryAgainLater) and fault.after is not None:
        return fault.after
    # In two parts, because wait_exponential_jitter renamed its parameters between 9.0 and 9.2.
    growing = tenacity.wait_exponential(multiplier=patience.first_wait, max=patience.longest_wait)
    return growing(state) + tenacity.wait_random(0, patience.first_wait)(state)
