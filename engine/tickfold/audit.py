"""Does a strategy decide from what it may know, and from nothing else? It is asked the same questions in other ways.

Each way takes something away that an honest strategy does not use: what came before the question, the order of
questions, the candles after the slot, those before its windows, the year. A decision that changes is named. Besides, a
witness tells what the strategy asks the machine for while it is asked itself.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .candles import Candles
from .config import Config
from .context import Context, View, first_boundary, warm_up
from .market import MINUTE_MS, parse_interval
from .proposal import Signal
from .strategy import Strategy
from .vectorized import Answers

WEEK_MINUTES = 7 * 1440
CALENDAR_MINUTES = 146_097 * 1440
"""400 years, after which each date falls on the same day of the week again."""
LAST_YEARS_MINUTES = 7000 * 365 * 1440
"""How far the calendar reaches: the year 9999 is the last that Python tells."""

Fresh = Callable[[], Strategy]
"""Gives the strategy as it is when its file was just loaded."""
Watching = Callable[[], AbstractContextManager[object]]
"""Watches what is done inside."""


@attrs.frozen
class Change:
    """Decisions that were other ones in some way of asking: how, how many of `asked`, and the first, at `slot` (ms)."""

    way: str
    changed: int
    asked: int
    slot: int
    first: str
    then: str


@attrs.frozen
class Question:
    """One slot: the candle that it closes, by its index, and what a strategy is told."""

    index: int
    ctx: Context


@attrs.frozen
class Market:
    """Candles as a strategy is asked about them: `slots` are the candles whose boundaries are asked at."""

    candles: Candles
    strategy: Strategy
    config: Config
    symbol: str
    slots: Sequence[int]

    @classmethod
    def of(cls, candles: Candles, strategy: Strategy, config: Config, symbol: str, *, start: int = 0) -> Market:
        """Every slot of contiguous `candles` from boundary `start` (ms) on."""
        if not len(candles):
            return cls(candles, strategy, config, symbol, ())
        first_open = int(candles.time[0])
        first = max(start, first_boundary(first_open, strategy.lookback))
        first = -(-first // strategy.interval_ms) * strategy.interval_ms
        slots = range((first - first_open) // MINUTE_MS - 1, len(candles), strategy.interval_ms // MINUTE_MS)
        return cls(candles, strategy, config, symbol, slots)

    def thinned(self, most: int) -> Market:
        """The same with at most `most` slots, evenly spread from the first to the last."""
        if len(self.slots) <= most:
            return self
        places = np.linspace(0, len(self.slots) - 1, most).round().astype(int).tolist()
        return attrs.evolve(self, slots=[self.slots[place] for place in places])

    def boundary(self, index: int) -> int:
        """The slot (ms) that candle `index` closes."""
        return int(self.candles.time[index]) + MINUTE_MS

    def view(self, candles: Candles) -> View:
        """What the strategy is shown of `candles`."""
        return View(candles, self.strategy.lookback, symbol=self.symbol, mode="backtest", policy=self.config.policy)

    def as_it_was(self) -> Iterator[Question]:
        """The questions of a backtest, in its order."""
        view = self.view(self.candles)
        return (Question(index, Context(view, index + 1)) for index in self.slots)

    def twice(self) -> Iterator[Question]:
        """Each question two times, one after the other."""
        return (each for question in self.as_it_was() for each in (question, question))

    def backwards(self) -> Iterator[Question]:
        """The newest first."""
        return reversed(list(self.as_it_was()))

    def with_another_future(self) -> Iterator[Question]:
        """The candles after each slot are those of another market."""
        columns = [column.copy() for column in _another_market(self.candles)]
        handled = 0
        for index in self.slots:
            for column, known in zip(columns, self.candles.arrays, strict=True):
                column[handled : index + 1] = known[handled : index + 1]
            handled = index + 1
            yield self._question(index, 0, Candles.of_arrays(*(column[:] for column in columns)))

    def with_no_more_past(self) -> Iterator[Question]:
        """The candles begin where the declared windows do."""
        kept = warm_up(self.strategy.lookback) // MINUTE_MS
        for index in self.slots:
            begin = max(0, index + 1 - kept)
            yield self._question(index, begin, self.candles[begin:])

    def in_another_year(self) -> Iterator[Question]:
        """The same candles on the same weekday and date, hundreds of years later."""
        later = self._minutes_later() * MINUTE_MS
        columns = self.candles.arrays
        view = self.view(Candles.of_arrays(columns[0] + later, *columns[1:]))
        return (Question(index, Context(view, index + 1)) for index in self.slots)

    def _question(self, index: int, begin: int, candles: Candles) -> Question:
        return Question(index, Context(self.view(candles), index + 1 - begin))

    def _minutes_later(self) -> int:
        """A time after which all intervals begin anew, and the calendar too where that is within its reach."""
        intervals = [parse_interval(each) for each in (self.strategy.interval, *self.strategy.lookback)]
        calendar = math.lcm(CALENDAR_MINUTES, *intervals)
        return calendar if calendar <= LAST_YEARS_MINUTES else math.lcm(WEEK_MINUTES, *intervals)


def _another_market(candles: Candles) -> tuple[NDArray[Any], ...]:
    """Candles of the same minutes, that jump about around the middle of the prices."""
    dice = np.random.default_rng(7)
    close = np.median(candles.close) * np.exp(dice.normal(0, 0.2, len(candles)))
    opened = np.concatenate((close[:1], close[:-1]))
    volume = dice.random(len(candles)) * 1000
    return candles.time, opened, np.maximum(opened, close) * 1.01, np.minimum(opened, close) * 0.99, close, volume


WAYS: tuple[tuple[str, Callable[[Market], Iterator[Question]]], ...] = (
    ("asked twice in a row", Market.twice),
    ("asked in the opposite order", Market.backwards),
    ("asked with other candles after the slot", Market.with_another_future),
    ("asked without the candles before its windows", Market.with_no_more_past),
    ("asked about the same candles in another year", Market.in_another_year),
)
ALONE = "asked alone, freshly loaded"
MOST_ALONE = 50


async def audit_lookahead(fresh: Fresh, market: Market, watching: Watching = nullcontext) -> list[Change]:
    """Every way of asking that changed a decision; none where the strategy is honest.

    `watching` is entered around each question of the first round, for whoever looks at what a strategy does meanwhile.
    """
    known = {index: answer async for index, answer in _answers(fresh(), market.as_it_was(), watching)}
    changes = [await _compared(way, _answers(fresh(), ask(market)), known, market) for way, ask in WAYS]
    changes.append(await _compared(ALONE, _alone(fresh, market), known, market))
    return [change for change in changes if change is not None]


async def _compared(
    way: str, answers: AsyncIterator[tuple[int, str]], known: dict[int, str], market: Market
) -> Change | None:
    asked, changed = 0, dict[int, str]()
    async for index, answer in answers:
        asked += 1
        if answer != known[index]:
            changed.setdefault(index, answer)
    if not changed:
        return None
    first = min(changed)
    return Change(way, len(changed), asked, market.boundary(first), known[first], changed[first])


async def _answers(
    strategy: Strategy, questions: Iterator[Question], watching: Watching = nullcontext
) -> AsyncIterator[tuple[int, str]]:
    for question in questions:
        yield question.index, await _answer(strategy, question.ctx, watching)


async def _alone(fresh: Fresh, market: Market) -> AsyncIterator[tuple[int, str]]:
    questions = list(market.as_it_was())
    for question in questions[:: max(1, -(-len(questions) // MOST_ALONE))]:
        yield question.index, await _answer(fresh(), question.ctx)


async def _answer(strategy: Strategy, ctx: Context, watching: Watching = nullcontext) -> str:
    """What the strategy answers, in words that differ where any bit of it does; an exception is an answer as well."""
    try:
        with watching():
            answer = strategy.function(ctx)
            return told(await answer if inspect.isawaitable(answer) else answer)
    except Exception as error:  # noqa: BLE001  # whatever it raises, it is told beside what it said otherwise
        return f"{type(error).__name__}: {error}"


def told(answer: object) -> str:
    """An answer in words: floats are written so that no two share them."""
    if not isinstance(answer, Signal):
        return "no proposal" if answer is None else repr(answer)
    entry = "at market" if answer.entry is None else f"at {answer.entry!r}"
    note = f", note {answer.note!r}" if answer.note else ""
    levels = f"target {answer.take_profit!r}, stop {answer.stop_loss!r}, {answer.lifetime_minutes!r} minutes"
    return f"{answer.position} {entry}, {levels}{note}"


async def audit_forms(market: Market) -> Change | None:
    """The first slot at which the strategy's two forms answer otherwise; None where they agree at every slot.

    Raises what the vectorised form raises.
    """
    strategy = market.strategy
    assert strategy.form is not None
    interval = strategy.interval_ms // MINUTE_MS
    vectorized = Answers(strategy.form, market.view(market.candles), interval, len(market.candles))
    changed = dict[int, tuple[str, str]]()
    async for index, ordinary in _answers(strategy, market.as_it_was()):
        _, proposal = vectorized.first(index, index + 1)
        if told(proposal) != ordinary:
            changed[index] = ordinary, told(proposal)
    if not changed:
        return None
    first = min(changed)
    return Change(
        "asked in the vectorised form", len(changed), len(market.slots), market.boundary(first), *changed[first]
    )
