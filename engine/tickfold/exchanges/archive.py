"""`archive:PATH`: candles that were kept, month by month, read as they are needed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..archive import Archive, Kept, Shelf, months_between
from ..archive.folder import exchange_of
from ..candles import Candles
from ..errors import DeclarationError, ExchangeUnreachable, UnknownName
from ..market import MINUTE_MS

_MONTHS_AT_HAND = 2


class ArchiveExchange:
    """One exchange of an archive, named as the one that it was filled from, unless told otherwise.

    PATH is the archive, where it holds one exchange (or one of the name that is given), or the folder `exchange=NAME`
    in it. Of a range only its months are read; the two read last stay at hand until `aclose`. Raises
    `DeclarationError` where several could be meant; reading raises `BadCandleFile`, `ExchangeUnreachable`,
    `UnknownName`, `ExtraMissing`.
    """

    waits = False
    piece: int | None = None

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        self._path = Path(path)
        inner = exchange_of(self._path)
        self._archive = Archive(self._path if inner is None else self._path.parent)
        self._kept_as = inner or _only_one(self._archive, name)
        self.name = name or self._kept_as
        self._at_hand: dict[Path, Kept] = {}

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        shelf = self._shelf(symbol)
        parts = [self._kept(shelf, month).candles.between(start, end) for month in months_between(start, end)]
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else Candles.empty()
        columns = zip(*(part.arrays for part in parts), strict=True)
        return Candles.of_arrays(*(np.concatenate(column) for column in columns), name=self.name)

    async def span(self, symbol: str) -> tuple[int, int | None]:
        shelf = self._shelf(symbol)
        months = shelf.months()
        first = next((kept for month in months if len((kept := self._kept(shelf, month)).candles)), None)
        if first is None:
            return 0, 0
        last = next(kept for month in reversed(months) if len((kept := self._kept(shelf, month)).candles))
        return int(first.candles.time[0]), int(last.candles.time[-1]) + MINUTE_MS

    async def aclose(self) -> None:
        """Forget what was read: it is read again when it is asked for again."""
        self._at_hand.clear()

    def _shelf(self, symbol: str) -> Shelf:
        shelf = self._archive.shelf(self._kept_as, symbol)
        if shelf.folder.is_dir():
            return shelf
        if not self._archive.exchanges():
            raise ExchangeUnreachable(self.name, symbol, 1, f"there is no archive of candles in {self._path}")
        raise UnknownName(f"symbol of {self._path}", symbol, tuple(self._archive.symbols(self._kept_as)))

    def _kept(self, shelf: Shelf, month: int) -> Kept:
        path = shelf.path_of(month)
        kept = self._at_hand.pop(path, None)
        if kept is None:
            try:
                kept = shelf.kept(month)
            except OSError as error:
                why = f"{error.filename or path} cannot be read: {error.strerror or error}"
                raise ExchangeUnreachable(self.name, shelf.symbol, 1, why) from error
        self._at_hand[path] = kept
        while len(self._at_hand) > _MONTHS_AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]
        return kept


def _only_one(archive: Archive, name: str | None) -> str:
    """Which exchange of an archive is meant. One that does not exist yet is found missing when it is read."""
    there = archive.exchanges()
    if name in there:
        return name
    if len(there) > 1:
        folders = " or ".join(f"archive:{archive.path}/exchange={each}" for each in there)
        raise DeclarationError(f"{archive.path} holds {len(there)} exchanges; name one: {folders}")
    return there[0] if there else name or archive.path.name
