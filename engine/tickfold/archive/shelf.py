"""The candles of one symbol of one exchange: a folder with a Parquet file for each month, such as 2022-01.parquet.

A month is replaced whole: written under another name, synced, renamed. So a killed writer leaves every month as it was
before or as it is afterwards, and what it had begun is swept away by the next. Writers take turns by a lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import numpy as np

from ..candles import Candle, Candles
from ..market import MINUTE_MS
from .months import after, month_name, month_named, months_between
from .parquet import Kept, Span, apart, check_extra, decode, encode

ENDING = ".parquet"
_LOCK = ".lock"
"""Hidden, as what is being written is: programs that read a whole folder pass over such names."""


@attrs.frozen
class Added:
    """What came of adding candles: how many are new, and those that are kept with other values: (kept, given)."""

    new: int = 0
    differing: tuple[tuple[Candle, Candle], ...] = ()


class Shelf:
    """One symbol's candles, by months. Nothing is made on disk before something is added.

    Reading raises `BadCandleFile` where a file is not what was written, `ExtraMissing` without pyarrow, `OSError`.
    """

    def __init__(self, folder: Path, exchange: str, symbol: str) -> None:
        self.folder = folder
        self.exchange = exchange
        self.symbol = symbol

    def months(self) -> list[int]:
        """The months of which there is a file, each by its beginning in ms, oldest first."""
        found = (month_named(path.stem) for path in self.folder.glob(f"*{ENDING}"))
        return sorted(month for month in found if month is not None)

    def path_of(self, month: int) -> Path:
        """Where the file of a month lies."""
        return self.folder / f"{month_name(month)}{ENDING}"

    def kept(self, month: int) -> Kept:
        """What is kept of a month; nothing where it has no file."""
        path = self.path_of(month)
        return decode(path, self.exchange, self.symbol) if path.exists() else Kept(Candles.empty(), ())

    def missing(self, start: int, end: int) -> list[Span]:
        """The minutes in [start, end) that no source was asked for yet."""
        found: list[Span] = []
        at = start
        for first, last in apart([span for month in months_between(start, end) for span in self.kept(month).asked]):
            if at < first and at < end:
                found.append((at, min(first, end)))
            at = max(at, last)
        return [*found, (at, end)] if at < end else found

    def add(self, candles: Candles, asked: Sequence[Span] = (), *, replace: bool = False) -> Added:
        """Keep candles that are in order, each once, and remember for which minutes the source was asked.

        What is kept already stands where it is given otherwise, unless `replace`; what differs is returned.
        """
        check_extra()
        added = Added()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            for month in _months_of(candles, asked):
                end = after(month)
                within = [(max(first, month), min(last, end)) for first, last in asked]
                part = self._add_to(month, candles.between(month, end), within, replace=replace)
                added = Added(added.new + part.new, added.differing + part.differing)
        return added

    def _add_to(self, month: int, candles: Candles, asked: Sequence[Span], *, replace: bool) -> Added:
        before = self.kept(month)
        merged, added = merge(before.candles, candles, replace=replace)
        after_all = Kept(merged, apart([*before.asked, *(span for span in asked if span[0] < span[1])]))
        if added.new or (added.differing and replace) or after_all.asked != before.asked:
            self._replace(self.path_of(month), encode(after_all, self.exchange, self.symbol))
        return added

    def _replace(self, path: Path, content: bytes) -> None:
        making = path.with_name(f".{path.name}.tmp")
        with making.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        making.rename(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self) -> Generator[None]:
        with (self.folder / _LOCK).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for left in self.folder.glob(".*.tmp"):
                left.unlink()
            yield


def merge(kept: Candles, given: Candles, *, replace: bool = False) -> tuple[Candles, Added]:
    """Two sets of candles as one, in order; where both have a minute, the kept one stands, unless `replace`."""
    known = np.isin(given.time, kept.time, assume_unique=True)
    again, new = given.where(known), given.where(~known)
    places = np.searchsorted(kept.time, again.time)
    equal = np.logical_and.reduce(
        [column == others[places] for column, others in zip(again.arrays, kept.arrays, strict=True)]
    )
    differing = tuple((kept.at(int(places[index])), again.at(int(index))) for index in np.flatnonzero(~equal))
    added = Added(len(new), differing)
    if replace and differing:
        stays = np.ones(len(kept), bool)
        stays[places[~equal]] = False
        kept, new = kept.where(stays), given.where(~known | np.isin(given.time, again.where(~equal).time))
    if not len(new):
        return kept, added
    columns = [np.concatenate(pair) for pair in zip(kept.arrays, new.arrays, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Candles.of_arrays(*(column[order] for column in columns), name=kept.name), added


def gaps(kept: Kept) -> list[Span]:
    """The minutes for which the source was asked and had no candle."""
    found: list[Span] = []
    for start, end in kept.asked:
        times = kept.candles.between(start, end).time
        edges = np.concatenate(([start - MINUTE_MS], times, [end]))
        found += [
            (int(edges[place]) + MINUTE_MS, int(edges[place + 1]))
            for place in np.flatnonzero(np.diff(edges) > MINUTE_MS)
        ]
    return found


def _months_of(candles: Candles, asked: Sequence[Span]) -> list[int]:
    spans = [*asked, *([(int(candles.time[0]), int(candles.time[-1]) + 1)] if len(candles) else ())]
    found = {month for start, end in spans for month in months_between(start, end)}
    return sorted(found)
