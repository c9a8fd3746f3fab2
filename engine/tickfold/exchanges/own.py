"""A user's own exchange: an object with `candles`, or a function, seen as the engine sees every exchange."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from ..candles import Candles
from ..errors import DeclarationError, SpanUnknown
from ..market import MINUTE_MS
from ..proposal import shown
from .protocol import CandleFunction, CandleSource, Exchange, Given


class OwnExchange:
    """Whatever has `candles(symbol, start, end)`, plain or async; `span` and `aclose` are asked where it has them."""

    def __init__(self, source: CandleSource | Exchange, name: str | None = None) -> None:
        self.name = name or _name_of(source)
        self.waits = bool(getattr(source, "waits", True))
        self.is_plain = not any(map(_is_async, (source.candles, *_others(source))))
        self.piece = _piece_of(source)
        self._source = source
        _check_form(source.candles, self.name)

    async def candles(self, symbol: str, start: int, end: int) -> Given:
        answer = self._source.candles(symbol, start, end)
        return await answer if inspect.isawaitable(answer) else answer

    async def span(self, symbol: str) -> tuple[int, int | None]:
        ask = getattr(self._source, "span", None)
        if ask is None:
            raise SpanUnknown(self.name)
        answer = ask(symbol)
        return cast("tuple[int, int | None]", await answer if inspect.isawaitable(answer) else answer)

    async def aclose(self) -> None:
        close = getattr(self._source, "aclose", None)
        if close is not None:
            answer = close()
            if inspect.isawaitable(answer):
                await answer


class FunctionExchange:
    """A function of the form `(symbol, start, end)`, plain or async, named after itself."""

    waits = True
    piece: int | None = None

    def __init__(self, function: CandleFunction, name: str | None = None) -> None:
        self.name = name or _name_of(function)
        self.is_plain = not _is_async(function)
        self._function = function
        _check_form(function, self.name)

    async def candles(self, symbol: str, start: int, end: int) -> Given:
        answer = self._function(symbol, start, end)
        return await answer if inspect.isawaitable(answer) else answer

    async def span(self, symbol: str) -> tuple[int, int | None]:
        raise SpanUnknown(self.name)

    async def aclose(self) -> None:
        """Nothing is held."""


def own_exchange(source: object, name: str | None) -> Exchange:
    """A user's object or function as an exchange; raises `DeclarationError` for what is neither."""
    if inspect.isclass(source):
        raise DeclarationError(f"{source.__name__} is a class; give what it makes: {source.__name__}()")
    if callable(getattr(source, "candles", None)):
        return OwnExchange(cast("CandleSource", source), name)
    if callable(source):
        return FunctionExchange(cast("CandleFunction", source), name)
    raise DeclarationError(
        f"{shown(source)} is no source of candles: give an object with `async def candles(symbol, start, end)`, "
        f"a function of that form, or {Candles.__name__}(...)"
    )


def may_be_asked_plainly(exchange: Exchange) -> bool:
    """Whether nothing says that it waits: it does not, or is made of plain functions (which may hand on what does)."""
    return not exchange.waits or bool(getattr(exchange, "is_plain", False))


def _name_of(source: object) -> str:
    name = getattr(source, "name", None) or getattr(source, "__name__", None)
    if not isinstance(name, str):
        raise DeclarationError(f'{type(source).__name__} has no name: give it `name = "..."`, or register it under one')
    return name


def _piece_of(source: object) -> int | None:
    piece: object = getattr(source, "piece", None)
    if piece is None or (type(piece) is int and piece >= MINUTE_MS and piece % MINUTE_MS == 0):
        return piece
    raise DeclarationError(
        f"{_name_of(source)}: piece is {shown(piece)}; it is how many ms of candles to ask for at once, a whole number "
        f"of minutes ({MINUTE_MS} or more), or None"
    )


def _check_form(function: Callable[..., Any], name: str) -> None:
    """Raise `DeclarationError` for what cannot be called as it will be, before anything depends on it."""
    try:
        inspect.signature(function).bind("", 0, 0)
    except ValueError:  # it does not say what it takes
        return
    except TypeError as error:
        raise DeclarationError(f"{name}: it cannot be called as candles(symbol, start, end): {error}") from None


def _others(source: object) -> list[object]:
    return [call for name in ("span", "aclose") if (call := getattr(source, name, None)) is not None]


def _is_async(function: object) -> bool:
    made: object = type(function).__call__ if callable(function) else None  # of an object that is called
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(made)
