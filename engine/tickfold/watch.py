"""One stream, live: recover, then walk every closed candle in order, on whatever clock.

Whatever ends a watch (a stop, a cancellation, an exception), its journal ends with `stopped` and is as good as after
any other end. Nothing is awaited between a decision and its append, so a cancellation finds both done or neither.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress

import anyio
import anyio.lowlevel

from tickfold_eventstore.errors import CorruptJournal, JournalClosed, JournalPoisoned, StoreError
from tickfold_eventstore.events import Event, Rejected, Started, Stopped
from tickfold_eventstore.journal import Journal
from tickfold_eventstore.signals import Stream
from tickfold_projections.active_signal import Flat, Holding, Recovered, Waiting

from . import notices
from .asking import Asking
from .candles import Candles
from .clock import Clock, ReplayClock
from .config import Config
from .context import Context, View, first_boundary, warm_up
from .errors import CandlesMissing, SlotMissed, StrategyFailed, told
from .feed import DAY_MS, Feed
from .lockstep import Turn
from .market import MINUTE_MS
from .proposal import LONGEST_REASON, shown
from .session import Session
from .version import VERSION
from .voice import Voice

Outlet = Callable[[notices.Tick], Awaitable[None]]

_FINAL = (CorruptJournal, JournalPoisoned, JournalClosed)
_BOUNDARIES_BETWEEN_YIELDS = 64
_STOPPED_NOW = "stopped now"


class Watch:
    """Watches one stream until it is stopped or its candles end.

    With an `outlet` every event (and the results that `include` names) is handed to it, and an exception of the
    exchange or the strategy ends the watch, as `error`; without one it is told to `listen_error`, and the watch goes
    on at the next minute.
    """

    def __init__(
        self,
        journal: Journal,
        recovered: Recovered,
        feed: Feed,
        asking: Asking,
        config: Config,
        clock: Clock,
        voice: Voice,
        outlet: Outlet | None = None,
        include: Collection[str] = (),
        turn: Turn | None = None,
    ) -> None:
        self.stream = journal.stream
        self.error: Exception | None = None
        self.finished = anyio.Event()
        self.journal = journal
        self._recovered = recovered
        self._feed = feed
        self._asking = asking
        self._strategy = asking.strategy
        self._config = config
        self._clock = clock
        self._voice = voice
        self._outlet = outlet
        self._include = frozenset(include)
        self._turn = turn
        self._waits_for_answers = turn is not None or asking.strategy.is_async
        self._session = Session(
            asking.strategy,
            config,
            journal,
            self._publish,
            recovered=recovered,
            recorded_now=None if clock.replayed else clock.now,
            carries_ticks=True,
            judge=None if turn is None else turn.reasons,
        )
        self._tells_ticks = bool(self._include & {"idle", "waiting", "active"}) or voice.wants_ticks
        self._handled: int | None = None
        self._first = 0
        self._last: int | None = None
        self._oldest: int | None = None
        self._newest_at_start = 0
        self._open_slot: int | None = None
        self._price: float | None = None
        self._stopping = False
        self._ended: str | None = None
        self._scope = anyio.CancelScope()
        self._interrupt: anyio.CancelScope | None = None

    def stop(self, *, now: bool = False) -> None:
        """End the watch: when nothing is open any more, or `now`, leaving what is alive to the next start."""
        self._stopping = True
        if now:
            self._voice.hurry()
            self._ended = _STOPPED_NOW
            self._scope.cancel()
        elif self._interrupt is not None and self._may_interrupt():
            self._interrupt.cancel()

    async def run(self) -> None:
        """Watch to the end. Only a cancellation comes out of it; anything else is in `error`."""
        reason = "cancelled"
        stopped: tuple[Event, ...] = ()
        try:
            with self._scope:
                await self._watch()
            reason = self._ended or "end of data"
        except Exception as error:  # noqa: BLE001  # whatever it is, the journal ends and the caller gets it
            self.error = error
            reason = shown(told(error), LONGEST_REASON)
            self._report(error, final=True)
        finally:
            stopped = self._close(reason)
            if self._turn is not None:
                self._turn.leave()
            if reason == "cancelled":
                self._voice.hurry()
            await self._voice.hear_out()
            self._voice.publish("done_live", notices.Done(mode="live", stream=self.stream, error=self.error))
            await self._voice.hear_out()
            self.finished.set()
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # whoever has left hears no more
            await self._hand_out(stopped)

    async def _watch(self) -> None:
        while self._ended is None:
            try:
                await self._step()
            except _FINAL:
                raise
            except Exception as error:
                if self._outlet is not None or (self._clock.replayed and not isinstance(error, StrategyFailed)):
                    raise
                self._report(error)
                if self._turn is not None and self._handled is not None and self._open_slot is None:
                    self._turn.answered(self._handled)  # nobody waits for an answer that will not come
                if not self._clock.replayed:
                    await self._nap_until(_floor(self._clock.now()) + MINUTE_MS + self._config.settle)
            if self._stopping and self._ended is None:
                await self._wind_up()

    async def _step(self) -> None:
        if self._handled is None:
            await self._begin()
        elif self._open_slot is not None:
            await self._answer_open_slot(self._open_slot)
        else:
            await self._tick(self._handled)

    async def _wind_up(self) -> None:
        if self._handled is not None:
            await self._hand_out(self._session.cancel_waiting(self._handled))
        if isinstance(self._session.state, Flat):
            self._ended = "stopped"

    # Starting: where does the run go on from?

    async def _begin(self) -> None:
        start = await self._replay_start() if self._clock.replayed else self._wall_start()
        if self._last is not None and self._recovered.at is None and self._last < self._first:
            self._ended = "end of data"  # too few candles for the first boundary: nothing begins
            return
        started: tuple[Event, ...] = ()
        with self._interruptible():
            until = self._last if self._clock.replayed else _floor(self._clock.now())
            await self._feed.load(
                start - warm_up(self._strategy.lookback), start, until or start + DAY_MS, self._oldest
            )
            if self._feed.next_open != start:
                if self._clock.replayed:
                    self._ended = "end of data"  # what was asked for ends inside a hole: nothing begins
                    return
                if self._feed.next_open is None:
                    raise CandlesMissing(self.stream.symbol, None, start)
                await self._clock.pause(self._config.late_candle_pause)
                return
            if not self._clock.replayed:
                self._first = first_boundary(self._feed.first_open, self._strategy.lookback)
            self._price = self._feed.last_close
            started = self._session.begin(start, VERSION, self.journal.recovered)
            self._handled = start
            if start >= self._first and self._session.asks_at(start) and self._recovered.at is not None:
                self._open_slot = start
            if self._turn is not None:
                self._turn.answered(start) if self._open_slot is None else self._turn.settled(start)
        await self._hand_out(started)

    async def _replay_start(self) -> int:
        first_open, end = await self._feed.span()
        to = self._clock.to if isinstance(self._clock, ReplayClock) else None
        self._first = first_boundary(first_open, self._strategy.lookback)
        self._oldest = first_open
        ends = (end, None if to is None else to - MINUTE_MS)
        self._last = min((last for last in ends if last is not None), default=None)
        return self._first - MINUTE_MS if self._recovered.at is None else self._recovered.at

    def _wall_start(self) -> int:
        newest = self._newest_at_start = _floor(self._clock.now())
        last = self._recovered.at or 0
        return last if not isinstance(self._session.state, Flat) else max(newest - MINUTE_MS, last)

    # A tick: every candle that has closed since the last one handled.

    async def _tick(self, handled: int) -> None:
        if not self._clock.replayed:
            await self._nap_until(handled + MINUTE_MS + self._config.settle)
        newest = self._reach(handled)
        if newest <= handled:
            return
        begun = time.perf_counter()
        with self._interruptible():
            # Where an exception ended a walk before its end, the rest comes first: a history that grew would forget it.
            if self._feed.next_open == handled:
                await self._feed.extend_to(newest, self._last if self._clock.replayed else None)
        await self._walk(handled)
        spent = time.perf_counter() - begun
        timing = notices.Timing(stream=self.stream, at=newest, tick_s=spent, strategy_s=self._asking.take_spent())
        self._voice.publish("performance", timing)
        if self._handled == handled and not self._stopping:
            if self._clock.replayed:
                self._ended = (
                    "end of data"  # the last boundary that was asked for lies in a hole, or behind the candles
                )
                return
            await self._nap_until(self._clock.now() + self._config.late_candle_pause)

    def _reach(self, handled: int) -> int:
        """The newest boundary that can be handled now."""
        if not self._clock.replayed:
            return _floor(self._clock.now() - self._config.settle)
        if self._last is not None and handled >= self._last:
            self._ended = "end of data"
            return handled
        chunk = handled + DAY_MS
        return chunk if self._last is None else min(chunk, self._last)

    async def _walk(self, handled: int) -> None:
        candles = self._feed.candles
        view = self._view(candles)
        session, turn = self._session, self._turn
        begin = (handled - int(candles.time[0])) // MINUTE_MS
        for end, candle in enumerate(candles.rows(begin), begin + 1):
            boundary = candle.time + MINUTE_MS
            if boundary >= self._first or not isinstance(session.state, Flat):
                price = view.price(end)
                before = session.seq
                events = session.settle(candle, price)
                self._handled, self._price = boundary, candle.close
                if turn is not None:
                    turn.settled(boundary)
                await self._hand_out(events)
                if session.asks_at(boundary):
                    await self._question(boundary, price, view, end)
                if self._tells_ticks and session.seq == before:
                    await self._tell(session.result(boundary, price))
            self._handled, self._price = boundary, candle.close
            if turn is not None:
                turn.answered(boundary)
            if self._ended is not None or (self._stopping and not isinstance(session.state, Holding)):
                return
            if end % _BOUNDARIES_BETWEEN_YIELDS == 0:
                await anyio.lowlevel.checkpoint()

    def _view(self, candles: Candles) -> View:
        lookback, policy = self._strategy.lookback, self._config.policy
        return View(candles, lookback, symbol=self.stream.symbol, mode="live", policy=policy)

    # A slot: ask, and commit the answer if it comes in time.

    async def _answer_open_slot(self, slot: int) -> None:
        self._open_slot = None
        candles = self._feed.candles
        view = self._view(candles)
        await self._question(slot, view.price(len(candles)), view, len(candles))
        if self._turn is not None:
            self._turn.answered(slot)

    async def _question(self, slot: int, price: float, view: View, end: int) -> None:
        if self._stopping or not self._is_askable(slot):
            return
        ctx = Context(view, end)
        answer, in_time = None, True
        with self._interruptible() if self._waits_for_answers else nullcontext():
            answer = await self._asking.ask(ctx, self._clock, slot + self._config.max_decision_delay)
            in_time = answer is None or self._turn is None or await self._has_its_turn(self._turn, slot)
        if self._asking.late:
            self._missed(slot)
        elif not in_time:
            self._missed(slot, None if self._turn is None else self._turn.waits_for(slot))
        elif answer is not None and not self._stopping:
            await self._hand_out(self._session.reply(answer, slot, price))

    async def _has_its_turn(self, turn: Turn, slot: int) -> bool:
        """Wait until those that share a risk rule with this stream have settled, and answered where they come first;
        False where that takes longer than an answer counts.
        """
        with self._clock.deadline(slot + self._config.max_decision_delay) as scope:
            await turn.comes(slot)
        return not scope.cancelled_caught

    def _is_askable(self, slot: int) -> bool:
        if self._clock.replayed:
            return True
        now = self._clock.now()
        if _floor(now) == slot and now - slot <= self._config.max_decision_delay:
            return True
        if slot >= self._newest_at_start:
            self._missed(slot)
        return False

    def _missed(self, slot: int, waited_for: Stream | None = None) -> None:
        self._session.missed += 1
        self._report(SlotMissed(self.stream, slot, waited_for))

    # Telling: after the append, and never in its way.

    def _publish(self, events: Sequence[Event]) -> None:
        if self._turn is not None:
            self._turn.hear(events)
        for event in events:
            if not isinstance(event, Started | Stopped):
                self._voice.publish("live", event)
            if isinstance(event, Rejected):
                message = f"{self.stream}: proposal rejected: " + "; ".join(event.reasons)
                self._voice.publish("error", notices.Fault(stream=self.stream, at=event.at, message=message))

    async def _hand_out(self, events: Sequence[Event]) -> None:
        if self._outlet is not None:
            for event in events:
                if event.action in self._include:
                    await self._outlet(event)

    async def _tell(self, result: notices.Idle | notices.Waiting | notices.Active) -> None:
        self._voice.publish("tick", result)
        if self._outlet is not None and result.action in self._include:
            await self._outlet(result)

    def _report(self, error: Exception, *, final: bool = False) -> None:
        message = notices.in_words(error)
        fault = notices.Fault(stream=self.stream, at=self._handled, message=message, error=error, final=final)
        self._voice.publish("error", fault)

    # Waiting and ending.

    @contextmanager
    def _interruptible(self) -> Generator[None]:
        """A wait that a stop cuts short, where nothing is open that must be watched on."""
        with anyio.CancelScope() as scope:
            self._interrupt = scope
            if self._stopping and self._may_interrupt():
                scope.cancel()
            try:
                yield
            finally:
                self._interrupt = None

    def _may_interrupt(self) -> bool:
        return isinstance(self._session.state, Flat) or (
            isinstance(self._session.state, Waiting) and self._handled is not None
        )

    async def _nap_until(self, at: int) -> None:
        with self._interruptible():
            await self._clock.sleep_until(at)

    def _close(self, reason: str) -> tuple[Event, ...]:
        try:
            if self._handled is not None and not isinstance(self.error, _FINAL):
                return self._session.end(self._handled, reason, self._price)
        except StoreError as error:
            self.error = self.error or error
            self._report(error, final=True)
        finally:
            self.journal.close()
        return ()


def _floor(now: int) -> int:
    return now - now % MINUTE_MS
