"""Candles to keep, and what was kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio

from tests.exchanges.loopback import MINUTE, Row, candle
from tickfold.archive import Archive, Shelf
from tickfold.candles import Candles
from tickfold.exchanges import Exchange
from tickfold.keeping.download import Progress, download

JANUARY = 1_704_067_200_000
FEBRUARY = 1_706_745_600_000
MARCH = 1_709_251_200_000
MONTH = Path(__file__).parents[3] / "shared" / "data" / "btc-perp-1m-2022-01.csv"


def minutes(*numbers: int) -> Candles:
    """The candles of these minutes, counted from 2024-01-01."""
    return of_rows([candle(number) for number in numbers])


def of_rows(rows: Sequence[Row]) -> Candles:
    names = ("time", "open", "high", "low", "close", "volume")
    return Candles(**{name: [row[place] for row in rows] for place, name in enumerate(names)})  # type: ignore[arg-type]  # lists of numbers


def shelf_in(folder: Path, exchange: str = "x", symbol: str = "BTC/USDT") -> Shelf:
    return Archive(folder).shelf(exchange, symbol)


async def fill(
    exchange: Exchange, shelf: Shelf, start: int, end: int, *, now: int | None = None, replace: bool = False
) -> list[Progress]:
    """Download as the command does, without waiting."""
    steps = download(
        exchange,
        shelf.symbol,
        shelf,
        start,
        end,
        now=end if now is None else now,
        sleep=lambda _: anyio.lowlevel.checkpoint(),
        replace=replace,
    )
    return [step async for step in steps]


def at(minute: int) -> int:
    return JANUARY + minute * MINUTE
