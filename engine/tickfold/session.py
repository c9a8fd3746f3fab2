"""One stream between two commits: decide, append, evolve, publish, in this order and nowhere else.

A session has no clock and waits for nothing. Live and backtest both drive one; it differs only in the journal that it
is given, in who says when something is recorded, and in that live events carry their ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tickfold_eventstore.events import Event, Opened, Rejected, Scheduled, Started, Stopped
from tickfold_eventstore.log import EventLog
from tickfold_eventstore.signals import Ticks
from tickfold_projections.active_signal import Flat, Holding, Recovered, State, Waiting, evolve
from tickfold_projections.profit import profit_and_loss

from . import notices
from .candles import Candle
from .config import Config
from .decide import Place, answer, cancel, decide, refuse
from .proposal import Signal
from .strategy import Strategy

Publish = Callable[[Sequence[Event]], None]
Judge = Callable[[Opened | Scheduled, Signal], tuple[str, ...]]
"""Says why the risk rules refuse what a proposal would become; nothing where they do not."""


class Session:
    """The only writer of its stream. State changes after the append, `publish` hears after that."""

    def __init__(
        self,
        strategy: Strategy,
        config: Config,
        log: EventLog,
        publish: Publish,
        *,
        recovered: Recovered = Recovered(),
        recorded_now: Callable[[], int] | None = None,
        carries_ticks: bool = False,
        judge: Judge | None = None,
    ) -> None:
        self.stream = log.stream
        self.strategy = strategy
        self.config = config
        self.state: State = recovered.state
        self.seq = recovered.seq
        self.answered_slot = recovered.at if recovered.answered else None
        self.idle: int = 0
        self.waiting: int = 0
        self.active: int = 0
        self.missed: int = 0
        self._log = log
        self._publish = publish
        self._recorded_now = recorded_now
        self._carries_ticks = carries_ticks
        self._judge = judge
        self._interval = strategy.interval_ms

    @property
    def place(self) -> Place:
        """Where the next events go."""
        return Place(self.stream, self.seq, self._recorded_now() if self._recorded_now else None)

    def settle(self, candle: Candle, price: float) -> tuple[Event, ...]:
        """Handle the boundary that closes `candle`: count it, and commit what it does to what is alive."""
        state = self.state
        counts = (self.idle, self.waiting, self.active)
        if isinstance(state, Flat):
            self.idle += 1
            return ()
        if isinstance(state, Waiting):
            self.waiting += 1
        else:
            self.active += 1
        events = decide(state, candle, price, self.config, self.place)
        if not events:
            return ()
        try:
            return self.commit(events)
        except BaseException:
            # Not handled after all: whoever comes back to this boundary counts it then.
            self.idle, self.waiting, self.active = counts
            raise

    def pass_over(self, boundaries: int) -> None:
        """Count boundaries of which it is known that nothing happens at them and nothing is asked."""
        if isinstance(self.state, Flat):
            self.idle += boundaries
        elif isinstance(self.state, Waiting):
            self.waiting += boundaries
        else:
            self.active += boundaries

    def asks_at(self, boundary: int) -> bool:
        """Whether the strategy has a question to answer at `boundary`."""
        return isinstance(self.state, Flat) and boundary % self._interval == 0 and boundary != self.answered_slot

    def reply(self, proposal: Signal, slot: int, price: float) -> tuple[Event, ...]:
        """Commit what the strategy's answer to `slot` becomes."""
        event = answer(proposal, slot, price, self.config, self.place)
        if self._judge is not None and not isinstance(event, Rejected):
            reasons = self._judge(event, proposal)
            if reasons:
                event = refuse(proposal, slot, reasons, self.config, self.place)
        return self.commit((event,))

    def cancel_waiting(self, at: int) -> tuple[Event, ...]:
        """Commit the end of a waiting entry, where there is one, because the run stops."""
        if not isinstance(self.state, Waiting):
            return ()
        return self.commit((cancel(self.state.signal, at, "stopped", self.place),))

    def begin(self, at: int, version: str, recovered: str | None) -> tuple[Event, ...]:
        """Commit that a run begins after the boundary `at`."""
        return self.commit(
            (
                Started(
                    version=version,
                    config_hash=self.config.hash,
                    strategy_hash=self.strategy.hash,
                    state_seq=self.state.seq,
                    recovered=recovered,
                    **self.place.envelope(at),
                ),
            )
        )

    def end(self, at: int, reason: str, price: float | None) -> tuple[Event, ...]:
        """Commit that the run ends after the boundary `at`."""
        return self.commit((Stopped(reason=reason, price=price, state_seq=self.state.seq, **self.place.envelope(at)),))

    def commit(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Append one record; only then change the state, and only then let anyone hear. What was appended."""
        if self._carries_ticks:
            ticks = Ticks(idle=self.idle, waiting=self.waiting, active=self.active, missed=self.missed)
            events = (msgspec.structs.replace(events[0], ticks=ticks), *events[1:])
        self._log.append(events, expected_seq=self.seq)
        for event in events:
            self.state = evolve(self.state, event)
        self.seq = events[-1].seq
        if self._carries_ticks:
            self.idle = self.waiting = self.active = self.missed = 0
        self._publish(events)
        return events

    def result(self, boundary: int, price: float) -> notices.Idle | notices.Waiting | notices.Active:
        """What to tell of a boundary that changed nothing."""
        stream = self.stream
        told = {"exchange": stream.exchange, "strategy": stream.strategy, "symbol": stream.symbol}
        match self.state:
            case Flat():
                return notices.Idle(seq=self.seq, at=boundary, price=price, **told)
            case Waiting(signal=signal):
                return notices.Waiting(seq=self.seq, at=boundary, price=price, signal=signal, **told)
            case Holding(signal=signal):
                pnl = profit_and_loss(signal.position, signal.entry, price, self.config.costs)
                return notices.Active(
                    seq=self.seq, at=boundary, price=price, signal=signal, percentage=pnl.percentage, **told
                )
