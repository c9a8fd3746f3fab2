"""What happens to a signal: the rules of opening and watching, pure.

`decide` looks at one closed candle and says what it does to what is alive; `answer` says what a strategy's proposal
becomes. Live and backtest call these two and no others. A short is the exact mirror of a long: its prices are negated
(which is exact in floating point) and the rules of a long applied, so each rule stands here once.
"""

from __future__ import annotations

import hashlib
from typing import TypedDict, assert_never

import attrs
import msgspec

from tickfold_eventstore.events import Cancelled, CancelReason, Closed, CloseReason, Event, Opened, Rejected, Scheduled
from tickfold_eventstore.signals import AcceptedSignal, Stream
from tickfold_projections.active_signal import Flat, Holding, State, Waiting
from tickfold_projections.profit import profit_and_loss

from .candles import Candle
from .config import Config
from .market import MINUTE_MS
from .proposal import Signal, as_reasons, as_refused
from .validation import faults, is_price

_Exit = tuple[float, CloseReason]


class Envelope(TypedDict):
    """The fields that every event has."""

    seq: int
    at: int
    recorded_at: int
    exchange: str
    strategy: str
    symbol: str


@attrs.frozen
class Place:
    """Where in a stream the next events go: after event `seq`. Without `recorded_at` that is their `at`."""

    stream: Stream
    seq: int
    recorded_at: int | None = None

    def envelope(self, at: int) -> Envelope:
        """What the next event says beside what happened."""
        return {
            "seq": self.seq + 1,
            "at": at,
            "recorded_at": at if self.recorded_at is None else self.recorded_at,
            "exchange": self.stream.exchange,
            "strategy": self.stream.strategy,
            "symbol": self.stream.symbol,
        }


def decide(state: State, candle: Candle, price: float, config: Config, place: Place) -> tuple[Event, ...]:
    """The events that `candle` causes. `price` is what a market order would get at the boundary that closes it."""
    match state:
        case Flat():
            return ()
        case Holding(signal=signal):
            end = _exit(signal, candle, price, config)
            return () if end is None else (_closed(signal, end, candle.time + MINUTE_MS, config, place),)
        case Waiting(signal=signal):
            if config.policy == "pessimistic":
                return _wait(signal, candle, config, place)
            return _wait_like_backtest_kit(signal, candle, config, place)
        case _:
            assert_never(state)


def answer(signal: Signal, slot: int, price: float, config: Config, place: Place) -> Opened | Scheduled | Rejected:
    """What a proposal made at `slot` becomes when a market order would get `price`."""
    waits = signal.entry is not None and not _reached(signal, price)
    found = faults(signal, signal.entry if waits else price, config)
    if found:
        return refuse(signal, slot, found, config, place)
    accepted = AcceptedSignal(
        id=signal_id(place.stream, slot),
        position="long" if signal.position == "long" else "short",
        entry=_float(signal.entry) if waits else price,
        take_profit=_float(signal.take_profit),
        stop_loss=_float(signal.stop_loss),
        lifetime_minutes=int(_float(signal.lifetime_minutes)),
        note=str(signal.note),
        scheduled_at=slot if waits else None,
        opened_at=None if waits else slot,
    )
    return _scheduled(accepted, slot, place) if waits else _opened(accepted, slot, place)


def refuse(signal: Signal, slot: int, reasons: tuple[str, ...], config: Config, place: Place) -> Rejected:
    """The event that says why a proposal was not traded."""
    return Rejected(
        proposal=as_refused(signal, config.max_note_characters),
        reasons=as_reasons(reasons),
        **place.envelope(slot),
    )


def cancel(signal: AcceptedSignal, at: int, reason: CancelReason, place: Place) -> Cancelled:
    """The event that ends a waiting entry."""
    return Cancelled(
        signal=signal,
        reason=reason,
        **place.envelope(at),
    )


def signal_id(stream: Stream, slot: int) -> str:
    """A signal's name: of its stream and the slot at which it was proposed, the same in live, backtest and replay."""
    return hashlib.sha256(msgspec.json.encode((*stream, slot))).hexdigest()[:20]


def _exit(signal: AcceptedSignal, candle: Candle, price: float, config: Config) -> _Exit | None:
    if config.policy == "pessimistic":
        return _touched(signal, candle) or _expired(signal, candle, candle.close)
    _, _, low, target, stop = _as_long(signal, candle)
    if signal.opened_at is not None and candle.time - signal.opened_at >= signal.lifetime_minutes * MINUTE_MS:
        return price, "time_expired"
    if low <= stop:
        return signal.stop_loss, "stop_loss"
    if (price if signal.position == "long" else -price) >= target:
        return signal.take_profit, "take_profit"
    return None


def _touched(signal: AcceptedSignal, candle: Candle) -> _Exit | None:
    """Stop or target of an open signal. A candle that reaches both after its open is a loss."""
    opening, high, low, target, stop = _as_long(signal, candle)
    if opening <= stop:
        return candle.open, "stop_loss"
    if opening >= target:
        return signal.take_profit, "take_profit"
    if low <= stop:
        return signal.stop_loss, "stop_loss"
    if high >= target:
        return signal.take_profit, "take_profit"
    return None


def _expired(signal: AcceptedSignal, candle: Candle, price: float) -> _Exit | None:
    opened_at = signal.opened_at or 0
    over = candle.time + MINUTE_MS >= opened_at + signal.lifetime_minutes * MINUTE_MS
    return (price, "time_expired") if over else None


def _wait(signal: AcceptedSignal, candle: Candle, config: Config, place: Place) -> tuple[Event, ...]:
    at = candle.time + MINUTE_MS
    _, _, low, _, _ = _as_long(signal, candle)
    if low > _entry_as_long(signal):
        return _timeout(signal, at, at, config, place)
    filled = _fill(signal, at, place)
    end = _touched_after_fill(signal, candle)
    if end is None:
        return (filled,)
    return filled, _closed(filled.signal, end, at, config, attrs.evolve(place, seq=filled.seq))


def _touched_after_fill(signal: AcceptedSignal, candle: Candle) -> _Exit | None:
    """Stop or target in the candle that filled the entry, when nobody knows how the candle went on from there."""
    opening, high, low, target, stop = _as_long(signal, candle)
    if opening <= stop:
        return candle.open, "stop_loss"
    if low <= stop:
        return signal.stop_loss, "stop_loss"
    # Where the candle opened above the entry, its high may have come before the fill.
    if high >= target and opening <= _entry_as_long(signal):
        return signal.take_profit, "take_profit"
    return None


def _wait_like_backtest_kit(signal: AcceptedSignal, candle: Candle, config: Config, place: Place) -> tuple[Event, ...]:
    at = candle.time + MINUTE_MS
    _, _, low, _, stop = _as_long(signal, candle)
    timed_out = _timeout(signal, candle.time, at, config, place)
    if timed_out:
        return timed_out
    if low <= stop:
        return (cancel(signal, at, "price_rejected", place),)
    return (_fill(signal, at, place),) if low <= _entry_as_long(signal) else ()


def _timeout(signal: AcceptedSignal, now: int, at: int, config: Config, place: Place) -> tuple[Event, ...]:
    over = config.entry_timeout and now - (signal.scheduled_at or 0) >= config.entry_timeout
    return (cancel(signal, at, "timeout", place),) if over else ()


def _as_long(signal: AcceptedSignal, candle: Candle) -> tuple[float, float, float, float, float]:
    """Open, high, low of the candle and target, stop of the signal, as a long would see them."""
    if signal.position == "long":
        return candle.open, candle.high, candle.low, signal.take_profit, signal.stop_loss
    return -candle.open, -candle.low, -candle.high, -signal.take_profit, -signal.stop_loss


def _entry_as_long(signal: AcceptedSignal) -> float:
    return signal.entry if signal.position == "long" else -signal.entry


def _fill(signal: AcceptedSignal, at: int, place: Place) -> Opened:
    return _opened(msgspec.structs.replace(signal, opened_at=at), at, place)


def _scheduled(signal: AcceptedSignal, at: int, place: Place) -> Scheduled:
    return Scheduled(
        signal=signal,
        **place.envelope(at),
    )


def _opened(signal: AcceptedSignal, at: int, place: Place) -> Opened:
    return Opened(
        signal=signal,
        price=signal.entry,
        **place.envelope(at),
    )


def _closed(signal: AcceptedSignal, end: _Exit, at: int, config: Config, place: Place) -> Closed:
    price, reason = end
    return Closed(
        signal=signal,
        price=price,
        reason=reason,
        pnl=profit_and_loss(signal.position, signal.entry, price, config.costs),
        **place.envelope(at),
    )


def _reached(signal: Signal, price: float) -> bool:
    """Whether a market order would get the limit entry's level or better. No such thing is said of a faulty one."""
    if not is_price(signal.entry):
        return False
    level = _float(signal.entry)
    return price <= level if signal.position == "long" else price >= level


def _float(value: object) -> float:
    """A value that the checks have passed."""
    assert isinstance(value, float)
    return value
