"""Backtest: what live would have done, with no sleep and no disk."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

import anyio
import anyio.abc

from tickfold_eventstore.events import Closed
from tickfold_eventstore.signals import Stream
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report
from tickfold_projections.statistics import Statistics

from . import notices
from .backtest_result import BacktestResult, result_of
from .backtest_run import BacktestRun
from .config import Config
from .errors import NotOpen, UnknownName
from .exchanges import Source
from .frame import Frame
from .reports import name_of, out_of_the_way, write_report
from .simulation import Simulation
from .strategy import Strategy
from .threads import Loop


class Backtest:
    """Runs strategies over recorded or simulated candles; with `vectorized`, each in its vectorised form."""

    def __init__(self, *, config: Config = Config(), vectorized: bool = False) -> None:
        self.config = config
        self.vectorized = vectorized
        self._tasks: anyio.abc.TaskGroup | None = None
        self._last: dict[Stream, Simulation] = {}

    def execute(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
        frame: str | Frame | None = None,
    ) -> BacktestResult:
        """The whole result at once, from plain code; an async strategy, source or listener is driven inside.

        Several strategies share what a risk rule that they name allows, as they do live; `result` is of all of them.

        Raises `StrategyFailed`, `BadCandles`, `ExchangeUnreachable`, and `LoopIsRunning` where something waits and an
        event loop is running already, which says what to write.
        """
        run: BacktestRun[Closed] = BacktestRun(
            self.config,
            symbol,
            strategy,
            exchange,
            frame,
            frozenset(),
            self.remember,
            inline=True,
            vectorized=self.vectorized,
        )
        run.execute()
        return run.result()

    @overload
    def run(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
        frame: str | Frame | None = None,
    ) -> BacktestRun[Closed]: ...

    @overload
    def run(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
        frame: str | Frame | None = None,
        include: Collection[str],
    ) -> BacktestRun[notices.Tick]: ...

    def run(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
        frame: str | Frame | None = None,
        include: Collection[str] = (),
    ) -> BacktestRun[Any]:
        """A finite async iterator of `Closed`, and of what `include` names besides.

        Whoever may leave its loop early writes `async with backtest.run(...) as closed:`, which closes the exchange.
        """
        wanted = notices.check_include(include) | {"closed"}
        return BacktestRun(
            self.config, symbol, strategy, exchange, frame, wanted, self.remember, vectorized=self.vectorized
        )

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
        strategy: str | Strategy | Sequence[str | Strategy],
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
        return await out_of_the_way(result_of(name, runs, self.config).as_report)

    def remember(self, simulation: Simulation) -> None:
        """Report on this run of its stream from now on, in place of the one before."""
        self._last[simulation.stream] = simulation


class BacktestHandle:
    """A backtest in the background."""

    def __init__(self, run: BacktestRun[Closed]) -> None:
        self.error: Exception | None = None
        self._loop = Loop()
        self._run = run
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()

    @property
    def done(self) -> bool:
        """Whether it has ended and every listener has heard."""
        return self._done.is_set()

    def stop(self, *, now: bool = False) -> None:
        """End at the boundary reached; a backtest has nothing to watch on. A plain call, from any thread."""
        self._loop.call(self._run.stop)

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
