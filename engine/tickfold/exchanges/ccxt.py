"""`ccxt:ID`: the exchanges that ccxt knows, over public data, without a key. The only module that imports ccxt."""

from __future__ import annotations

import asyncio
import difflib
import importlib.util
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs

from ..errors import (
    BadCandles,
    CandlesMissing,
    DeclarationError,
    ExchangeUnreachable,
    NeedsAsyncio,
    SpanUnknown,
    TryAgain,
    UnknownName,
)
from ..market import MINUTE_MS
from .answers import excerpt, hearing, listen
from .protocol import Rows
from .trusted import may_pass

_INTERVAL = "1m"


@attrs.define
class Connection:
    """A client, the event loop that it lives in, and how many calls are using it."""

    client: Any
    loop: asyncio.AbstractEventLoop
    loading: anyio.Lock = attrs.field(factory=anyio.Lock)
    users: int = 0
    given_up: bool = False

    async def close_if_idle(self) -> None:
        """Close the client once it has been given up and nobody uses it any more, even where that is cancelled."""
        if self.given_up and not self.users:
            with anyio.CancelScope(shield=True):
                await self.client.close()


class CcxtExchange:
    """One client, made when it is first needed and shared by all that ask, until `aclose`; the next to ask makes anew.

    `settings` are ccxt's own: `{"options": {"defaultType": "swap"}}`, `{"aiohttp_trust_env": True}` for the proxy that
    the environment names. ccxt spaces the requests as the exchange wants it. Raises `UnknownName` for an id that ccxt
    does not have.
    """

    waits = True
    piece: int | None = 1000 * MINUTE_MS

    def __init__(self, exchange_id: str, name: str | None = None, *, settings: Mapping[str, Any] | None = None) -> None:
        known = known_ids()
        if known and exchange_id not in known:
            raise _unknown("ccxt exchange", exchange_id, known)
        self.name = name or exchange_id
        self._id = exchange_id
        self._settings = dict(settings or {})
        self._connection: Connection | None = None

    async def candles(self, symbol: str, start: int, end: int) -> Rows:
        """Raises `TryAgain` for what may pass, `ExchangeUnreachable`, `UnknownName`, `BadCandles`, `NeedsAsyncio`,
        and `CandlesMissing` where the exchange keeps only newer candles than are asked for.
        """
        async with self._connected() as connection:
            client = connection.client
            # One at a time: ccxt lets all who wait share a task, and the first to be cancelled would cancel it for all.
            async with connection.loading:
                with self._in_words(symbol):
                    markets = await client.load_markets(reload=not client.markets)
            if not markets:
                raise TryAgain("it lists no symbols")
            if symbol not in markets and symbol not in client.markets_by_id:
                raise _unknown(f"symbol of {self.name}", symbol, {*markets, *client.markets_by_id})
            with self._in_words(symbol):
                return await _pages(client, symbol, start, end)

    async def span(self, symbol: str) -> tuple[int, int | None]:
        raise SpanUnknown(self.name)

    async def aclose(self) -> None:
        """Close the client as soon as no call uses it."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.loop is asyncio.get_running_loop():
            connection.given_up = True
            await connection.close_if_idle()

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise NeedsAsyncio(self.name) from None
        if self._connection is None or self._connection.loop is not loop:
            self._connection = Connection(self._client(), loop)
        connection = self._connection
        connection.users += 1
        try:
            yield connection
        finally:
            connection.users -= 1
            await connection.close_if_idle()

    def _client(self) -> Any:
        library = _ccxt()
        kind = getattr(library, self._id, None)
        if kind is None:
            raise _unknown("ccxt exchange", self._id, library.exchanges)
        client: Any = kind(self._settings)
        if not client.has.get("fetchOHLCV") or _INTERVAL not in (client.timeframes or {}):
            raise DeclarationError(f"ccxt:{self._id} gives no one-minute candles; everything here is made of them")
        listen(client)
        return client

    @contextmanager
    def _in_words(self, symbol: str) -> Generator[None]:
        """ccxt's errors as our own: what may pass, and what does not."""
        library = _ccxt()
        try:
            yield
        except library.OperationFailed as error:
            raise TryAgain(_reason(error)) from error
        except library.BaseError as error:
            # Half a body is a fault of the network that ccxt calls one of the exchange.
            if isinstance(error.__cause__, Exception) and may_pass(error.__cause__):
                raise TryAgain(_reason(error)) from error
            raise ExchangeUnreachable(self.name, symbol, 1, _reason(error)) from error
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            # ccxt reads an answer as the exchange documents it, and stumbles where it is another.
            what = f"{self.name} answers in another form than it documents ({_reason(error)})"
            raise BadCandles(symbol, None, what) from error


async def _pages(client: Any, symbol: str, start: int, end: int) -> list[list[float]]:
    """The candles of [start, end), page by page, until the exchange has no more."""
    market = client.market(symbol)
    limit: int | None = client.feature_value_by_type(market["type"], market.get("subType"), "fetchOHLCV", "limit")
    rows: list[list[float]] = []
    since = start
    while since < end:
        wanted = -((since - end) // MINUTE_MS)
        with hearing() as heard:
            page = await client.fetch_ohlcv(symbol, _INTERVAL, since, wanted if limit is None else min(limit, wanted))
        if not page:
            heard.check_emptiness()
        now = client.milliseconds() if heard.at is None else heard.at
        _check_reach(page, symbol, since, end, limit, now)
        end = min(end, now - now % MINUTE_MS)
        new = [row for row in page if since <= row[0] < end]
        rows += new
        if new:
            since = int(new[-1][0]) + MINUTE_MS
        elif limit is None or wanted <= limit:
            break
        else:  # nothing in these minutes, on an exchange that looks no further than a page
            since += limit * MINUTE_MS
    return rows


def _check_reach(page: list[list[float]], symbol: str, since: int, end: int, limit: int | None, now: int) -> None:
    """Raise `CandlesMissing` where a page is the newest candles, whatever was asked for: kraken keeps 720.

    Such a page begins after what was asked for, is full, and goes on to the candle that is forming. (A page that begins
    later because there was nothing before, at a listing, is full and ends right now in one minute of its life.)
    """
    full = limit is not None and len(page) >= limit
    if full and page[0][0] > since and page[-1][0] >= now - 2 * MINUTE_MS:
        raise CandlesMissing(symbol, since, min(end, int(page[0][0])))


def _ccxt() -> Any:
    """ccxt, imported at the first need."""
    import ccxt.async_support  # pyright: ignore[reportMissingTypeStubs]  it has none

    return ccxt.async_support


def known_ids() -> list[str]:
    """The ids that ccxt has, read from the names of its modules: to import it takes a second or two."""
    found = importlib.util.find_spec("ccxt")
    folders = [] if found is None else found.submodule_search_locations or []
    names = (path.stem for folder in folders for path in (Path(folder) / "async_support").glob("*.py"))
    return sorted(name for name in names if not name.startswith("_"))


def _unknown(kind: str, name: str, known: Iterable[str]) -> UnknownName:
    """Names what is near, and how much there is besides: an exchange has thousands of symbols."""
    names = sorted(known)
    upper = {each.upper(): each for each in names}
    near = [upper[each] for each in difflib.get_close_matches(name.upper(), upper, n=4, cutoff=0.5)]
    others = len(names) - len(near)
    return UnknownName(kind, name, (*near, f"{others} others" if near else f"{others}"), near[0] if near else None)


def _reason(error: Exception) -> str:
    return excerpt(f"{type(error).__name__}: {error}")
