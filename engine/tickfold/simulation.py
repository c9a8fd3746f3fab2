"""One stream of a backtest: the session of live, over candles that are all there.

This loop is the definition. It waits for nothing itself: an `async` strategy's question is yielded, and the answer is
sent in, so that plain code and a coroutine drive the same steps.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import attrs

from tickfold_eventstore.events import Event
from tickfold_eventstore.memory import MemoryJournal
from tickfold_eventstore.signals import AcceptedSignal, Stream
from tickfold_projections.active_signal import Flat

from . import notices
from .asking import checked
from .candles import Candles
from .config import Config
from .context import Context, View, first_boundary
from .errors import DeclarationError, StrategyFailed
from .market import AVERAGED, MINUTE_MS, average_prices
from .proposal import Signal
from .risk import Book, reasons
from .search import Search
from .session import Session
from .strategy import Strategy
from .vectorized import Answers

BOUNDARIES_BETWEEN_PROGRESS = 1440


@attrs.frozen
class Proposed:
    """A proposal made at `slot` waits to be judged: who drives goes on here when all others have come so far."""

    slot: int


Step: TypeAlias = notices.Tick | Context | notices.Progress | Proposed
"""An event or result, a question of an async strategy (send its answer in), how far it is, or a proposal that waits."""


@attrs.frozen
class OpenSignal:
    """What is alive at the end of the data. `percentage` is what closing it at `price` would give, net; None for an
    entry that still waits.
    """

    stream: Stream
    signal: AcceptedSignal
    price: float
    percentage: float | None


class Simulation:
    """A strategy over contiguous candles; boundaries before `start` (ms) serve as lookback only.

    Between two questions only a candle that can matter is looked at. With `ticks` every boundary is, and tells its
    result: that plain loop is what the search is held to. With `vectorized` the strategy's vectorised form answers.
    """

    def __init__(
        self,
        stream: Stream,
        strategy: Strategy,
        candles: Candles,
        config: Config,
        *,
        start: int = 0,
        ticks: bool = False,
        books: Sequence[Book] = (),
        vectorized: bool = False,
    ) -> None:
        self.stream = stream
        self.log = MemoryJournal(stream)
        self.price: float | None = None
        self.strategy = strategy
        self._candles = candles
        self._config = config
        self._start = start
        self._ticks = ticks
        if vectorized and strategy.form is None:
            raise DeclarationError(
                f"strategy {strategy.name} has no vectorised form: decorate one with @{strategy.name}.vectorized"
            )
        self._form = strategy.form if vectorized else None
        self._asks_async = strategy.is_async and not vectorized
        self._answers: Answers | None = None
        self._count = len(candles)
        self._books = books
        judge = partial(reasons, books) if books else None
        self.session = Session(strategy, config, self.log, self._publish, judge=judge)

    @property
    def candles(self) -> Candles:
        """What it walks over, lookback included."""
        return self._candles

    def steps(self) -> Generator[Step, object, None]:
        """Walk the candles. Raises `StrategyFailed`; what was decided until then stands."""
        if not self._count:
            return
        averaged = self._config.policy == "backtest_kit" and self._count >= AVERAGED
        candles = self._candles
        averages = candles.once("average prices", lambda: average_prices(candles)) if averaged else None
        view = View(
            self._candles,
            self.strategy.lookback,
            symbol=self.stream.symbol,
            mode="backtest",
            policy=self._config.policy,
            averages=averages,
        )
        if self._form is not None:
            self._answers = Answers(self._form, view, self.strategy.interval_ms // MINUTE_MS, self._count)
        first = max(self._start, first_boundary(view.first_open, self.strategy.lookback))
        begin = (first - view.first_open) // MINUTE_MS - 1
        search = None if self._ticks else Search(self._candles, averages, self._config)
        yield from self._every_candle(view, begin) if search is None else self._where_it_matters(view, search, begin)
        if begin < self._count:
            self.price = view.price(self._count)
        yield self._progress(self._count, begin)

    def _every_candle(self, view: View, begin: int) -> Generator[Step, object, None]:
        """The definition: settle each boundary, ask at each slot, tell what changed nothing."""
        session = self.session
        for end, candle in enumerate(self._candles.rows(begin), begin + 1):
            self.price = price = view.price(end)
            seq = session.seq
            yield from session.settle(candle, price)
            if session.asks_at(candle.time + MINUTE_MS):
                yield from self._question(view, end)
            if session.seq == seq:
                yield session.result(candle.time + MINUTE_MS, price)
            if (end - begin) % BOUNDARIES_BETWEEN_PROGRESS == 0:
                yield self._progress(end, begin)

    def _where_it_matters(self, view: View, search: Search, begin: int) -> Generator[Step, object, None]:
        """The same without the candles at which nothing can happen and nothing is asked.

        `index` is the first candle that was not handled, `unasked` the first whose boundary may yet be a question's.
        """
        session, count = self.session, self._count
        interval, first_minute = self.strategy.interval_ms // MINUTE_MS, view.first_open // MINUTE_MS
        asks_async = self._asks_async
        index = unasked = told = begin
        while unasked < count:
            state = session.state
            if not isinstance(state, Flat):
                unasked = search.next_candle(state, index)
                session.pass_over(unasked - index)
                index = unasked
                if index < count:
                    index += 1
                    self.price = view.price(index)
                    yield from session.settle(self._candles.at(unasked), self.price)
            else:
                slot, proposal = unasked + -(first_minute + unasked + 1) % interval, None
                if not asks_async:
                    stop = min(count, told + BOUNDARIES_BETWEEN_PROGRESS)
                    slot, proposal = self._first_answer(view, slot, stop, interval)
                unasked = min(count, slot + (asks_async or proposal is not None))
                if unasked > index:
                    session.pass_over(unasked - index)
                    index = unasked
                if proposal is not None:
                    yield from self._answered(view, slot + 1, proposal)
                elif asks_async and slot < count:
                    yield from self._question(view, slot + 1)
            if index - told >= BOUNDARIES_BETWEEN_PROGRESS:
                told = index
                yield self._progress(index, begin)

    def _first_answer(self, view: View, slot: int, stop: int, interval: int) -> tuple[int, Signal | None]:
        """Ask from candle `slot` on, slot by slot, until something is proposed or candle `stop` is reached."""
        function = self.strategy.function
        try:
            if self._answers is not None:
                return self._answers.first(slot, stop)
            while slot < stop:
                answer = function(Context(view, slot + 1))
                if answer is not None:
                    return slot, checked(answer, self.stream, view.first_open + (slot + 1) * MINUTE_MS)
                slot += interval
        except (StrategyFailed, KeyboardInterrupt):
            raise
        except BaseException as error:  # as in live: whatever else a strategy raises is its own failure
            raise StrategyFailed(self.stream, view.first_open + (slot + 1) * MINUTE_MS, error) from error
        return slot, None

    def _question(self, view: View, end: int) -> Generator[Step, object, None]:
        """Ask at the boundary that closes candle `end - 1`, whatever the strategy is."""
        ctx = Context(view, end)
        if self._asks_async:
            answer = checked((yield ctx), self.stream, ctx.now)
        else:
            _, answer = self._first_answer(view, end - 1, end, 1)
        if answer is not None:
            yield from self._answered(view, end, answer)

    def _answered(self, view: View, end: int, proposal: Signal) -> Iterator[Step]:
        slot = view.first_open + end * MINUTE_MS
        if self._books:
            yield Proposed(slot)
        self.price = view.price(end)
        yield from self.session.reply(proposal, slot, self.price)

    def _progress(self, index: int, begin: int) -> notices.Progress:
        return notices.Progress(stream=self.stream, handled=max(0, index - begin), total=max(0, self._count - begin))

    def open_signal(self) -> OpenSignal | None:
        """What is alive at the last boundary handled."""
        state = self.session.state
        if isinstance(state, Flat) or self.price is None:
            return None
        result = self.session.result(0, self.price)
        percentage = result.percentage if isinstance(result, notices.Active) else None
        return OpenSignal(self.stream, state.signal, self.price, percentage)

    def _publish(self, events: Sequence[Event]) -> None:
        for book in self._books:
            for event in events:
                book.hear(event)
