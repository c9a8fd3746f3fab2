"""Candles: six arrays in memory, and one candle as plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DeclarationError

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]

LARGEST_TIME = 2.0**62
"""What comes near to it is no time in any unit, and does not fit the arrays."""

COLUMNS = ("time", "open", "high", "low", "close", "volume")


class Candle(NamedTuple):
    """One candle as Python numbers; `time` is its open time in ms since the epoch, UTC."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


Column = TypeVar("Column", Times, Floats)
Made = TypeVar("Made")


class _Cut(Generic[Column]):
    """A column of a slice that nobody has looked at: it is cut now, and stands in its candles from then on."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, candles: Candles, owner: type) -> Column:
        name = self._name
        whole, part = candles.whole
        values: Column = getattr(whole, name)[part]
        candles.__dict__[name] = values
        return values


class Candles:
    """Candles, oldest first, as six read-only arrays of one length: `time` int64 (open time, ms), the others float64.

    Takes anything that numpy makes such arrays of; raises `DeclarationError` where lengths or shapes differ.
    """

    whole: tuple[Candles, slice]

    time = _Cut[Times]()
    open = _Cut[Floats]()
    high = _Cut[Floats]()
    low = _Cut[Floats]()
    close = _Cut[Floats]()
    volume = _Cut[Floats]()

    def __init__(
        self,
        *,
        time: ArrayLike,
        open: ArrayLike,  # noqa: A002  # the field's word
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike,
        name: str = "memory",
    ) -> None:
        columns: tuple[NDArray[Any], ...] = (
            _column("time", time, np.int64),
            *(
                _column(column, values, np.float64)
                for column, values in zip(COLUMNS[1:], (open, high, low, close, volume), strict=True)
            ),
        )
        lengths = {column: len(values) for column, values in zip(COLUMNS, columns, strict=True)}
        if len(set(lengths.values())) > 1:
            raise DeclarationError(f"columns of candles differ in length: {lengths}")
        self.__dict__.update(zip(COLUMNS, columns, strict=True))
        self.name = name

    @classmethod
    def of_arrays(cls, *columns: NDArray[Any], name: str = "memory") -> Candles:
        """Candles over arrays that are known to fit, in the order of `COLUMNS`; makes them read-only without a copy."""
        candles = cls.__new__(cls)
        for column in columns:
            column.flags.writeable = False
        candles.__dict__.update(zip(COLUMNS, columns, strict=True))
        candles.name = name
        return candles

    @classmethod
    def empty(cls) -> Candles:
        """No candles."""
        return cls(time=(), open=(), high=(), low=(), close=(), volume=())

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The six columns, in the order of `COLUMNS`."""
        return self.time, self.open, self.high, self.low, self.close, self.volume

    def __len__(self) -> int:
        return len(self.time)

    def __eq__(self, other: object) -> bool:
        """Whether all values are the same, bit for bit but for the two zeros; the name does not count."""
        if not isinstance(other, Candles):
            return NotImplemented
        pairs = zip(self.arrays, other.arrays, strict=True)
        return len(self) == len(other) and all((mine == others).all() for mine, others in pairs)

    def same_bytes(self, other: Candles) -> bool:
        """Whether all values are the same, bit for bit: of a few candles this is known much sooner than `==` is."""
        return all(mine.tobytes() == others.tobytes() for mine, others in zip(self.arrays, other.arrays, strict=True))

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash, and candles are their arrays

    def __repr__(self) -> str:
        return f"<{len(self)} candles of {self.name}>"

    def __getitem__(self, part: slice) -> Candles:
        """A slice, as views; each column is cut when it is first looked at."""
        candles = Candles.__new__(Candles)
        candles.name = self.name
        candles.whole = self, part
        return candles

    def once(self, what: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once and kept under the name `what`: candles never change, nor what follows from
        them. So runs over the same candles share it.
        """
        made: dict[Hashable, Made] = self.__dict__.setdefault("_made", {})
        if what not in made:
            made[what] = make()
        return made[what]

    def where(self, chosen: NDArray[np.bool_]) -> Candles:
        """The candles that a mask chooses."""
        if chosen.all():
            return self
        return Candles.of_arrays(*(column[chosen] for column in self.arrays), name=self.name)

    def between(self, start: int, end: int) -> Candles:
        """The candles with an open time in [start, end), ms."""
        return self[bisect_left(self.time, start) : bisect_left(self.time, end)]

    def at(self, index: int) -> Candle:
        """One candle as plain numbers."""
        return Candle(
            self.time.item(index),
            self.open.item(index),
            self.high.item(index),
            self.low.item(index),
            self.close.item(index),
            self.volume.item(index),
        )

    def rows(self, begin: int = 0) -> Iterator[Candle]:
        """Every candle from index `begin` on, as plain numbers."""
        return map(Candle, *(column[begin:].tolist() for column in self.arrays))


def _column(name: str, values: ArrayLike, kind: type[np.generic]) -> NDArray[Any]:
    try:
        given = np.asarray(values)
    except ValueError as error:
        raise DeclarationError(f"column {name} of candles is no array of numbers: {error}") from None
    if given.ndim != 1:
        raise DeclarationError(f"column {name} of candles has {given.ndim} dimensions; it must have one")
    if given.dtype.kind not in "iuf" and given.size:
        raise DeclarationError(f"column {name} of candles holds {given.dtype}, not numbers")
    if kind is np.int64 and given.dtype.kind != "i":
        whole = np.abs(given) < LARGEST_TIME
        whole[whole] = given[whole] == np.trunc(given[whole])
        if not whole.all():
            wrong = given[~whole][0]
            raise DeclarationError(f"column time of candles holds {wrong}, which is no whole number of milliseconds")
    column = np.array(given, dtype=kind)
    column.flags.writeable = False
    return column
