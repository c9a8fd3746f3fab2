"""What a ccxt client hears, judged where status, headers and body are still at hand; ccxt hands none of them on.

A fault that may pass becomes `TryAgain`, with the pause that the exchange asks for. Rows that are no candles are seen
before ccxt sorts them, drops them or makes them None. And the clock of the exchange is read, from the `Date` header:
by it, not by ours, its newest candle is still forming or has closed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import Any, cast

import attrs

from ..errors import TryAgain

LONGEST_EXCERPT = 200
"""Characters of an exchange's own words in an error: some answer with a page of HTML."""


@attrs.define
class Heard:
    """What the answers to one question say besides candles."""

    at: int | None = None
    """The time at the exchange, ms; None where none says it."""
    newest: object = None
    """The last answer, as the JSON says it."""

    def check_emptiness(self) -> None:
        """Raise `OtherShape` where no candles were found in an answer that does not say that there are none.

        ccxt takes what it does not find for nothing. An exchange that has nothing to give says so: an empty list where
        the candles would be, or null.
        """
        if not _says_nothing(self.newest):
            raise OtherShape(f"{excerpt(repr(self.newest))} holds neither candles nor an empty list of them")


_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)


class OtherShape(ValueError):
    """An answer is JSON, and not that of candles."""


@contextmanager
def hearing() -> Generator[Heard]:
    """Note what the answers say that come while it is open, in this task and in those that it starts."""
    heard = Heard()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def listen(client: Any) -> None:
    """Let a ccxt client's answers be judged here first, and let it give the rows of a page as they came."""
    errors_of, row_of, rows_of = client.handle_errors, client.parse_ohlcv, client.parse_ohlcvs

    def judged(code: int, reason: str, url: str, method: str, headers: dict[str, str], body: str, *rest: Any) -> Any:
        judge(code, reason, headers, body, rest[0])
        return errors_of(code, reason, url, method, headers, body, *rest)

    def row(given: object, market: Any = None) -> list[Any]:
        parsed: list[Any] = row_of(given, market)
        if None in parsed:
            raise OtherShape(f"{excerpt(repr(given))} is no candle")
        return parsed

    def rows(given: object, market: Any = None, *_: Any, **__: Any) -> Any:
        if not isinstance(given, list):
            raise OtherShape(f"{excerpt(repr(given))} is no list of candles")
        return rows_of(given, market)

    for name, judging in (("handle_errors", judged), ("parse_ohlcv", row), ("parse_ohlcvs", rows)):
        setattr(client, name, judging)


def judge(code: int, reason: str, headers: Mapping[str, str], body: str, parsed: object) -> None:
    """Note the time that an answer tells; raise `TryAgain` where it tells of a fault that may pass."""
    by_name = {name.lower(): value for name, value in headers.items()}
    at = _date(by_name.get("date"))
    heard = _heard.get()
    if heard is not None:
        heard.at = at if at is not None else heard.at
        heard.newest = parsed
    if code in {418, 429} or code >= 500:  # too many requests, twice; a fault of the server
        raise TryAgain(f"HTTP {code} {reason}: {excerpt(body)}", _retry_after(by_name.get("retry-after"), at))
    if code < 400 and parsed is None:
        raise TryAgain(f"its answer is no JSON, or half of it: {excerpt(body)}")


def _says_nothing(value: object) -> bool:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        # A list of errors is empty as a rule.
        return any(_says_nothing(each) for name, each in members.items() if not name.startswith("err"))
    if isinstance(value, list):
        items = cast("list[object]", value)
        return not items or any(_says_nothing(each) for each in items)
    return value is None


def excerpt(text: str) -> str:
    """As much of a text as an error can carry, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EXCERPT else f"{line[:LONGEST_EXCERPT]}…"


def _retry_after(value: str | None, now: int | None) -> int | None:
    """ms to wait: the header says seconds, or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return int(value) * 1000
    until = _date(value)
    return None if until is None or now is None else max(0, until - now)


def _date(value: str | None) -> int | None:
    try:
        return None if value is None else int(parsedate_to_datetime(value).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
