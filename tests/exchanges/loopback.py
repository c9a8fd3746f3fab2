"""Exchanges on the loopback interface that speak the wire formats of binance and kraken, and have bad days on demand.

An exchange here has a clock of its own, moved by hand. What it gives is what has opened by then, the newest candle
still forming. `faults` are used up one a request for candles; where none is left, it answers well.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any, Protocol

import attrs
from aiohttp import web

from tickfold.candles import Candles
from tickfold.exchanges.ccxt import CcxtExchange

MINUTE = 60_000
START_AT = 1_704_067_200_000
"""2024-01-01 00:00 UTC, when the first candle opens."""

Row = tuple[int, float, float, float, float, float]
Fault = Callable[["Loopback", web.Request, str], Awaitable[web.StreamResponse]]
"""(exchange, request, what a good answer would be) → what it answers instead."""


def candle(minute: int) -> Row:
    """The candle of a minute, counted from START_AT, once it has closed."""
    opened = 100 + minute % 50 + 0.25
    return START_AT + minute * MINUTE, opened, opened + 2.5, opened - 1.75, opened + 1, 10 + minute % 7 + 0.125


def candles_of(first: int, last: int) -> list[Row]:
    """The candles of the minutes [first, last), counted from START_AT."""
    return [candle(minute) for minute in range(first, last)]


def rows_of(candles: Candles) -> list[Row]:
    """Candles as plain rows, to compare."""
    return [row[:6] for row in candles.rows()]


class Dialect(Protocol):
    """How one exchange words its answers."""

    id: str
    symbol: str
    candle_path: str

    def urls(self, base: str) -> dict[str, str]: ...

    def markets(self, path: str) -> object: ...

    def page(self, query: dict[str, str], rows: list[Row], most: int | None) -> object: ...


class Binance:
    """Gives candles from `startTime` on, at most 1000; a market at a time for spot, linear and inverse contracts."""

    id = "binance"
    symbol = "BTC/USDT"
    candle_path = "/api/v3/klines"

    def urls(self, base: str) -> dict[str, str]:
        return {"public": f"{base}/api/v3", "fapiPublic": f"{base}/fapi/v1", "dapiPublic": f"{base}/dapi/v1"}

    def markets(self, path: str) -> object:
        names = [("BTC", "USDT"), ("ETH", "USDT"), ("BTC", "USDC")] if path == "/api/v3/exchangeInfo" else []
        symbols = [
            {
                "symbol": base + quote,
                "status": "TRADING",
                "baseAsset": base,
                "quoteAsset": quote,
                "baseAssetPrecision": 8,
                "quotePrecision": 8,
                "filters": [],
                "permissions": ["SPOT"],
            }
            for base, quote in names
        ]
        return {"timezone": "UTC", "rateLimits": [], "exchangeFilters": [], "symbols": symbols}

    def page(self, query: dict[str, str], rows: list[Row], most: int | None) -> object:
        assert query["symbol"] == "BTCUSDT"
        assert query["interval"] == "1m"
        limit = min(int(query["limit"]), 1000 if most is None else most)
        return [
            [time, f"{o:.8f}", f"{h:.8f}", f"{low:.8f}", f"{c:.8f}", f"{v:.8f}", time + 59_999, "0", 1, "0", "0", "0"]
            for time, o, h, low, c, v in rows
            if time >= int(query["startTime"])
        ][:limit]


class NoFurther(Binance):
    """Looks no further than a page reaches from `startTime` on, as some exchanges do."""

    def page(self, query: dict[str, str], rows: list[Row], most: int | None) -> object:
        end = int(query["startTime"]) + int(query["limit"]) * MINUTE
        return super().page(query, [row for row in rows if row[0] < end], most)


class Kraken:
    """Gives the newest 720 candles after `since`, in seconds, whatever lies before them."""

    id = "kraken"
    symbol = "BTC/USD"
    candle_path = "/0/public/OHLC"

    def urls(self, base: str) -> dict[str, str]:
        return {"public": base}

    def markets(self, path: str) -> object:
        if path == "/0/public/Assets":
            return {"error": [], "result": {"XXBT": {"altname": "XBT", "decimals": 10, "status": "enabled"}}}
        pairs = {}
        for base, quote in [("XXBT", "ZUSD"), ("XETH", "ZUSD"), ("XXBT", "ZEUR")]:
            name = f"{base[1:]}{quote[1:]}"
            pairs[base + quote] = {
                "altname": name,
                "wsname": f"{base[1:]}/{quote[1:]}",
                "base": base,
                "quote": quote,
                "pair_decimals": 1,
                "lot_decimals": 8,
                "leverage_buy": [],
                "fees": [],
                "fees_maker": [],
                "ordermin": "0.0001",
                "costmin": "0.5",
                "status": "online",
            }
        return {"error": [], "result": pairs}

    def page(self, query: dict[str, str], rows: list[Row], most: int | None) -> object:
        assert query["pair"] == "XXBTZUSD"
        assert query["interval"] == "1"
        newest = [row for row in rows if row[0] > int(query["since"]) * 1000][-720:][:most]
        given = [
            [time // 1000, f"{o:.5f}", f"{h:.5f}", f"{low:.5f}", f"{c:.5f}", "0.0", f"{v:.8f}", 1]
            for time, o, h, low, c, v in newest
        ]
        return {"error": [], "result": {"XXBTZUSD": given, "last": given[-1][0] if given else 0}}


@attrs.define
class Loopback:
    """One exchange: its clock, what it withholds, how it errs, and what it was asked."""

    dialect: Dialect
    base: str = ""
    now: int = START_AT
    first_minute: int = 0
    withheld: set[int] = attrs.field(factory=set)
    most: int | None = None
    """Rows in a page, where it gives fewer than it could."""
    twice: dict[int, Row] = attrs.field(factory=dict)
    """Minutes that it gives again, and as what."""
    faults: deque[Fault] = attrs.field(factory=deque)
    down: Fault | None = None
    """How it errs as long as this is set."""
    asked: list[str] = attrs.field(factory=list)
    """The path of each request."""
    never: asyncio.Event = attrs.field(factory=asyncio.Event)
    """What a request that hangs waits for."""
    symbols_open: asyncio.Event = attrs.field(factory=asyncio.Event)
    """What a request for the symbols waits for: is set unless a test clears it."""
    symbols_asked: asyncio.Event = attrs.field(factory=asyncio.Event)
    symbols: str | None = None
    """What it says when it is asked for its symbols, where that is not the truth."""

    def client(self, **settings: Any) -> CcxtExchange:
        """The adapter with the real client, whose addresses are those of this exchange."""
        quick = {"rateLimit": 1, "timeout_on_exit": 0, "verify": False}
        return CcxtExchange(
            self.dialect.id, settings={"urls": {"api": self.dialect.urls(self.base)}, **quick, **settings}
        )

    def minute_at(self, minute: int) -> None:
        """Set the clock to the beginning of a minute."""
        self.now = START_AT + minute * MINUTE

    @property
    def pages(self) -> int:
        """How often it was asked for candles."""
        return self.asked.count(self.dialect.candle_path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path != self.dialect.candle_path:
            self.symbols_asked.set()
            await self.symbols_open.wait()
            return self.said(self.symbols or json.dumps(self.dialect.markets(request.path)))
        text = json.dumps(self.dialect.page(dict(request.query), self.rows(), self.most))
        fault = self.down or (self.faults.popleft() if self.faults else None)
        return self.said(text) if fault is None else await fault(self, request, text)

    def rows(self) -> list[Row]:
        forming = (self.now - START_AT) // MINUTE
        rows: list[Row] = []
        for minute in range(self.first_minute, forming):
            if minute not in self.withheld:
                rows.append(candle(minute))
                if minute in self.twice:
                    rows.append(self.twice[minute])
        return [*rows, (START_AT + forming * MINUTE, 1.0, 1.0, 1.0, 1.0, 0.5)]

    def said(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        date = {"Date": formatdate(self.now / 1000, usegmt=True)}
        return web.Response(text=text, status=status, headers=date | (headers or {}), content_type="application/json")


def status(code: int, **headers: str) -> Fault:
    """It refuses, with a status and headers (`retry_after="3"`)."""

    async def fault(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return exchange.said("<html><body>not now</body></html>", code, named)

    return fault


def says(text: str) -> Fault:
    """It answers this, with status 200."""

    async def fault(exchange: Loopback, request: web.Request, good: str) -> web.StreamResponse:
        return exchange.said(text)

    return fault


async def resets(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
    """The connection is reset before a byte is sent."""
    assert request.transport is not None
    request.transport.abort()
    return exchange.said(text)


async def breaks_off(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
    """Half of the body arrives, then the connection is closed."""
    response = web.StreamResponse(headers={"Content-Length": str(len(text)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(text[: len(text) // 2].encode())
    assert request.transport is not None
    request.transport.close()
    return response


async def cuts_short(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
    """Half of the body arrives as if it were the whole."""
    return exchange.said(text[: len(text) // 2])


async def hangs(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
    """No answer comes."""
    await exchange.never.wait()
    return exchange.said(text)


@asynccontextmanager
async def serving(dialect: Dialect) -> AsyncIterator[Loopback]:
    """An exchange that listens on a port of its own."""
    exchange = Loopback(dialect)
    exchange.symbols_open.set()
    application = web.Application()
    application.router.add_get("/{path:.*}", exchange.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        exchange.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield exchange
    finally:
        exchange.never.set()
        exchange.symbols_open.set()
        await runner.cleanup()
