"""Candles: six arrays in memory, and one candle as plain numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]

COLUMNS = ("time", "open", "high", "low", "close", "volume")


class Candle(NamedTuple):
    """One candle as Python numbers; `time` is its open time in ms since the epoch, UTC."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Candles:
    """Candles, oldest first, as six read-only arrays of one length: `time` int64 (open time, ms), the others float64.

    Takes anything that numpy makes such arrays of; raises `ValueError` where lengths or shapes differ.
    """

    __slots__ = ("close", "high", "low", "name", "open", "time", "volume", "whole")

    whole: tuple[Candles, slice]

    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

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
            raise ValueError(f"columns of candles differ in length: {lengths}")
        self.time, self.open, self.high, self.low, self.close, self.volume = columns
        self.name = name

    @classmethod
    def of_arrays(cls, *columns: NDArray[Any], name: str = "memory") -> Candles:
        """Candles over arrays that are known to fit, in the order of `COLUMNS`; makes them read-only without a copy."""
        candles = cls.__new__(cls)
        for column in columns:
            column.flags.writeable = False
        candles.time, candles.open, candles.high, candles.low, candles.close, candles.volume = columns
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

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash, and candles are their arrays

    def __repr__(self) -> str:
        return f"<{len(self)} candles of {self.name}>"

    def __getitem__(self, part: slice) -> Candles:
        """A slice, as views; each column is cut when it is first looked at."""
        candles = Candles.__new__(Candles)
        candles.name = self.name
        candles.whole = self, part
        return candles

    def __getattr__(self, column: str) -> NDArray[Any]:
        # Only a column of a slice that nobody has looked at is not there yet.
        if column not in COLUMNS:
            raise AttributeError(f"candles have no {column!r}; they have {', '.join(COLUMNS)}")
        whole, part = self.whole
        values: NDArray[Any] = getattr(whole, column)[part]
        setattr(self, column, values)
        return values

    def where(self, chosen: NDArray[np.bool_]) -> Candles:
        """The candles that a mask chooses."""
        if chosen.all():
            return self
        return Candles.of_arrays(*(column[chosen] for column in self.arrays), name=self.name)

    def between(self, start: int, end: int) -> Candles:
        """The candles with an open time in [start, end), ms."""
        first, last = np.searchsorted(self.time, (start, end))
        return self[int(first) : int(last)]

    def at(self, index: int) -> Candle:
        """One candle as plain numbers."""
        return Candle(
            int(self.time[index]),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def rows(self, begin: int = 0) -> Iterator[Candle]:
        """Every candle from index `begin` on, as plain numbers."""
        return map(Candle, *(column[begin:].tolist() for column in self.arrays))


def _column(name: str, values: ArrayLike, kind: type[np.generic]) -> NDArray[Any]:
    given = np.asarray(values)
    if given.ndim != 1:
        raise ValueError(f"column {name} of candles has {given.ndim} dimensions; it must have one")
    if given.dtype.kind not in "iuf" and given.size:
        raise ValueError(f"column {name} of candles holds {given.dtype}, not numbers")
    if kind is np.int64 and given.dtype.kind == "f" and not (np.isfinite(given) & (given == np.trunc(given))).all():
        wrong = given[~(np.isfinite(given) & (given == np.trunc(given)))][0]
        raise ValueError(f"column time of candles holds {wrong}, which is no whole number of milliseconds")
    column = np.array(given, dtype=kind)
    column.flags.writeable = False
    return column
