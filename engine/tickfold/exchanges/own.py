"""A user's own exchange: an object with `candles`, or a function, seen as the engine sees every exchange."""

from __future__ import annotations

import inspect
from typing import cast

from ..candles import Candles
from ..errors import DeclarationError, SpanUnknown
from .protocol import CandleFunction, CandleSource, Exchange, Given


class OwnExchange:
    """Whatever has `candles(symbol, start, end)`, plain or async; `span` and `aclose` are asked where it has them."""

    def __init__(self, source: CandleSource | Exchange, name: str | None = None) -> None:
        self.name = name or _name_of(source)
        self.waits = bool(getattr(source, "waits", True))
        self.piece = cast("int | None", getattr(source, "piece", None))
        self._source = source

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
        self._function = function

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
        f"{source!r} is no source of candles: give an object with `async def candles(symbol, start, end)`, "
        f"a function of that form, or {Candles.__name__}(...)"
    )


def _name_of(source: object) -> str:
    name = getattr(source, "name", None) or getattr(source, "__name__", None)
    if not isinstance(name, str):
        raise DeclarationError(f'{type(source).__name__} has no name: give it `name = "..."`, or register it under one')
    return name
