"""Plays a scripted run with a mishap at one call after the other, and counts how it ends."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from kammodel.errors import KamError
from tests.pipeline.disturbed import Ending, Script
from tests.pipeline.mishaps import MISHAPS, Mishap
from tests.pipeline.steps import T
from tests.seed import SEED

TO_THE_END = 150
"""Of so many disturbed steps one is followed by the rest of the run."""
_TOLD_EVERY = 25

Judge = Callable[[Ending, str, Mishap], None]
"""Raises AssertionError where a step may not end so, with such a mishap at such a call (`METHOD path`)."""


def play_some(script: Script[T], crm: str, judge: Judge, times: int, mishaps: Sequence[Mishap] = MISHAPS) -> None:
    """A sample by the seed (KAM_TEST_SEED): so many mishaps, each at a call of its own."""
    chance = random.Random(f"{SEED} {crm}")
    for mishap in chance.sample(mishaps, times):
        here, call = chance.choice(script.positions)
        judge(script.play(here, call, mishap), here.calls[call], mishap)


def play_all(script: Script[T], mishap: Mishap, judge: Judge) -> list[str]:
    """Where it ended wrongly. Some of it is played to the end of the run. Tells its figures as it goes."""
    began, wrong, ended = time.process_time(), list[str](), Counter[str]()
    every = script.positions
    for number, (here, call) in enumerate(every, start=1):
        try:
            ending = script.play(here, call, mishap, to_the_end=number % TO_THE_END == 1)
            judge(ending, here.calls[call], mishap)
        except (AssertionError, KamError) as fault:
            wrong.append(f"{here.step.name}, call {call} ({here.calls[call]}): {fault}")
        else:
            ended["got over" if ending.told is None else "healed"] += 1
            ended["not met"] += not ending.met
            ended["left over"] += len(ending.left)
        if number % _TOLD_EVERY == 0 or number == len(every):
            seconds = round(time.process_time() - began)
            figures = f"{mishap}: {number} of {len(every)}, {dict(+ended)}, {len(wrong)} wrong, {seconds} s CPU\n"
            sys.stdout.write(figures)
            sys.stdout.flush()
    return wrong
