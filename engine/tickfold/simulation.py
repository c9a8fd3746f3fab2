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
from .proposal import Signal
from .session import Session
from .strategy import Strategy

BOUNDARIES_BETWEEN_PROGRESS = 1440

Step: TypeAlias = notices.Tick | Context | notices.Progress
"""An event or result, a question of an async strategy (send its answer in), or how far it is."""


@attrs.frozen
class OpenSignal:
    """What is alive at the end of the data. `percentage` is what closing it at `price` would give, net; None for an
    entry that still waits."""

    stream: Stream
    signal: AcceptedSignal
    price: float
    percentage: float | None


class Simulation:
    """A strategy over contiguous candles; boundaries before `start` (ms) serve as lookback only."""

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

    def steps(self) -> Generator[Step, object, None]:
        """Walk the candles. Raises `StrategyFailed`; what was decided until then stands."""
        candles, session = self._candles, self.session
        if not len(candles):
            return
        first_open = int(candles.time[0])
        begin = (max(self._start, first_boundary(first_open, self._strategy.lookback)) - first_open) // MINUTE_MS - 1
        total = len(candles) - begin
        windows = Windows(candles, self._strategy.lookback)
        averages = None if self._config.policy == "pessimistic" else average_prices(candles).tolist()
        for end, candle in enumerate(candles.rows(begin), begin + 1):
            boundary = candle.time + MINUTE_MS
            self.price = price = candle.close if averages is None else averages[end - AVERAGED]
            seq = session.seq
            session.settle(candle, price)
            yield from self._news()
            if session.asks_at(boundary):
                ctx = Context(self.stream.symbol, boundary, price, "backtest", windows, end)
                answer = (yield ctx) if self._strategy.is_async else self._ask(ctx)
                proposal = checked(answer, self.stream, boundary)
                if proposal is not None:
                    session.reply(proposal, boundary, price)
                    yield from self._news()
            if self._ticks and session.seq == seq:
                yield session.result(boundary, price)
            if (end - begin) % BOUNDARIES_BETWEEN_PROGRESS == 0:
                yield notices.Progress(stream=self.stream, handled=end - begin, total=total)
        yield notices.Progress(stream=self.stream, handled=total, total=total)

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
