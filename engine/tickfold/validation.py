"""Is a proposal one that may be traded? All faults at once, in words with the numbers (SPEC: opening)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeGuard

from tickfold_eventstore.signals import Position
from tickfold_projections.profit import break_even_distance

from .config import Config
from .proposal import LONGEST_LIFETIME_MINUTES, LONGEST_NOTE, Signal, shown


def faults(signal: Signal, entry: object, config: Config) -> tuple[str, ...]:
    """Why this proposal cannot be traded; empty where it can. `entry`: the level it waits for, or the price it gets."""
    return (*_price_faults(signal, entry, config), *_lifetime_faults(signal, config), *_note_faults(signal, config))


def is_price(value: object) -> TypeGuard[float]:
    """Whether `value` is a price: a finite float above zero."""
    return isinstance(value, float) and 0.0 < value < math.inf


def position_of(signal: Signal) -> Position | None:
    """The side, where it is one."""
    match signal.position:
        case "long":
            return "long"
        case "short":
            return "short"
        case _:
            return None


def _price_faults(signal: Signal, entry: object, config: Config) -> Iterator[str]:
    for name, value in (("entry", entry), ("take profit", signal.take_profit), ("stop loss", signal.stop_loss)):
        if not is_price(value):
            yield f"{name} {_told(value)} is not a finite price above 0"
    position = position_of(signal)
    if position is None:
        yield f"position {shown(signal.position)!r} is neither long nor short"
        return
    # Each level is judged by itself, so that a fault in one does not hide a fault in the other.
    if is_price(entry) and is_price(signal.take_profit):
        yield from _target_faults(position, entry, signal.take_profit, config)
    if is_price(entry) and is_price(signal.stop_loss):
        yield from _stop_faults(position, entry, signal.stop_loss, config)


def _target_faults(position: Position, entry: float, target: float, config: Config) -> Iterator[str]:
    gain = (target - entry) / entry if position == "long" else (entry - target) / entry
    if gain <= 0:
        side = "above" if position == "long" else "below"
        yield f"take profit {target!r} of a {position} is not {side} its entry {entry!r}"
    elif config.take_profit_covers_costs and gain < (least := break_even_distance(position, config.costs)):
        yield (
            f"take profit {target!r} is {gain:.4%} from the entry {entry!r}; "
            f"fees and slippage take the first {least:.4%}"
        )


def _stop_faults(position: Position, entry: float, stop: float, config: Config) -> Iterator[str]:
    risk = (entry - stop) / entry if position == "long" else (stop - entry) / entry
    if risk <= 0:
        side = "below" if position == "long" else "above"
        yield f"stop loss {stop!r} of a {position} is not {side} its entry {entry!r}"
    elif config.max_stop_loss_distance and risk > config.max_stop_loss_distance:
        yield (
            f"stop loss {stop!r} is {risk:.4%} from the entry {entry!r}; at most "
            f"{config.max_stop_loss_distance:.4%} is allowed"
        )


def _lifetime_faults(signal: Signal, config: Config) -> Iterator[str]:
    lifetime = signal.lifetime_minutes
    if not isinstance(lifetime, float) or not lifetime.is_integer() or lifetime < 1:
        yield f"lifetime {_told(lifetime)} is not a whole number of minutes from 1 up"
    elif lifetime > LONGEST_LIFETIME_MINUTES:
        yield f"lifetime {shown(lifetime)} minutes is over {LONGEST_LIFETIME_MINUTES}, which nothing may outlast"
    elif config.max_lifetime_minutes and lifetime > config.max_lifetime_minutes:
        yield f"lifetime {int(lifetime)} minutes is over the limit of {config.max_lifetime_minutes}"


def _note_faults(signal: Signal, config: Config) -> Iterator[str]:
    if not isinstance(signal.note, str):
        yield f"note {shown(signal.note)} is not text"
    elif not _is_encodable(signal.note):
        yield f"note {shown(signal.note)!r} holds half of a character, which no file can hold"
    elif len(signal.note) > (most := config.max_note_characters or LONGEST_NOTE):
        why = "the limit of" if config.max_note_characters else "what a record of the journal is sure to hold,"
        yield f"note of {len(signal.note)} characters is over {why} {most}"


def _told(value: object) -> str:
    """A value that is no number as a reader must see it: text in quotes, for text is why it is none."""
    return repr(shown(value)) if isinstance(value, str) else shown(value)


def _is_encodable(note: str) -> bool:
    try:
        note.encode()
    except UnicodeEncodeError:
        return False
    return True
