"""The one door for candles from outside: asked with patience, checked, joined, and contiguous when they come through.

asked (tried again on network faults) → made arrays → cut to what has closed → repeats dropped → checked
      → holes asked for once more → filled and reported
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio
import attrs
import numpy as np

from ..candles import COLUMNS, LARGEST_TIME, Candles
from ..errors import BadCandles, CandlesFilled, ExchangeUnreachable, TryAgain, told
from ..market import MINUTE_MS
from ..outside import comes_from_outside
from .checks import Span, check, check_unit, fill_gaps, holes, joined, without_repeats
from .protocol import Exchange

LONGEST_PAUSE_MS = 60_000
"""An exchange that asks for a longer pause counts as unreachable."""

_PASSING_FAULTS = {
    ("aiohttp", "ClientError"),
    ("ccxt", "NetworkError"),
    ("httpcore", "NetworkError"),
    ("httpx", "TransportError"),
}
"""Network faults of libraries that a user's exchange may use, by package and class, so that none need be imported."""

_log = logging.getLogger("tickfold.exchanges")


@attrs.frozen
class Patience:
    """How often to try, and how long to pause in between: `pause` ms, doubled each time, give or take a quarter, up to
    a minute or the pause itself. `timeout`: how many ms to wait for an answer; 0: for ever.
    """

    attempts: int
    pause: int
    sleep: Callable[[int], Awaitable[None]]
    jitter: Callable[[], float] = random.random
    """A number in [0, 1)."""
    timeout: int = 0

    def pause_after(self, attempt: int, wanted: int | None) -> int:
        """ms to wait after attempt number `attempt` (from 1); `wanted` is what the exchange asks for at least."""
        grown = min(self.pause * 2 ** (attempt - 1), max(self.pause, LONGEST_PAUSE_MS)) * (0.75 + self.jitter() / 2)
        return max(int(grown), wanted or 0)


async def fetch(
    exchange: Exchange,
    symbol: str,
    start: int,
    end: int,
    *,
    now: int,
    sleep: Callable[[int], Awaitable[None]],
    report: Callable[[Exception], None],
    attempts: int = 3,
    pause: int = 1000,
    jitter: Callable[[], float] = random.random,
    timeout: int = 0,  # noqa: ASYNC109  # of one attempt, not of all
) -> Candles:
    """The closed candles of `symbol` with open time in [start, end), ms, oldest first and without holes.

    There may be fewer at both ends: a newest candle that is not there yet is the caller's to wait for. `now` is the
    time at which a candle counts as closed; `sleep` waits for that many ms; an attempt may take `timeout` ms of real
    time (0: any time); `report` hears of each hole that was filled (`CandlesFilled`). Raises `BadCandles`,
    `ExchangeUnreachable`.
    """
    start, end = -(-start // MINUTE_MS) * MINUTE_MS, min(end, now) // MINUTE_MS * MINUTE_MS
    patience = Patience(attempts, pause, sleep, jitter, timeout)
    delivered = await _delivered(exchange, symbol, start, end, patience)
    missing = holes(delivered)
    if missing:
        for first, last in _together(missing, exchange.piece):
            delivered = joined(delivered, await _delivered(exchange, symbol, first, last, patience))
        check(delivered, symbol)
    candles, filled = fill_gaps(delivered)
    for hole in filled:
        report(CandlesFilled(symbol, *hole))
    return candles


async def _delivered(exchange: Exchange, symbol: str, start: int, end: int, patience: Patience) -> Candles:
    """What the exchange has of [start, end), each candle once, checked."""
    pieces: list[Candles] = []
    for first, last in _pieces(start, end, exchange.piece):
        given = as_candles(await _asked(exchange, symbol, first, last, patience), symbol)
        piece = given.where((given.time >= first) & (given.time < last))
        if len(given) and not len(piece):
            check_unit(given, symbol)
        pieces.append(piece)
    if not pieces:
        return Candles.empty()
    candles = pieces[0]
    if len(pieces) > 1:
        columns = zip(*(piece.arrays for piece in pieces), strict=True)
        candles = Candles.of_arrays(*(np.concatenate(column) for column in columns))
    candles = without_repeats(candles, symbol)
    check(candles, symbol)
    return candles


def _together(missing: list[Span], size: int | None) -> Iterator[Span]:
    """The holes, those that can be asked for at once as one."""
    start, end = missing[0]
    for first, last in missing[1:]:
        if size is not None and last - start > size:
            yield start, end
            start = first
        end = last
    yield start, end


def _pieces(start: int, end: int, size: int | None) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = end if size is None else min(end, start + size)
        yield start, stop
        start = stop


async def _asked(exchange: Exchange, symbol: str, start: int, end: int, patience: Patience) -> object:
    attempt = 1
    while True:
        try:
            return await _answer(exchange, symbol, start, end, patience.timeout)
        except BaseException as error:
            if not isinstance(error, Exception):
                if await comes_from_outside(error):
                    raise
                raise ExchangeUnreachable(exchange.name, symbol, attempt, told(error)) from error
            if not may_pass(error):
                raise
            wanted = error.after if isinstance(error, TryAgain) else None
            if attempt >= patience.attempts or (wanted or 0) > LONGEST_PAUSE_MS:
                raise ExchangeUnreachable(exchange.name, symbol, attempt, _reason(error)) from error
            pause = patience.pause_after(attempt, wanted)
            _log.info("%s gave no candles of %s (%s); tried again in %d ms", exchange.name, symbol, error, pause)
        await patience.sleep(pause)
        attempt += 1


async def _answer(exchange: Exchange, symbol: str, start: int, end: int, wait: int) -> object:
    """What it gives; raises `TryAgain` where it gives nothing for `wait` ms."""
    if not wait:
        return await exchange.candles(symbol, start, end)
    with anyio.move_on_after(wait / 1000):
        return await exchange.candles(symbol, start, end)
    raise TryAgain(f"no answer came in {wait / 1000:g} s")


def may_pass(error: Exception) -> bool:
    """Whether it is a network fault, so that trying again can help."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    return isinstance(error, TryAgain | OSError) or not _PASSING_FAULTS.isdisjoint(kinds)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def as_candles(given: object, symbol: str) -> Candles:
    """What a source gave, as arrays; raises `BadCandles` where it is neither candles nor rows of six numbers."""
    if isinstance(given, Candles):
        return given
    try:
        rows = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise BadCandles(symbol, None, _not_rows(given)) from None
    if not rows.size and isinstance(given, list | tuple | np.ndarray):
        return Candles.empty()
    if rows.ndim != 2 or rows.shape[1] != len(COLUMNS):
        raise BadCandles(symbol, None, _not_rows(given))
    beyond = rows[np.abs(rows[:, 0]) >= LARGEST_TIME]
    if len(beyond):
        raise BadCandles(symbol, None, f"{beyond[0, 0]} is no time in milliseconds since the epoch")
    try:
        return Candles(
            time=rows[:, 0], open=rows[:, 1], high=rows[:, 2], low=rows[:, 3], close=rows[:, 4], volume=rows[:, 5]
        )
    except ValueError as error:
        raise BadCandles(symbol, None, str(error)) from None


def _not_rows(given: object) -> str:
    shown = " ".join(repr(given).split())
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"  # a glance is enough
    if isinstance(given, Iterator | AsyncIterator):
        shown += ": give what it yields, in a list"
    return f"expected Candles, or rows of open time in ms, open, high, low, close and volume, not {shown}"
