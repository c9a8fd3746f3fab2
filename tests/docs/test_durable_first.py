"""Whoever hears of an event can find it on the disk: the first invariant, asked of every way to hear."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from tests.proof.disk import Disk
from tests.proof.faulty import Between
from tests.support.facts import in_memory
from tests.support.markets import make, steps
from tests.support.strategies import CASES
from tickfold import Event, Live, Signal, listen_signal, listen_signal_live
from tickfold.strategy import CALLBACKS, Strategy
from tickfold_eventstore import Store, StoreError, Stream
from tickfold_eventstore.files import Files

pytestmark = pytest.mark.anyio

T = TypeVar("T")
CASE = next(case for case in CASES if case.name == "limit-short")
MARKET = make("steps", steps(1.0, reach=2, centre=100.0), seed=4, minutes=120)
DATA = Path("/data")
STREAM = Stream("memory", CASE.name, "A")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


class Refusing(Between):
    """A disk that has no room for write number `refused`, and room again after it."""

    def __init__(self, files: Files, refused: int) -> None:
        super().__init__(files)
        self.refused = refused
        self.writes = 0

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        self.writes += name == "pwrite"
        if name == "pwrite" and self.writes == self.refused:
            raise OSError(errno.ENOSPC, "no room")
        return call()


class Ears:
    """Hears in every way that there is, and looks for each event on the disk as it is heard."""

    def __init__(self, files: Any) -> None:
        self.files = files
        self.heard: set[tuple[str, int]] = set()
        self.undurable: list[tuple[str, Event]] = []

    def hear(self, who: str, event: Any) -> None:
        if isinstance(event, Event):  # a boundary that changed nothing is not written
            self.heard.add((who, event.seq))
            stored = {each.seq: untold(each) for each in Store(DATA, files=self.files).reader(STREAM).read()}
            if stored.get(event.seq) != untold(event):
                self.undurable.append((who, event))

    async def live(self) -> None:
        callbacks: dict[str, Any] = {name: partial(self.hear, name) for name in CALLBACKS}
        strategy = Strategy(CASE.name, CASE.make(Signal), CASE.interval, dict(CASE.lookback), callbacks)
        any_mode = listen_signal(partial(self.hear, "any"))
        live_mode = listen_signal_live(partial(self.hear, "live"))
        live = Live(DATA, clock="replay")
        live.store = Store(DATA, files=self.files)
        try:
            async with live:
                run = live.run("A", strategy=strategy, exchange=in_memory(MARKET.candles), include={"scheduled"})
                async for event in run:
                    self.hear("run", event)
        finally:
            any_mode()
            live_mode()


def untold(event: Event) -> Event:
    """An event without its count of the minutes before it, which only some of those who hear it are told."""
    return msgspec.structs.replace(event, ticks=None)


async def test_whoever_hears_of_an_event_finds_it_on_the_disk() -> None:
    ears = Ears(Disk())
    await ears.live()
    told = {event.seq for event in Store(DATA, files=ears.files).reader(STREAM).read()}
    assert ears.undurable == []
    assert {who for who, _ in ears.heard} >= {"run", "any", "live", "on_open", "on_close", "on_schedule", "on_tick"}
    assert {seq for who, seq in ears.heard if who == "any"} == told - {1, max(told)}  # all but started and stopped


async def test_of_an_event_that_the_disk_refused_nobody_hears() -> None:
    refusals = 0
    for refused in range(1, 40):
        ears = Ears(Refusing(Disk(), refused))
        try:
            await ears.live()
        except (StoreError, OSError):
            refusals += 1
        assert ears.undurable == [], f"write {refused} was refused"
    assert refusals > 30
