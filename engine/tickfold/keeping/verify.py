"""Whether what an archive holds is sound: each file against its digest, each candle against what a candle must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from ..archive import Kept, Shelf, Span, digest, month_name
from ..archive.months import after, month_named
from ..archive.shelf import ENDING, gaps
from ..candles import Candles
from ..errors import BadCandleFile, iso
from ..exchanges.checks import first_disorder, first_untrue


@attrs.frozen
class FileVerdict:
    """One file: what it holds, and what is wrong with it (None: nothing)."""

    path: Path
    month: str
    rows: int = 0
    first: int | None = None
    """The open time of its oldest candle, ms."""
    last: int | None = None
    """The open time of its newest candle, ms."""
    gaps: tuple[Span, ...] = ()
    """Minutes for which the source was asked and had no candle."""
    sha256: str | None = None
    fault: str | None = None


def verify(shelf: Shelf) -> Iterator[FileVerdict]:
    """Each file of a symbol, oldest month first. Never writes. Raises `ExtraMissing`, and `OSError` of the disk."""
    for path in sorted(shelf.folder.glob(f"*{ENDING}")):
        if month_named(path.stem) is None:
            yield FileVerdict(path, path.stem, fault="its name is no month, such as 2022-01.parquet: move it elsewhere")
    previous_close: float | None = None
    for month in shelf.months():
        found = _verdict(shelf, month, previous_close)
        yield found[0]
        previous_close = found[1]


def _verdict(shelf: Shelf, month: int, previous_close: float | None) -> tuple[FileVerdict, float | None]:
    path, name = shelf.path_of(month), month_name(month)
    try:
        kept = shelf.kept(month)
    except BadCandleFile as error:
        return FileVerdict(path, name, fault=error.what), previous_close
    candles = kept.candles
    if not len(candles):
        return FileVerdict(path, name, gaps=tuple(gaps(kept)), sha256=digest(candles)), previous_close
    verdict = FileVerdict(
        path,
        name,
        rows=len(candles),
        first=int(candles.time[0]),
        last=int(candles.time[-1]),
        gaps=tuple(gaps(kept)),
        sha256=digest(candles),
        fault=_fault(kept, month, previous_close),
    )
    return verdict, float(candles.close[-1])


def _fault(kept: Kept, month: int, previous_close: float | None) -> str | None:
    """What cannot be true of a month's candles, in words."""
    candles: Candles = kept.candles
    outside = candles.time[(candles.time < month) | (candles.time >= after(month))]
    if len(outside):
        return f"the candle at {iso(int(outside[0]))} is of another month"
    for fault in (first_disorder(candles), first_untrue(candles, previous_close)):
        if fault is not None:
            return f"the candle at {iso(int(candles.time[fault.place]))}: {fault.what}"
    if (candles.time[1:] == candles.time[:-1]).any():
        return "a candle stands in it twice"
    return None


@attrs.frozen
class Holding:
    """What an archive holds of one symbol, all its files taken together."""

    exchange: str
    symbol: str
    files: tuple[FileVerdict, ...]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.files)

    @property
    def first(self) -> int | None:
        return min((each.first for each in self.files if each.first is not None), default=None)

    @property
    def last(self) -> int | None:
        return max((each.last for each in self.files if each.last is not None), default=None)

    @property
    def gaps(self) -> tuple[Span, ...]:
        """Minutes between its candles for which the source had none; what lies before the first or after the last
        candle is no gap.
        """
        first, last = self.first or 0, self.last or 0
        return tuple(
            (max(start, first), min(end, last))
            for each in self.files
            for start, end in each.gaps
            if first < end and start < last
        )

    @property
    def faults(self) -> tuple[FileVerdict, ...]:
        return tuple(each for each in self.files if each.fault is not None)

    @property
    def sha256(self) -> str:
        """A digest of the digests of its months: equal where all candles are."""
        lines = "".join(f"{each.month} {each.sha256}\n" for each in self.files if each.rows)
        return hashlib.sha256(lines.encode()).hexdigest()


def holding(shelf: Shelf) -> Holding:
    """Read and judge every file of a symbol."""
    return Holding(shelf.exchange, shelf.symbol, tuple(verify(shelf)))
