"""What live uses, kept in an archive: off its hot path, and never in its way.

A tick hands over its candles and goes on. Once an hour, at the end, and where many have gathered, they are written, in
a thread. They are derived data: where a write fails, that is told and the run goes on, and what was lost is fetched
again by `tickfold candles download`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeAlias

import anyio
import anyio.to_thread

from ..archive import Archive, Span
from ..archive.parquet import apart
from ..archive.shelf import merge
from ..candles import Candles
from ..errors import CandlesNotKept, CandlesRevised
from ..market import MINUTE_MS
from ..notices import in_words
from .download import delivered

Part: TypeAlias = tuple[Candles, list[Span]]
"""Contiguous candles, and which of their minutes were filled in."""

EVERY_S = 3600.0
MOST_GATHERED = 100_000
"""Candles, five megabytes of them: a replay gathers as many in a second."""


class Keeper:
    """Gathers candles from plain code and writes them from a task. `tell` hears what went wrong."""

    def __init__(self, archive: Archive, tell: Callable[[Exception], None], *, every_s: float = EVERY_S) -> None:
        self._archive = archive
        self._tell = tell
        self._every_s = every_s
        self._gathered: dict[tuple[str, str], list[Part]] = {}
        self._count = 0
        self._many = anyio.Event()
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._running = anyio.CancelScope()

    def take(self, exchange: str, symbol: str, candles: Candles, filled: Sequence[Span]) -> None:
        """Take contiguous candles that were used; those in `filled` were delivered by nobody and are not kept."""
        if len(candles):
            self._gathered.setdefault((exchange, symbol), []).append((candles, list(filled)))
            self._count += len(candles)
            if self._count >= MOST_GATHERED:
                self._many.set()

    async def run(self) -> None:
        """Write what gathers, until `finish`."""
        with self._running:
            while True:
                with anyio.move_on_after(self._every_s):
                    await self._many.wait()
                self._many = anyio.Event()
                await self.write()

    def stop(self) -> None:
        """Let `run` end; may be repeated."""
        self._running.cancel()

    async def finish(self) -> None:
        """Let `run` end, and write what is left."""
        self.stop()
        await self.write()

    async def write(self) -> None:
        """Write what has gathered."""
        self._count = 0
        while self._gathered:
            (exchange, symbol), parts = self._gathered.popitem()
            told = await anyio.to_thread.run_sync(
                self._written, exchange, symbol, parts, limiter=self._one_at_a_time, abandon_on_cancel=True
            )
            if told is not None:
                self._tell(told)

    def _written(self, exchange: str, symbol: str, parts: list[Part]) -> Exception | None:
        """Add to the archive; what there is to tell of it."""
        asked = apart([(int(part.time[0]), int(part.time[-1]) + MINUTE_MS) for part, _ in parts])
        try:
            candles = functools.reduce(lambda all_, part: merge(all_, delivered(*part))[0], parts, Candles.empty())
            added = self._archive.shelf(exchange, symbol).add(candles, asked)
        except Exception as error:  # noqa: BLE001  # whatever a disk does, it is no reason to end a run
            told = CandlesNotKept(symbol, asked[0][0], asked[-1][1], self._archive.path, in_words(error))
            told.__cause__ = error
            return told
        return CandlesRevised(symbol, *added.differing[0]) if added.differing else None
