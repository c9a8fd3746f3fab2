"""A replay that dies between any two calls to the disk, or inside the strategy, goes on as if it had not."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import anyio
import pytest

from tests.proof.disk import Disk
from tests.support.facts import in_memory, strategy_of
from tests.support.markets import make, steps
from tests.support.replays import boundaries, decisions, journalled, replay
from tests.support.strategies import CASES, Case
from tickfold import Config, Event, Signal
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.files import Files
from tickfold_eventstore.verify import verify

MARKET = make("steps", steps(1.0, reach=2, centre=100.0), seed=4, minutes=120)
BY_NAME = {case.name: case for case in CASES}
DATA = Path("/data")


class Killed(BaseException):
    """The process is gone: nothing it does after this has an effect."""


class Mortal:
    """A disk whose process dies before call number `dies_before` (0: never) and does nothing from then on."""

    def __init__(self, disk: Disk, dies_before: int) -> None:
        self.disk = disk
        self.calls = 0
        self.dies_before = dies_before
        self.dead = False

    def kill(self) -> None:
        self.dead = True
        raise Killed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.disk, name)
        if name == "close":  # dying before it is dying before the call that comes next
            return lambda descriptor: None if self.dead else found(descriptor)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.dead or self.calls == self.dies_before:
                self.kill()
            return found(*args, **options)

        return call


def live_once(disk: Disk, case: Case, *, dies_before: int = 0, dies_at_question: int = 0) -> Mortal:
    files = Mortal(disk, dies_before)
    ask = case.make(Signal)
    questions = 0

    def asked(ctx: Any) -> Any:
        nonlocal questions
        questions += 1
        if questions == dies_at_question:
            files.kill()
        return ask(ctx)

    strategy = strategy_of(case.name, case.interval, case.lookback, asked)
    try:
        anyio.run(partial(replay, DATA, strategy, in_memory(MARKET.candles), Config(), files=cast("Files", files)))
    except BaseException as error:
        if not files.dead or not _only_deaths(error):
            raise
        disk.die()
    return files


def _only_deaths(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_only_deaths(each) for each in error.exceptions)
    return isinstance(error, Killed)


def told(disk: Disk, case: Case) -> list[Event]:
    stream = Stream("memory", case.name, "BTCUSDT")
    verdict = verify(Store(DATA, files=disk).reader(stream))
    assert verdict.damage is None
    return journalled(DATA, stream, disk)


@pytest.mark.parametrize("name", ["whole-levels", "limit-short", "alternating", "often-rejected"])
def test_killed_once_before_any_call_to_the_disk_it_ends_as_if_never_killed(name: str) -> None:
    case = BY_NAME[name]
    untouched = Disk()
    calls = live_once(untouched, case).calls
    expected = told(untouched, case)
    for dies_before in range(1, calls + 1, 3):
        disk = Disk()
        assert live_once(disk, case, dies_before=dies_before).dead
        live_once(disk, case)
        events = told(disk, case)
        assert decisions(events) == decisions(expected), f"died before call {dies_before}"
        assert boundaries(events) == boundaries(expected), f"died before call {dies_before}"


@pytest.mark.parametrize("name", ["whole-levels", "limit-short", "often-rejected"])
def test_killed_inside_any_question_it_asks_that_question_again(name: str) -> None:
    case = BY_NAME[name]
    untouched = Disk()
    live_once(untouched, case)
    expected = told(untouched, case)
    question = 0
    while True:
        question += 1
        disk = Disk()
        if not live_once(disk, case, dies_at_question=question).dead:
            break
        live_once(disk, case)
        assert decisions(told(disk, case)) == decisions(expected), f"died inside question {question}"
    assert question > 10


@pytest.mark.parametrize("seed", range(40))
def test_killed_many_times_in_a_row_it_ends_as_if_never_killed(seed: int) -> None:
    dice = Random(seed)
    case = dice.choice([each for each in CASES if not each.awaits and set(each.lookback.values()) <= {2, 7, 10, 15}])
    untouched = Disk()
    live_once(untouched, case)
    disk = Disk()
    while live_once(disk, case, dies_before=dice.randint(1, 160)).dead:
        pass
    assert decisions(told(disk, case)) == decisions(told(untouched, case))
