"""Backtest: what live would have done, with no sleep and no disk."""

from __future__ import annotations

import inspect
import os
from collections import deque
from collections.abc import AsyncIterator, Collection, Generator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

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
from .config import Config
from .context import Context, warm_up
from .errors import EndlessSource, NotOpen, StrategyFailed, UnknownName
from .exchanges import Source, span
from .feed import candles_between
from .frame import Frame, find_frame
from .listeners import Bus
from .market import MINUTE_MS
from .registry import listed
from .reports import name_of, out_of_the_way, write_report
from .simulation import OpenSignal, Simulation, Step
from .sources import find_exchange
from .strategy import Strategy, find_strategy


@attrs.frozen
class BacktestResult:
    """All that a backtest gives: every event of every stream, in the order of symbols, and what is open at the end."""

    strategy: str
    events: tuple[Event, ...]
    open: tuple[OpenSignal, ...]
    boundaries: Ticks
    config: Config

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
        )


def _result(strategy: str, simulations: Sequence[Simulation], config: Config) -> BacktestResult:
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
    )


class Backtest:
    """Runs strategies over recorded or simulated candles."""

    def __init__(self, *, config: Config = Config()) -> None:
        self.config = config
        self._tasks: anyio.abc.TaskGroup | None = None
        self._last: dict[Stream, Simulation] = {}

    def execute(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy,
        exchange: str | Source,
        frame: str | Frame | None = None,
    ) -> BacktestResult:
        """The whole result at once, from plain code; an async strategy, source or listener is driven inside.

        Raises `StrategyFailed`, `BadCandles`, `ExchangeUnreachable`; within a running event loop use `run`.
        """
        run = BacktestRun(self, symbol, strategy, exchange, frame, frozenset())
        if run.needs_a_loop:
            anyio.run(run.finish)
        else:
            run.finish_now()
        return run.result()

    def run(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy,
        exchange: str | Source,
        frame: str | Frame | None = None,
        include: Collection[str] = (),
    ) -> BacktestRun:
        """A finite async iterator of `Closed`, and of what `include` names besides."""
        return BacktestRun(self, symbol, strategy, exchange, frame, notices.check_include(include) | {"closed"})

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._tasks is not None
        tasks, self._tasks = self._tasks, None
        tasks.cancel_scope.cancel()
        return await tasks.__aexit__(None, None, None)

    def background(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy,
        exchange: str | Source,
        frame: str | Frame | None = None,
    ) -> BacktestHandle:
        """Run beside other work, inside `async with Backtest() as backtest`; leaving it ends what still runs."""
        if self._tasks is None:
            raise NotOpen("Backtest.background", "async with Backtest() as backtest:")
        handle = BacktestHandle(self.run(symbol, strategy=strategy, exchange=exchange, frame=frame))
        self._tasks.start_soon(handle.finish)
        return handle

    async def data(self, strategy: str | Strategy) -> Statistics:
        """Every number of the strategy's report, over the last run of each of its symbols. Raises `UnknownName`."""
        return (await self._report(strategy)).statistics

    async def report(self, strategy: str | Strategy) -> str:
        """What came of a strategy, as Markdown, over the last run of each of its symbols. Raises `UnknownName`."""
        return await out_of_the_way(render_markdown, await self._report(strategy))

    async def dump(self, strategy: str | Strategy, path: str | os.PathLike[str] = "logs/backtest") -> Path:
        """Write the report as `{strategy}.md` into the folder `path`, whole or not at all; the file's path.

        Raises `UnknownName`, `OSError`.
        """
        return await out_of_the_way(write_report, path, await self._report(strategy))

    async def _report(self, strategy: str | Strategy) -> Report:
        name = name_of(strategy)
        runs = [simulation for stream, simulation in self._last.items() if stream.strategy == name]
        if not runs:
            raise UnknownName("strategy of this backtest", name, tuple(sorted({each.strategy for each in self._last})))
        return await out_of_the_way(_result(name, runs, self.config).as_report)

    def remember(self, simulation: Simulation) -> None:
        """Report on this run of its stream from now on, in place of the one before."""
        self._last[simulation.stream] = simulation


class BacktestHandle:
    """A backtest in the background."""

    def __init__(self, run: BacktestRun) -> None:
        self.error: Exception | None = None
        self._run = run
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()

    @property
    def done(self) -> bool:
        """Whether it has ended and every listener has heard."""
        return self._done.is_set()

    def stop(self, *, now: bool = False) -> None:
        """End at the boundary reached; a backtest has nothing to watch on."""
        self._run.stop()

    async def wait(self) -> BacktestResult:
        """What was decided until the end or the stop; raises what the run raised."""
        await self._done.wait()
        if self.error is not None:
            raise self.error
        return self._run.result()

    async def finish(self) -> None:
        """Drive the run to its end."""
        try:
            await self._run.finish()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the run is awaited
            self.error = error
        finally:
            self._done.set()


class BacktestRun(AsyncIterator[notices.Tick]):
    """One backtest, symbol by symbol, as an iterator. It holds no task and no scope, so it may be left at any time."""

    def __init__(
        self,
        backtest: Backtest,
        symbol: str | Sequence[str],
        strategy: str | Strategy,
        exchange: str | Source,
        frame: str | Frame | None,
        include: frozenset[str],
    ) -> None:
        self._backtest = backtest
        self._strategy = find_strategy(strategy)
        self._exchange = find_exchange(exchange)
        self._frame = None if frame is None else find_frame(frame)
        self._include = include
        self._bus = Bus()
        self._bus.attend(self._strategy)
        self._ticks = bool(include & {"idle", "waiting", "active"}) or self._bus.wants_ticks(self._strategy.name)
        self._todo = deque(listed(symbol))
        self._ready: deque[notices.Tick] = deque()
        self._simulations: list[Simulation] = []
        self._steps: Generator[Step, object, None] | None = None
        self._answer: object = None
        self._in_a_loop = True
        self._given_back = False

    @property
    def needs_a_loop(self) -> bool:
        """Whether something in it waits: the strategy, the source or a listener."""
        return self._strategy.is_async or self._exchange.waits or self._bus.needs_a_loop()

    def __aiter__(self) -> BacktestRun:
        return self

    async def __anext__(self) -> notices.Tick:
        try:
            while not self._ready:
                if self._steps is not None:
                    await self._step(self._steps)
                elif self._todo:
                    await self._begin(self._todo.popleft())
                else:
                    raise StopAsyncIteration
        except Exception as error:
            if self._steps is not None and not isinstance(error, StopAsyncIteration):
                await self._end_stream(error)
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
        if self._steps is not None:
            self._steps.close()

    def result(self) -> BacktestResult:
        """What was decided until now."""
        return _result(self._strategy.name, self._simulations, self._backtest.config)

    async def _begin(self, symbol: str) -> None:
        stream = Stream(self._exchange.name, self._strategy.name, symbol)
        start, end = await self._range(symbol)
        report = partial(self._tell, stream)
        candles = await candles_between(
            self._exchange, symbol, start - warm_up(self._strategy.lookback), end, self._backtest.config, report
        )
        simulation = Simulation(stream, self._strategy, candles, self._backtest.config, start=start, ticks=self._ticks)
        self._simulations.append(simulation)
        self._backtest.remember(simulation)
        self._steps = simulation.steps()
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

    async def _step(self, steps: Generator[Step, object, None]) -> None:
        """Walk on until there is something to give, or to the end of the stream."""
        while not self._ready:
            try:
                step = steps.send(self._answer)
            except StopIteration:
                await self._end_stream(None)
                return
            self._answer = None
            if isinstance(step, Context):
                self._answer = await self._ask(step)
            elif isinstance(step, notices.Progress):
                self._bus.publish("progress", step)
                await self._breathe()
            else:
                self._tell_of(step)

    def _tell_of(self, step: notices.Tick) -> None:
        self._bus.publish("tick" if isinstance(step, notices.Result) else "backtest", step)
        if isinstance(step, Rejected):
            message = f"{step.stream}: proposal rejected: " + "; ".join(step.reasons)
            self._bus.publish("error", notices.Fault(stream=step.stream, at=step.at, message=message))
        if step.action in self._include:
            self._ready.append(step)

    async def _ask(self, ctx: Context) -> object:
        stream = self._simulations[-1].stream
        try:
            answer = self._strategy.function(ctx)
            return await answer if inspect.isawaitable(answer) else answer
        except (Exception, SystemExit) as error:
            raise StrategyFailed(stream, ctx.now, error) from error

    async def _end_stream(self, error: Exception | None) -> None:
        self._steps = None
        stream = self._simulations[-1].stream
        self._bus.publish("done_backtest", notices.Done(mode="backtest", stream=stream, error=error))
        await self._breathe()

    async def _breathe(self) -> None:
        if self._in_a_loop:
            await self._bus.drain()
            await anyio.lowlevel.checkpoint()
        else:
            self._bus.drain_now()

    def _tell(self, stream: Stream, error: Exception) -> None:
        self._bus.publish("error", notices.Fault(stream=stream, at=None, message=str(error), error=error))
