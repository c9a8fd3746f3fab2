"""Live: many streams in one process, each with its journal, independent of each other."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, overload

import anyio
import anyio.abc

from tickfold_eventstore import CorruptJournal, Journal, NewerFormat, Store, Stream
from tickfold_eventstore.events import Closed, Opened
from tickfold_eventstore.lock import StreamLock
from tickfold_eventstore.store import encoded
from tickfold_projections.active_signal import Recovered, recover
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report
from tickfold_projections.statistics import Statistics

from .archive import Archive, check_extra
from .asking import Asking, Watchdog
from .clock import Clock, ReplayClock, WallClock
from .config import Config
from .delivery import Bus
from .errors import NotOpen
from .exchanges import Exchange, Source
from .feed import Feed
from .handle import Handle, Run
from .keeping.keeper import Keeper
from .lockstep import Lockstep, Turn
from .market import MINUTE_MS
from .notices import Fault, Tick, check_include
from .registry import listed
from .reports import journal_report, journal_statistics, out_of_the_way, write_report
from .risk import Risk, find_risks
from .sources import find_exchange
from .strategy import Strategy, find_strategies, find_strategy
from .voice import Voice
from .watch import Outlet, Watch

YIELDED = frozenset({"opened", "closed"})
"""What `run` yields unless `include` asks for more."""


class Live:
    """Runs strategies over live candles (or, with `clock="replay"`, over recorded ones) and never loses a signal.

    An async context manager: leaving it stops, now, what still runs. What is alive then goes on at the next start.
    With an `archive` (a folder) the closed candles that it uses are kept there, once an hour and at the end.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str] = "data",
        *,
        config: Config = Config(),
        clock: Literal["wall", "replay"] | Clock = "wall",
        archive: str | os.PathLike[str] | None = None,
    ) -> None:
        self.store = Store(data_dir)
        self.config = config
        self.clock: Clock = {"wall": WallClock, "replay": ReplayClock}[clock]() if isinstance(clock, str) else clock
        self._watchdog: Watchdog | None = None
        self._tasks: anyio.abc.TaskGroup | None = None
        self._bus = Bus()
        self._runs: weakref.WeakSet[Run[Any]] = weakref.WeakSet()
        self._handles: set[Handle] = set()
        self._exchanges: dict[str | int, Exchange] = {}
        self._lockstep = Lockstep()
        self._claims: dict[str, StreamLock] = {}
        self._archive = None if archive is None else Archive(archive)
        self._keeper: Keeper | None = None
        if self._archive is not None:
            check_extra()

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        self._bus = Bus(self._tasks)
        self._watchdog = None if self.clock.replayed else Watchdog(self.config.slow_strategy)
        if self._archive is not None:
            self._keeper = Keeper(self._archive, functools.partial(_tell, self._bus.voice("the archive"), None))
            self._tasks.start_soon(self._keeper.run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        async with AsyncExitStack() as closing:
            while self._claims:
                closing.callback(self._claims.popitem()[1].close)
            while self._exchanges:
                closing.push_async_callback(self._give_back, self._exchanges.popitem()[1])
            if self._watchdog is not None:
                closing.callback(self._watchdog.close)
            for handle in list(self._handles):
                handle.stop(now=True)
            for run in list(self._runs):
                run.close()
            await self._end(tasks)

    async def _end(self, tasks: anyio.abc.TaskGroup) -> None:
        """Return when every run has ended, and every listener that can has heard of it, cancelled or not."""
        try:
            with anyio.CancelScope(shield=True):
                for handle in list(self._handles):
                    await handle.wait()
                if self._keeper is not None:
                    with anyio.move_on_after(self.config.drain_grace / 1000):
                        await self._keeper.finish()
                with anyio.move_on_after(self.config.drain_grace / 1000):
                    await self._bus.drain()
        finally:
            if self._keeper is not None:
                self._keeper.stop()
            self._bus.close()
            # What the body raised goes on as it is: given to the group, it would come out inside an exception group.
            await tasks.__aexit__(None, None, None)

    async def _give_back(self, exchange: Exchange) -> None:
        """Let an exchange close what it holds, cancelled or not, as long as it does not hang."""
        with anyio.move_on_after(self.config.drain_grace / 1000, shield=True):
            await exchange.aclose()

    @overload
    def run(
        self, symbol: str | Sequence[str], *, strategy: str | Strategy, exchange: str | Source
    ) -> Run[Opened | Closed]: ...

    @overload
    def run(
        self, symbol: str | Sequence[str], *, strategy: str | Strategy, exchange: str | Source, include: Collection[str]
    ) -> Run[Tick]: ...

    def run(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy,
        exchange: str | Source,
        include: Collection[str] = (),
    ) -> Run[Any]:
        """An endless async iterator of `Opened` and `Closed`, and of what `include` names besides, as they are durable.

        `include` takes actions: scheduled, cancelled, rejected, started, stopped, idle, waiting, active. An exception
        of the exchange or the strategy is raised from the iterator. Leaving it stops the run now. Raises `UnknownName`.
        """
        source, found = self._exchange(exchange), find_strategy(strategy)
        find_risks(found.risk)
        wanted = YIELDED | check_include(include)
        symbols = listed(symbol)

        def start(outlet: Outlet) -> Handle:
            return self._start(symbols, found, source, outlet, wanted)

        run: Run[Any] = Run(start, waits_for_reader=self.clock.replayed)
        self._runs.add(run)
        return run

    def background(
        self,
        symbol: str | Sequence[str],
        *,
        strategy: str | Strategy | Sequence[str | Strategy],
        exchange: str | Source,
    ) -> Handle:
        """Start watching, each symbol of each strategy as a stream of its own, and return at once.

        Takes every lock before it returns, of streams and of risk rules: raises `StreamHeld` where one is held, and
        then none is started. Streams that share a risk rule and are started together go in lockstep. A damaged
        journal is told to `listen_error` and stands in `handle.errors`; the other streams run.
        """
        return self._start(symbol, strategy, self._exchange(exchange))

    async def data(self, strategy: str | Strategy) -> Statistics:
        """Every number of the strategy's report, from its journals. Raises as `report` does."""
        return await out_of_the_way(journal_statistics, self.store, strategy)

    async def report(self, strategy: str | Strategy) -> str:
        """What came of a strategy, as Markdown, from its whole journals: the same before and after a restart.

        Raises `UnknownName`, `CorruptJournal`, `NewerFormat`.
        """
        return await out_of_the_way(render_markdown, await self._report(strategy))

    async def dump(self, strategy: str | Strategy, path: str | os.PathLike[str] = "logs/live") -> Path:
        """Write the report as `{strategy}.md` into the folder `path`, whole or not at all; the file's path.

        Raises as `report` does, and `OSError`.
        """
        return await out_of_the_way(write_report, path, await self._report(strategy))

    async def _report(self, strategy: str | Strategy) -> Report:
        made = functools.partial(journal_report, self.store, strategy, costs=self.config.costs, configs=(self.config,))
        return await out_of_the_way(made)

    def _exchange(self, given: str | Source) -> Exchange:
        """What was given, once for all the runs that are given it: it is closed when `Live` closes."""
        if self._tasks is None:
            raise NotOpen("Live", "async with Live() as live:")
        return self._exchanges.setdefault(given if isinstance(given, str) else id(given), find_exchange(given))

    def _start(
        self,
        symbol: str | Sequence[str],
        strategy: str | Strategy | Sequence[str | Strategy],
        source: Exchange,
        outlet: Outlet | None = None,
        include: Collection[str] = (),
    ) -> Handle:
        if self._tasks is None:
            raise NotOpen("Live", "async with Live() as live:")
        pairs = [(each, name) for each in find_strategies(strategy) for name in listed(symbol)]
        rules = {each: find_risks(each.risk) for each, _ in pairs}
        handle = Handle()
        with ExitStack() as opened:
            watches: list[Watch] = []
            unopened: list[Voice] = []
            together: list[tuple[Turn, Journal, Recovered]] = []
            for rule in chain.from_iterable(rules.values()):
                self._claim(rule, opened)
            for each, name in pairs:
                stream = Stream(source.name, each.name, name)
                try:
                    journal, recovered = self.store.open(stream, recover)
                except (CorruptJournal, NewerFormat) as error:
                    if outlet is not None:
                        raise
                    handle.errors[stream] = error
                    unopened.append(self._bus.voice(stream, grace_ms=self.config.drain_grace))
                    _tell(unopened[-1], stream, error, final=True)
                    continue
                opened.callback(journal.close)
                turn = self._lockstep.join(stream, rules[each]) if rules[each] else None
                if turn is not None:
                    opened.callback(turn.leave)
                    together.append((turn, journal, recovered))
                watches.append(self._watch(each, source, journal, recovered, outlet, include, turn))
            self._count(together)
            opened.pop_all()
        self._handles.add(handle)
        handle.adopt(watches, unopened)
        self._tasks.start_soon(functools.partial(self._see_through, handle, together=outlet is not None))
        return handle

    async def _see_through(self, handle: Handle, *, together: bool) -> None:
        """Run what a handle stands for; once that is done, only its user holds on to it."""
        try:
            await handle.watch(together=together)
        finally:
            self._handles.discard(handle)

    def _claim(self, rule: Risk, opened: ExitStack) -> None:
        """Take a rule for this process until `Live` closes: who counts its signals must see all of them."""
        if rule.name not in self._claims:
            self._claims[rule.name] = self.store.claim(f"risk rule {rule.name}", f"risk/{encoded(rule.name)}")
            opened.callback(lambda: self._claims.pop(rule.name).close())

    def _count(self, together: Sequence[tuple[Turn, Journal, Recovered]]) -> None:
        """Let the rules know what the journals of streams that start hold, as far back as they will be asked."""
        began = min((recovered.at or 0 for _, _, recovered in together), default=0)
        oldest = began if self.clock.replayed else self.clock.now() // MINUTE_MS * MINUTE_MS
        for turn, journal, recovered in together:
            turn.recover(journal, recovered.state, oldest)

    def _watch(
        self,
        strategy: Strategy,
        source: Exchange,
        journal: Journal,
        recovered: Recovered,
        outlet: Outlet | None,
        include: Collection[str],
        turn: Turn | None,
    ) -> Watch:
        stream = journal.stream
        voice = self._bus.voice(stream, strategy, grace_ms=self.config.drain_grace)
        report = functools.partial(_tell, voice, stream)
        keep = None if self._keeper is None else functools.partial(self._keeper.take, source.name, stream.symbol)
        feed = Feed(source, stream.symbol, strategy, self.config, self.clock, report, keep)
        asking = Asking(stream, strategy, self._watchdog)
        return Watch(journal, recovered, feed, asking, self.config, self.clock, voice, outlet, include, turn)


def _tell(voice: Voice, stream: Stream | None, error: Exception, *, final: bool = False) -> None:
    voice.publish("error", Fault(stream=stream, at=None, message=str(error), error=error, final=final))
