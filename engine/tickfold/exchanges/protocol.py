"""What the engine asks of an exchange, and what users may give in place of one."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from ..candles import Candles
from ..errors import BadCandles
from ..frame import of_another_unit
from ..proposal import shown

Rows: TypeAlias = Sequence[Sequence[float]]
"""Candles as rows of open time (ms), open, high, low, close, volume."""

Given: TypeAlias = Candles | Rows
"""What a source may answer."""


class CandleSource(Protocol):
    """What a user writes: a name, and the one-minute candles of a symbol with open time in [start, end), oldest first.

    `async def span(symbol)` (see `Exchange`) and `async def aclose()` may stand beside it. An `OSError` (`TimeoutError`
    and `ConnectionError` are some), the network faults of aiohttp, httpx and ccxt, and `TryAgain` are tried again.
    """

    @property
    def name(self) -> str: ...

    def candles(self, symbol: str, start: int, end: int, /) -> Awaitable[Given] | Given: ...


CandleFunction: TypeAlias = Callable[[str, int, int], Awaitable[Given] | Given]
"""`(symbol, start, end)` → candles; plain or async."""


@runtime_checkable
class Exchange(Protocol):
    """One-minute candles by symbol. What it gives is not trusted: read it through `fetch`."""

    @property
    def name(self) -> str:
        """What streams of it are called."""
        ...

    @property
    def waits(self) -> bool:
        """Whether asking may wait; if not, plain code can drive it without an event loop."""
        ...

    @property
    def piece(self) -> int | None:
        """How many ms of candles to ask for at once, so that a fault costs no more than a piece; None: all."""
        ...

    async def candles(self, symbol: str, start: int, end: int) -> Given:
        """What it has with an open time in [start, end), oldest first; fewer where it has fewer."""
        ...

    async def span(self, symbol: str) -> tuple[int, int | None]:
        """The first open time and the end of the last candle (None: endless), ms. Raises `SpanUnknown`."""
        ...

    async def aclose(self) -> None:
        """Give back what it holds. It may be used again."""
        ...


Source: TypeAlias = Exchange | CandleSource | CandleFunction | Candles
"""All that stands for an exchange."""


async def span(exchange: Exchange, symbol: str) -> tuple[int, int | None]:
    """The first open time of `symbol` and the end of its last candle (None: endless), ms. Raises `SpanUnknown`, and
    `BadCandles` for what is no such pair.
    """
    told: object = await exchange.span(symbol)
    try:
        first, end = cast("tuple[Any, Any]", told)
        first, end = operator.index(first), None if end is None else operator.index(end)
    except (TypeError, ValueError):
        what = f"{shown(told)}, not the first open time and the end of the last candle, in ms"
        raise BadCandles(symbol, None, f"span of {exchange.name} gave {what}") from None
    if first == end:
        return first, end  # it has none
    wrong = of_another_unit(first)
    if end is not None and end < first:
        wrong = f"its end {shown(end)} lies before its start {shown(first)}"
    if wrong:
        raise BadCandles(symbol, None, f"span of {exchange.name}: {wrong}")
    return first, end
