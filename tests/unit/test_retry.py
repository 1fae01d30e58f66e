"""Retries: what is tried again, after which wait, and what reaches the caller at once."""

from collections.abc import Callable

import pytest

from connectors.errors import (
    AnswerUnclear,
    ConnectorError,
    FieldsNotProvisioned,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    SessionExpired,
    ShortAnswer,
    SignInRefused,
    SliceLost,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.retry import LONGEST_ASKED, Patience, persist


class Calls:
    """A CRM that raises the given faults one after the other and then answers; `waits` are the pauses between."""

    def __init__(self, *faults: BaseException) -> None:
        self.faults, self.made = list(faults), 0
        self.waits: list[float] = []
        self.patience = Patience(tries=4, first_wait=0.5, longest_wait=8.0, sleep=self.waits.append)

    def __call__(self) -> str:
        self.made += 1
        if self.faults:
            raise self.faults.pop(0)
        return "answer"


def test_an_answer_is_not_waited_for() -> None:
    """A call that succeeds is made once."""
    calls = Calls()
    assert persist(calls, patience=calls.patience) == "answer"
    assert (calls.made, calls.waits) == (1, [])


def test_retry_after_is_honoured() -> None:
    """The wait that the CRM asks for is the wait, neither more nor less."""
    calls = Calls(TryAgainLater("429", after=7.0), TryAgainLater("429", after=0.0), TryAgainLater("503", after=119.5))
    assert persist(calls, patience=calls.patience) == "answer"
    assert calls.waits == [7.0, 0.0, 119.5]


def test_the_longest_wait_is_still_made_and_a_longer_one_is_not() -> None:
    """Two minutes are waited; who asks for more gets the run stopped, not held."""
    calls = Calls(TryAgainLater("429", after=LONGEST_ASKED))
    assert persist(calls, patience=calls.patience) == "answer"
    calls = Calls(TryAgainLater("477", after=LONGEST_ASKED + 0.1))
    with pytest.raises(TryAgainLater):
        persist(calls, patience=calls.patience)
    assert (calls.made, calls.waits) == (1, [])


def test_waits_grow_up_to_the_longest() -> None:
    """Without a stated wait: 0.5, 1, 2, ... seconds, each with up to half a second of jitter."""
    calls = Calls(*(TryAgainLater("503") for _ in range(7)))
    patience = Patience(tries=8, first_wait=0.5, longest_wait=8.0, sleep=calls.waits.append)
    assert persist(calls, patience=patience) == "answer"
    for wait, least in zip(calls.waits, (0.5, 1, 2, 4, 8, 8, 8), strict=True):
        assert least <= wait <= least + 0.5


def test_patience_ends_with_the_last_fault() -> None:
    """After four tries the last fault is raised as it is, and no wait follows it."""
    faults = [TryAgainLater(str(n)) for n in range(5)]
    calls = Calls(*faults)
    with pytest.raises(TryAgainLater) as raised:
        persist(calls, patience=calls.patience)
    assert raised.value is faults[3]
    assert (calls.made, len(calls.waits)) == (4, 3)


@pytest.mark.parametrize(
    "fault",
    [
        QuotaSpent("spent"),
        SignInRefused("no"),
        PermissionMissing("no"),
        RequestRefused("no"),
        UnexpectedAnswer("what"),
        ShortAnswer("short"),
        SliceLost("lost"),
        FieldsNotProvisioned("none"),
        ConnectorError("any"),
        SessionExpired("old"),
        KeyboardInterrupt(),
        ValueError("ours"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_final_faults_pass_at_once(fault: BaseException) -> None:
    """What waiting cannot mend is raised by the first call."""
    calls = Calls(fault)
    with pytest.raises(type(fault)) as raised:
        persist(calls, patience=calls.patience)
    assert raised.value is fault
    assert (calls.made, calls.waits) == (1, [])


def test_a_final_fault_ends_the_tries() -> None:
    """Patience is over when the CRM changes its mind from later to no."""
    calls = Calls(TryAgainLater("503"), QuotaSpent("spent"))
    with pytest.raises(QuotaSpent):
        persist(calls, patience=calls.patience)
    assert calls.made == 2


def test_unclear_outcomes_are_repeated_only_where_that_is_safe() -> None:
    """An answer that was lost may stand for a deed that was done: not to be done twice, unless it is harmless."""
    calls = Calls(AnswerUnclear("dropped"))
    assert persist(calls, patience=calls.patience) == "answer"
    calls = Calls(AnswerUnclear("dropped"))
    with pytest.raises(AnswerUnclear):
        persist(calls, patience=calls.patience, repeatable=False)
    assert calls.made == 1


def test_a_plain_refusal_is_repeated_even_if_the_deed_must_not_be_done_twice() -> None:
    """429 and 503 did nothing."""
    calls = Calls(TryAgainLater("429"), TryAgainLater("503"))
    assert persist(calls, patience=calls.patience, repeatable=False) == "answer"
    assert calls.made == 3


@pytest.mark.parametrize(
    ("fault", "unclear"),
    [
        (AnswerUnclear("dropped"), True),
        (TryAgainLater("broke down", status=500), True),
        (TryAgainLater("edge", status=502, after=1.0), True),
        (TryAgainLater("too long", status=504), True),
        (TryAgainLater("too slow", status=408), True),
        (TryAgainLater("out of order", status=503), True),
        (TryAgainLater("come back", status=503, after=1.0), False),
        (TryAgainLater("rate", status=429), False),
        (TryAgainLater("locked", status=423), False),
        (TryAgainLater("never sent"), False),
    ],
)
def test_what_may_have_been_done_is_not_done_again_unseen(fault: TryAgainLater, unclear: bool) -> None:
    """It goes to the caller as unclear, after a wait; a refusal is tried again."""
    calls = Calls(fault)
    if not unclear:
        assert persist(calls, patience=calls.patience, repeatable=False) == "answer"
        return
    with pytest.raises(AnswerUnclear) as caught:
        persist(calls, patience=calls.patience, repeatable=False)
    assert (calls.made, caught.value.status) == (1, fault.status)
    assert calls.waits == [0.5 if fault.after is None else fault.after]


def renewal(*faults: BaseException) -> tuple[Callable[[], None], list[int]]:
    waiting, times = list(faults), [0]

    def renew() -> None:
        times[0] += 1
        if waiting:
            raise waiting.pop(0)

    return renew, times


def test_a_session_is_renewed_once_and_costs_no_try() -> None:
    """Sign in, repeat; the four tries are still there."""
    renew, times = renewal()
    calls = Calls(SessionExpired("old"), *(TryAgainLater("503") for _ in range(3)))
    assert persist(calls, patience=calls.patience, renew=renew) == "answer"
    assert (times, calls.made, len(calls.waits)) == ([1], 5, 3)


def test_a_session_that_expires_again_is_not_renewed_again() -> None:
    """A token that is old at once would make us sign in for ever."""
    renew, times = renewal()
    calls = Calls(SessionExpired("old"), SessionExpired("old again"))
    with pytest.raises(SessionExpired, match="again"):
        persist(calls, patience=calls.patience, renew=renew)
    assert (times, calls.made) == ([1], 2)


def test_one_renewal_a_call_however_often_it_is_tried() -> None:
    """A session that is old again after a wait is not renewed a second time."""
    renew, times = renewal()
    calls = Calls(SessionExpired("old"), TryAgainLater("503"), SessionExpired("old again"))
    with pytest.raises(SessionExpired, match="again"):
        persist(calls, patience=calls.patience, renew=renew)
    assert (times, calls.made) == ([1], 3)


def test_a_renewal_that_fails_for_now_is_tried_again() -> None:
    """The sign-in may answer 503 as any call may; the session is then still the old one."""
    renew, times = renewal(TryAgainLater("sign-in: 503"))
    calls = Calls(SessionExpired("old"), SessionExpired("old"))
    assert persist(calls, patience=calls.patience, renew=renew) == "answer"
    assert (times, calls.made, len(calls.waits)) == ([2], 3, 1)


def test_a_renewal_that_is_refused_ends_it() -> None:
    """Wrong credentials are for a person."""
    renew, times = renewal(SignInRefused("no"))
    calls = Calls(SessionExpired("old"))
    with pytest.raises(SignInRefused):
        persist(calls, patience=calls.patience, renew=renew)
    assert (times, calls.made) == ([1], 1)
