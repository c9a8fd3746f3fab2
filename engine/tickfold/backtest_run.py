"""One backtest on its way: which stream walks, what it gives, and what came of it."""

from __future__ import annotations

import inspect
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel
import attrs

from tickfold_eventstore.events import Rejected
from tickfold_eventstore.signals import Stream

from . import notices
from .backtest_result import BacktestResult, result_of
from .candles import Candles
from .config import Config
from .context import Context, warm_up
from .delivery import Bus
from .errors import CandlesMissing, DeclarationError, EndlessSource, LoopIsRunning, StrategyFailed, told
from .exchanges import Source, may_be_asked_plainly, span
from .feed import candles_between
from .frame import Frame, find_frame
from .market import MINUTE_MS
from .outside import comes_from_outside
from .registry import listed
from .risk import Book, find_risks
from .simulation import Proposed, Simulation, Step
from .sources import find_exchange
from .strategy import Strategy, find_strategies
from .voice import Voice


class BacktestRun(AsyncIterator[notices.Given]):
    """One backtest, stream by stream, as an iterator. It holds no task and no scope, so it may be left at any time; who
    leaves it before the candles of its last stream are there closes it (`aclose`, `async with`), and so its exchange.

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
        inline: bool = False,
        vectorized: bool = False,
    ) -> None:
        self._config = config
        self._vectorized = vectorized
        self._remember = remember
        self._strategies = find_strategies(strategy)
        self._exchange = find_exchange(exchange)
        self._frame = None if frame is None else find_frame(frame)
        self._include = include
        self._bus = Bus(inline=inline)
        self._voices = {each: self._bus.voice(each.name, each) for each in self._strategies}
        self._books = {rule.name: Book(rule) for each in self._strategies for rule in find_risks(each.risk)}
        self._todo = deque((each, name) for each in self._strategies for name in listed(symbol))
        self._ready: deque[Any] = deque()
        self._simulations: list[Simulation] = []
        self._walking: _Lane | None = None
        self._waiting: list[_Lane] = []
        self._in_a_loop = True
        self._stopped = False
        self._fetching: anyio.CancelScope | None = None
        self._given_back = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> notices.Given:
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
        except StopAsyncIteration:
            await self._give_back()
            raise
        except GeneratorExit:  # whoever waited here is gone, and nothing can be awaited any more
            raise
        except BaseException as error:
            await self._break_off(error)
            raise
        given: notices.Given = self._ready.popleft()
        return given

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End where it stands, and let the exchange close what it holds. May be repeated."""
        self.stop()
        await self.finish()

    async def finish(self) -> None:
        """Walk to the end, for what listeners hear and for `result`."""
        async for _ in self:
            pass

    def execute(self) -> None:
        """Walk to the end from plain code, in an event loop of its own where something in it may wait.

        Raises `LoopIsRunning` where something does, and a loop runs here already.
        """
        inside = _a_loop_is_running()
        sure = self._what_waits()
        if not inside and (sure or self._exchange.waits):
            anyio.run(self.finish)
        elif sure:
            raise LoopIsRunning(sure)
        elif not self._finish_now():
            name = f"exchange {self._exchange.name}"
            raise LoopIsRunning(name) if inside else DeclarationError(f"{name} waits, though it says that it does not")

    def stop(self) -> None:
        """End at the boundary reached."""
        self._stopped = True
        self._todo.clear()
        if self._fetching is not None:
            self._fetching.cancel()

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

    def _what_waits(self) -> str | None:
        """What in it is sure to wait: a strategy, the source or a listener."""
        for strategy in self._strategies:
            if strategy.is_async:
                return f"strategy {strategy.name}"
        if not may_be_asked_plainly(self._exchange):
            return f"exchange {self._exchange.name}"
        return "a listener" if any(voice.needs_a_loop for voice in self._voices.values()) else None

    def _finish_now(self) -> bool:
        """Walk to the end without an event loop; False where something waits all the same."""
        self._in_a_loop = False
        steps = self.finish()
        try:
            steps.send(None)
        except StopIteration:
            return True
        steps.close()
        return False

    async def _begin(self, strategy: Strategy, symbol: str) -> None:
        stream = Stream(self._exchange.name, strategy.name, symbol)
        with self._stoppable():
            start, candles = await self._fetched(strategy, stream)
        if self._stopped:
            return
        ticks = bool(self._include & {"idle", "waiting", "active"}) or self._voices[strategy].wants_ticks
        books = [self._books[rule.name] for rule in find_risks(strategy.risk)]
        simulation = Simulation(
            stream, strategy, candles, self._config, start=start, ticks=ticks, books=books, vectorized=self._vectorized
        )
        self._simulations.append(simulation)
        self._remember(simulation)
        self._walking = _Lane(simulation)
        if not self._todo:  # all that is needed is here, and whoever leaves the loop early closes nothing
            await self._give_back()

    async def _fetched(self, strategy: Strategy, stream: Stream) -> tuple[int, Candles]:
        """The first boundary to handle, and the candles; where there is none, that is told."""
        start, end = await self._range(stream.symbol)
        report = partial(_tell, self._voices[strategy], stream)
        begin = start - warm_up(strategy.lookback)
        candles = await candles_between(
            self._exchange, stream.symbol, begin, end, self._config, report, sleep=None if self._in_a_loop else _sleep
        )
        if not len(candles):
            report(CandlesMissing(stream.symbol, begin, end))
        return start, candles

    @contextmanager
    def _stoppable(self) -> Generator[None]:
        """A wait that `stop` ends. Where no loop runs, nothing waits."""
        if not self._in_a_loop:
            yield
            return
        with anyio.CancelScope() as self._fetching:
            yield

    async def _break_off(self, error: BaseException) -> None:
        """Tell that what walks has ended, and let the exchange close, cancelled or not; nothing comes after it."""
        lane, self._walking = self._walking, None
        self._todo.clear()
        self._waiting.clear()
        known = error if isinstance(error, Exception) else None
        try:
            if lane is not None:
                with nullcontext() if known else self._not_for_long():
                    await self._end(lane, known)
        finally:
            try:
                await self._give_back()
            except Exception as other:  # noqa: BLE001  # it is told beside what ended the run, not in its place
                error.add_note(f"{self._exchange.name} could not be closed either: {told(other)}")

    async def _give_back(self) -> None:
        """Let the exchange close what it holds, once, cancelled or not, as long as it does not hang."""
        if not self._given_back:
            self._given_back = True
            with self._not_for_long():
                await self._exchange.aclose()

    def _not_for_long(self) -> AbstractContextManager[object]:
        """What a cancellation leaves alone for `drain_grace`."""
        return anyio.move_on_after(self._config.drain_grace / 1000, shield=True) if self._in_a_loop else nullcontext()

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
            if self._stopped:
                lane.steps.close()
            try:
                step = lane.steps.send(lane.answer)
            except StopIteration:
                await self._end(lane, None)
                return
            lane.answer = None
            if isinstance(step, Context):
                lane.answer = await _ask(lane, step)
            elif isinstance(step, notices.Progress):
                self._voices[lane.simulation.strategy].publish("progress", step)
                await self._breathe()
            elif isinstance(step, Proposed):
                lane.turn = (step.slot, lane.simulation.stream)
                self._waiting.append(lane)
                self._walking = None
                return
            else:
                self._tell_of(self._voices[lane.simulation.strategy], step)

    def _tell_of(self, voice: Voice, step: notices.Tick) -> None:
        voice.publish("tick" if isinstance(step, notices.Result) else "backtest", step)
        if isinstance(step, Rejected):
            message = f"{step.stream}: proposal rejected: " + "; ".join(step.reasons)
            voice.publish("error", notices.Fault(stream=step.stream, at=step.at, message=message))
        if step.action in self._include:
            self._ready.append(step)

    async def _end(self, lane: _Lane, error: Exception | None) -> None:
        self._walking = None
        done = notices.Done(mode="backtest", stream=lane.simulation.stream, error=error)
        self._voices[lane.simulation.strategy].publish("done_backtest", done)
        await self._breathe()

    async def _breathe(self) -> None:
        if self._in_a_loop:
            await self._bus.drain()
            await anyio.lowlevel.checkpoint()
        else:
            self._bus.drain_now()


@attrs.define(eq=False)
class _Lane:
    """A stream on its way: what to send into its next step, and the turn that its proposal waits for."""

    simulation: Simulation
    steps: Generator[Step, object, None] = attrs.field(init=False)
    answer: object = None
    turn: tuple[int, Stream] | None = None

    def __attrs_post_init__(self) -> None:
        self.steps = self.simulation.steps()


def _a_loop_is_running() -> bool:
    try:
        anyio.current_time()
    except RuntimeError:  # how anyio says that none is, in this thread
        return False
    return True


async def _sleep(duration: int) -> None:
    """Wait that many ms where no event loop could."""
    time.sleep(duration / 1000)  # noqa: ASYNC251  # plain code drives this


def _tell(voice: Voice, stream: Stream, error: Exception) -> None:
    voice.publish("error", notices.Fault(stream=stream, at=None, message=str(error), error=error))


async def _ask(lane: _Lane, ctx: Context) -> object:
    """The answer of an async strategy. Raises `StrategyFailed`."""
    try:
        answer = lane.simulation.strategy.function(ctx)
        return await answer if inspect.isawaitable(answer) else answer
    except BaseException as error:
        if await comes_from_outside(error):
            raise
        raise StrategyFailed(lane.simulation.stream, ctx.now, error) from error
