"""A strategy asked at many slots at once: what it sees there, and what it proposes.

A row of `Slots` is what `Context` tells at that slot, under the same names: so a vectorised form reads like the
ordinary one, and cannot see beyond a slot's own windows. What it proposes goes the way of every proposal, one by one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from .candles import Candles, Floats, Times
from .context import Mode, View
from .market import MINUTE_MS
from .proposal import Signal, minutes, shown

SLOTS_AT_ONCE = 16_384
"""How many slots a form is asked at together: more cost memory, fewer cost calls."""

VectorizedForm: TypeAlias = Callable[["Slots"], "Proposals"]


class Windows:
    """The declared window of each slot: arrays of two dimensions, a row a slot, in a row oldest first. Read-only."""

    def __init__(self, groups: Candles, stops: NDArray[np.int64], count: int) -> None:
        self._groups = groups
        self._first, self._count = stops - count, count

    @cached_property
    def time(self) -> Times:
        return self._rows(self._groups.time)

    @cached_property
    def open(self) -> Floats:
        return self._rows(self._groups.open)

    @cached_property
    def high(self) -> Floats:
        return self._rows(self._groups.high)

    @cached_property
    def low(self) -> Floats:
        return self._rows(self._groups.low)

    @cached_property
    def close(self) -> Floats:
        return self._rows(self._groups.close)

    @cached_property
    def volume(self) -> Floats:
        return self._rows(self._groups.volume)

    def _rows(self, column: NDArray[Any]) -> NDArray[Any]:
        """A window a slot: views where the slots' windows lie evenly apart, copies where slots share one."""
        first = self._first
        windows = sliding_window_view(column, self._count)
        step = int(first[1] - first[0]) if len(first) > 1 else 1
        if step and (first == first[0] + step * np.arange(len(first))).all():
            return windows[first[0] : first[-1] + 1 : step]
        rows = windows[first]
        rows.flags.writeable = False
        return rows


class Slots:
    """What a strategy may know at each of several slots, oldest first: as in `Context`, with a row for each.

    `now` (ms), `price` and `average_price` are arrays with one value a slot; `candles(interval)` gives the declared
    windows as arrays of two dimensions, a row a slot. All are read-only.
    """

    def __init__(self, view: View, ends: NDArray[np.int64]) -> None:
        self._view = view
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def symbol(self) -> str:
        return self._view.symbol

    @property
    def mode(self) -> Mode:
        return self._view.mode

    @cached_property
    def now(self) -> Times:
        return _read_only(self._view.first_open + self._ends * MINUTE_MS)

    @cached_property
    def price(self) -> Floats:
        return _read_only(self._view.prices(self._ends))

    @cached_property
    def average_price(self) -> Floats:
        return _read_only(self._view.average_prices(self._ends))

    def candles(self, interval: str) -> Windows:
        """The declared window of `interval` at each slot.

        Raises `WindowNotDeclared`, which says what to declare.
        """
        return Windows(*self._view.windows(interval, self._ends))


def _levels(value: ArrayLike) -> ArrayLike:
    """Prices of all slots as one number or an array of floats."""
    return np.asarray(value, np.float64)


def _lifetimes(value: object) -> Floats:
    return np.asarray(minutes(value), np.float64)


def _mask(value: object) -> NDArray[np.bool_]:
    mask = np.asarray(value)
    if mask.dtype != np.bool_:
        raise TypeError(f"long and short say True or False for each slot, not {shown(value)}")
    return mask


@attrs.frozen(kw_only=True, eq=False)
class Proposals:
    """What a vectorised form proposes: at slots where `long` is True a long, where `short` is True a short.

    Each of the rest is one value for all slots or an array with one for each: prices in quote currency, `lifetime` as
    a timedelta or in minutes, `entry` the level of a limit entry (None, or nan at a slot: at market), `note` a text.
    """

    long: ArrayLike = attrs.field(default=False, converter=_mask)
    short: ArrayLike = attrs.field(default=False, converter=_mask)
    take_profit: ArrayLike = attrs.field(converter=_levels)
    stop_loss: ArrayLike = attrs.field(converter=_levels)
    lifetime: timedelta | ArrayLike = attrs.field(converter=_lifetimes)
    entry: ArrayLike | None = attrs.field(default=None, converter=attrs.converters.optional(_levels))
    note: str | Sequence[str] = ""


class Answers:
    """The answers of a vectorised form to the slots of one run, asked for in stretches as they are needed."""

    def __init__(self, form: VectorizedForm, view: View, interval: int, count: int) -> None:
        self._form = form
        self._view = view
        self._interval = interval
        self._count = count
        self._first = self._stop = -1
        self._places: list[int] = []
        self._signal: Callable[[int], Signal] = _nothing

    def first(self, slot: int, stop: int) -> tuple[int, Signal | None]:
        """The first slot from `slot` on at which something is proposed, and the proposal; slots are told by the candle
        that they close. Where there is none before candle `stop`, None, and a slot from `stop` on before which there is
        none either.
        """
        while slot < stop:
            if not self._first <= slot < self._stop:
                self._ask_from(slot)
            chosen = bisect_left(self._places, (slot - self._first) // self._interval)
            if chosen == len(self._places):
                slot = self._stop
                continue
            place = self._places[chosen]
            slot = self._first + place * self._interval
            if slot < stop:
                return slot, self._signal(place)
        return slot, None

    def _ask_from(self, slot: int) -> None:
        ends = np.arange(slot + 1, min(self._count, slot + SLOTS_AT_ONCE * self._interval) + 1, self._interval)
        self._places, self._signal = _told(self._form(Slots(self._view, ends)), len(ends))
        self._first, self._stop = slot, slot + len(ends) * self._interval


def _nothing(place: int) -> Signal:
    raise IndexError(f"no slot was asked, so none at {place} proposes anything")


def _told(given: object, count: int) -> tuple[list[int], Callable[[int], Signal]]:
    """The slots at which something is proposed, by their places, and what is proposed at a place."""
    if not isinstance(given, Proposals):
        raise TypeError(f"returned {type(given).__name__}; a vectorised form returns Proposals(...)")
    long, short = _spread("long", given.long, count), _spread("short", given.short, count)
    both = np.flatnonzero(long & short)
    if len(both):
        raise ValueError(f"slot {both[0]} of {count} is both long and short")
    target, stop = _spread("take_profit", given.take_profit, count), _spread("stop_loss", given.stop_loss, count)
    lifetime = _spread("lifetime", given.lifetime, count)
    entry = None if given.entry is None else _spread("entry", given.entry, count)
    notes = given.note
    if not isinstance(notes, str) and len(notes) != count:
        raise ValueError(f"note has {len(notes)} texts for {count} slots")

    def signal(place: int) -> Signal:
        level = None if entry is None else entry.item(place)
        return Signal(
            position="long" if long[place] else "short",
            take_profit=target.item(place),
            stop_loss=stop.item(place),
            lifetime_minutes=lifetime.item(place),
            entry=None if level is None or level != level else level,  # noqa: PLR0124  # nan is what differs from itself
            note=notes if isinstance(notes, str) else notes[place],
        )

    return np.flatnonzero(long | short).tolist(), signal


def _spread(name: str, values: Any, count: int) -> NDArray[Any]:
    """One value a slot."""
    try:
        return np.broadcast_to(np.asarray(values), (count,))
    except ValueError:
        raise ValueError(f"{name} has the shape {np.shape(values)}; there are {count} slots") from None


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values
