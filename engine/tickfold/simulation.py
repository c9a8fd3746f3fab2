"""One stream of a backtest: the session of live, over candles that are all there.

This loop is the definition. It waits for nothing itself: an `async` strategy's question is yielded, and the answer is
sent in, so that plain code and a coroutine drive the same steps.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
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
from .context import Context, Windows, first_boundary
from .errors import StrategyFailed
from .market import AVERAGED, MINUTE_MS, average_prices
from .search import Search
from .session import Session
from .strategy import Strategy

BOUNDARIES_BETWEEN_PROGRESS = 1440

Step: TypeAlias = notices.Tick | Context | notices.Progress
"""An event or result, a question of an async strategy (send its answer in), or how far it is."""


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
    result: that plain loop is what the search is held to.
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
    ) -> None:
        self.stream = stream
        self.log = MemoryJournal(stream)
        self.price: float | None = None
        self._strategy = strategy
        self._candles = candles
        self._config = config
        self._start = start
        self._ticks = ticks
        self._committed: list[Event] = []
        self.session = Session(strategy, config, self.log, self._committed.extend)
        priced_by_close = config.policy == "pessimistic" or len(candles) < AVERAGED
        self._first_minute = int(candles.time[0]) // MINUTE_MS if len(candles) else 0
        self._averages = None if priced_by_close else average_prices(candles)

    def steps(self) -> Generator[Step, object, None]:
        """Walk the candles. Raises `StrategyFailed`; what was decided until then stands."""
        candles, session = self._candles, self.session
        if not len(candles):
            return
        first_open, count = self._first_minute * MINUTE_MS, len(candles)
        windows = Windows(candles, self._strategy.lookback)
        search = None if self._ticks else Search(candles, self._averages, self._config)
        begin = (max(self._start, first_boundary(first_open, self._strategy.lookback)) - first_open) // MINUTE_MS - 1
        interval, asks_async = self._strategy.interval_ms // MINUTE_MS, self._strategy.is_async
        index = told = begin
        while index < count:
            if search is not None:
                reached = self._next(search, index, count, interval)
                session.pass_over(reached - index)
                index = reached
                if index >= count:
                    break
            boundary = first_open + (index + 1) * MINUTE_MS
            self.price = price = self._price(index)
            seq = session.seq
            if isinstance(session.state, Flat):
                session.pass_over(1)
            elif session.settle(candles.at(index), price):
                yield from self._news()
            if session.asks_at(boundary):
                ctx = Context(self.stream.symbol, boundary, price, "backtest", windows, index + 1)
                answer = (yield ctx) if asks_async else self._ask(ctx)
                proposal = checked(answer, self.stream, boundary)
                if proposal is not None:
                    session.reply(proposal, boundary, price)
                    yield from self._news()
            if self._ticks and session.seq == seq:
                yield session.result(boundary, price)
            index += 1
            if index - told >= BOUNDARIES_BETWEEN_PROGRESS:
                told = index
                yield notices.Progress(stream=self.stream, handled=index - begin, total=count - begin)
        if count > begin:
            self.price = self._price(count - 1)
        yield notices.Progress(stream=self.stream, handled=count - begin, total=count - begin)

    def _next(self, search: Search, index: int, count: int, interval: int) -> int:
        """The first candle from `index` on that must be looked at: at a slot, or where something can happen."""
        state = self.session.state
        if not isinstance(state, Flat):
            return search.next_candle(state, index)
        boundary = self._first_minute + index + 1
        return min(count, index + -boundary % interval)

    def _price(self, index: int) -> float:
        """What a market order gets at the boundary that closes candle `index`."""
        if self._averages is None:
            return self._candles.close.item(index)
        return self._averages.item(index + 1 - AVERAGED)

    def open_signal(self) -> OpenSignal | None:
        """What is alive at the last boundary handled."""
        state = self.session.state
        if isinstance(state, Flat) or self.price is None:
            return None
        result = self.session.result(0, self.price)
        percentage = result.percentage if isinstance(result, notices.Active) else None
        return OpenSignal(self.stream, state.signal, self.price, percentage)

    def _ask(self, ctx: Context) -> object:
        try:
            return self._strategy.function(ctx)
        except Exception as error:
            raise StrategyFailed(self.stream, ctx.now, error) from error

    def _news(self) -> Iterator[Event]:
        while self._committed:
            yield self._committed.pop(0)
