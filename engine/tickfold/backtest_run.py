"""One backtest on its way: which stream walks, what it gives, and what came of it."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from functools import partial
from operator import attrgetter

import anyio
import anyio.abc
import anyio.lowlevel
import attrs

from tickfold_eventstore.events import Closed, Event, Rejected
from tickfold_eventstore.signals import Stream, Ticks
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report, report
from tickfold_projections.statistics import Statistics, statistics

from . import notices
from .candles import Candles
from .config import Config
from .context import Context, warm_up
from .errors import EndlessSource, StrategyFailed
from .exchanges import Source, span
from .feed import candles_between
from .frame import Frame, find_frame
from .listeners import Bus
from .market import MINUTE_MS
from .registry import listed
from .reports import configuration, made_with
from .risk import Book, find_risks
from .simulation import OpenSignal, Proposed, Simulation, Step
from .outside import comes_from_outside
from .sources import find_exchange
from .strategy import Strategy, find_strategies


@attrs.frozen
class BacktestResult:
    """All that a backtest gives: every event of every stream, in the order of symbols, and what is open at the end."""

    strategy: str
    events: tuple[Event, ...]
    open: tuple[OpenSignal, ...]
    boundaries: Ticks
    config: Config
    candles: dict[Stream, Candles] = attrs.field(factory=dict[Stream, Candles], eq=False, repr=False)
    """What each stream was run over, those that served as lookback too."""
    strategies: dict[Stream, Strategy] = attrs.field(factory=dict[Stream, Strategy], eq=False, repr=False)
    """What each stream was run with."""

    @property
    def closed(self) -> tuple[Closed, ...]:
        """The signals that ended."""
        return tuple(event for event in self.events if isinstance(event, Closed))

    @property
    def statistics(self) -> Statistics:
        """Every number that the report gives."""
        return statistics(self.events, boundaries=self.boundaries)

    def report(self) -> str:
        """What came of it, as Markdown."""
        return render_markdown(self.as_report())

    def as_report(self) -> Report:
        """What came of it, to be rendered in any form; what is open with what closing it would give."""
        return report(
            self.strategy,
            self.events,
            kind="backtest",
            boundaries=self.boundaries,
            prices={each.stream: each.price for each in self.open},
            costs=self.config.costs,
            made={stream: made_with(strategy, self.config) for stream, strategy in self.strategies.items()},
            configurations={self.config.hash: configuration(self.config)},
        )


def result_of(strategy: str, simulations: Sequence[Simulation], config: Config) -> BacktestResult:
    """What came of these streams until now."""
    found = (simulation.open_signal() for simulation in simulations)
    sessions = [simulation.session for simulation in simulations]
    return BacktestResult(
        strategy=strategy,
        events=tuple(event for simulation in simulations for event in simulation.log.read()),
        open=tuple(each for each in found if each is not None),
        boundaries=Ticks(
            idle=sum(each.idle for each in sessions),
            waiting=sum(each.waiting for each in sessions),
            active=sum(each.active for each in sessions),
        ),
        config=config,
        candles={each.stream: each.candles for each in simulations},
        strategies={each.stream: each.strategy for each in simulations},
    )


class BacktestRun(AsyncIterator[notices.Tick]):
    """One backtest, stream by stream, as an iterator. It holds no task and no scope, so it may be left at any time.

    A stream walks to its end before the next begins. One whose strategy names a risk rule stops where it proposes
    something: it is judged when all that share the rule stand at that slot or behind it, in the order of streams.
    """

    def __init__(
        self,
        config: Config,
        symbol: str | Sequence[str],
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
        frame: str | Frame | None,
        include: frozenset[str],
        remember: Callable[[Simulation], None],
        *,
        vectorized: bool = False,
    ) -> None:
        self._config = config
        self._vectorized = vectorized
        self._remember = remember
        self._strategies = find_strategies(strategy)
        self._exchange = find_exchange(exchange)
        self._frame = None if frame is None else find_frame(frame)
        self._include = include
        self._bus = Bus()
        for each in self._strategies:
            self._bus.attend(each)
        self._books = {rule.name: Book(rule) for each in self._strategies for rule in find_risks(each.risk)}
        self._todo = deque((each, name) for each in self._strategies for name in listed(symbol))
        self._ready: deque[notices.Tick] = deque()
        self._simulations: list[Simulation] = []
        self._walking: _Lane | None = None
        self._waiting: list[_Lane] = []
        self._in_a_loop = True
        self._given_back = False

    @property
    def needs_a_loop(self) -> bool:
        """Whether something in it waits: a strategy, the source or a listener."""
        waits = any(strategy.is_async for strategy in self._strategies)
        return waits or self._exchange.waits or self._bus.needs_a_loop()

    def __aiter__(self) -> BacktestRun:
        return self

    async def __anext__(self) -> notices.Tick:
        try:
            while not self._ready:
                if self._walking is not None:
                    await self._walk(self._walking)
                elif self._todo:
                    await self._begin(*self._todo.popleft())
                elif self._waiting:
                    self._walking = min(self._waiting, key=attrgetter("turn"))
                    self._waiting.remove(self._walking)
                else:
                    raise StopAsyncIteration
        except Exception as error:
            if self._walking is not None and not isinstance(error, StopAsyncIteration):
                await self._end(self._walking, error)
            await self._give_back()
            raise
        return self._ready.popleft()

    async def finish(self) -> None:
        """Walk to the end, for what listeners hear and for `result`."""
        async for _ in self:
            pass

    def finish_now(self) -> None:
        """Walk to the end from plain code, where nothing waits."""
        self._in_a_loop = False
        steps = self.finish()
        try:
            steps.send(None)
        except StopIteration:
            return
        steps.close()
        raise RuntimeError(f"exchange {self._exchange.name} or a listener waits, though it said that it does not")

    def stop(self) -> None:
        """End at the boundary reached."""
        self._todo.clear()
        for lane in (*self._waiting, *([] if self._walking is None else [self._walking])):
            lane.steps.close()

    def result(self) -> BacktestResult:
        """What was decided until now, by all strategies together."""
        names = ", ".join(strategy.name for strategy in self._strategies)
        return result_of(names, self._simulations, self._config)

    def results(self) -> list[BacktestResult]:
        """What was decided until now, by each strategy."""
        return [
            result_of(each.name, [one for one in self._simulations if one.strategy is each], self._config)
            for each in self._strategies
        ]

    async def _begin(self, strategy: Strategy, symbol: str) -> None:
        stream = Stream(self._exchange.name, strategy.name, symbol)
        start, end = await self._range(symbol)
        report = partial(self._tell, stream)
        candles = await candles_between(
            self._exchange, symbol, start - warm_up(strategy.lookback), end, self._config, report
        )
        ticks = bool(self._include & {"idle", "waiting", "active"}) or self._bus.wants_ticks(strategy.name)
        books = [self._books[rule.name] for rule in find_risks(strategy.risk)]
        simulation = Simulation(
            stream, strategy, candles, self._config, start=start, ticks=ticks, books=books, vectorized=self._vectorized
        )
        self._simulations.append(simulation)
        self._remember(simulation)
        self._walking = _Lane(simulation)
        if not self._todo:  # all that is needed is here, and whoever leaves the loop early closes nothing
            await self._give_back()

    async def _give_back(self) -> None:
        """Let the exchange close what it holds, once."""
        if not self._given_back:
            self._given_back = True
            await self._exchange.aclose()

    async def _range(self, symbol: str) -> tuple[int, int]:
        """The first boundary, and the end of the candles that are needed."""
        if self._frame is not None:
            return self._frame.start, self._frame.end - MINUTE_MS
        first, end = await span(self._exchange, symbol)
        if end is None:
            raise EndlessSource(self._exchange.name)
        return first, end

    async def _walk(self, lane: _Lane) -> None:
        """Walk on until there is something to give, to a proposal that waits for its turn, or to the end."""
        while not self._ready:
            try:
                step = lane.steps.send(lane.answer)
            except StopIteration:
                await self._end(lane, None)
                return
            lane.answer = None
            if isinstance(step, Context):
                lane.answer = await _ask(lane, step)
            elif isinstance(step, notices.Progress):
                self._bus.publish("progress", step)
                await self._breathe()
            elif isinstance(step, Proposed):
                lane.turn = (step.slot, lane.simulation.stream)
                self._waiting.append(lane)
                self._walking = None
                return
            else:
                self._tell_of(step)

    def _tell_of(self, step: notices.Tick) -> None:
        self._bus.publish("tick" if isinstance(step, notices.Result) else "backtest", step)
        if isinstance(step, Rejected):
            message = f"{step.stream}: proposal rejected: " + "; ".join(step.reasons)
            self._bus.publish("error", notices.Fault(stream=step.stream, at=step.at, message=message))
        if step.action in self._include:
            self._ready.append(step)

    async def _end(self, lane: _Lane, error: Exception | None) -> None:
        self._walking = None
        done = notices.Done(mode="backtest", stream=lane.simulation.stream, error=error)
        self._bus.publish("done_backtest", done)
        await self._breathe()

    async def _breathe(self) -> None:
        if self._in_a_loop:
            await self._bus.drain()
            await anyio.lowlevel.checkpoint()
        else:
            self._bus.drain_now()

    def _tell(self, stream: Stream, error: Exception) -> None:
        self._bus.publish("error", notices.Fault(stream=stream, at=None, message=str(error), error=error))


@attrs.define(eq=False)
class _Lane:
    """A stream on its way: what to send into its next step, and the turn that its proposal waits for."""

    simulation: Simulation
    steps: Generator[Step, object, None] = attrs.field(init=False)
    answer: object = None
    turn: tuple[int, Stream] | None = None

    def __attrs_post_init__(self) -> None:
        self.steps = self.simulation.steps()


async def _ask(lane: _Lane, ctx: Context) -> object:
    """The answer of an async strategy. Raises `StrategyFailed`."""
    try:
        answer = lane.simulation.strategy.function(ctx)
        return await answer if inspect.isawaitable(answer) else answer
    except BaseException as error:
        if await comes_from_outside(error):
            raise
        raise StrategyFailed(lane.simulation.stream, ctx.now, error) from error
