"""What stands for an exchange, as an exchange: text such as `csv:PATH`, an object, a function, candles in memory."""

from __future__ import annotations

from ..candles import Candles
from ..errors import DeclarationError
from .memory import MemoryExchange
from .own import OwnExchange, own_exchange
from .protocol import Exchange, Source


def as_exchange(source: Source | str, name: str | None = None) -> Exchange:
    """`source` as an exchange, named `name` or as it names itself; raises `DeclarationError` for what is none.

    Text is `[NAME=]KIND:REST`; any other source is an object with `candles(symbol, start, end)`, a function of that
    form, or `Candles`.
    """
    if isinstance(source, str):
        return _parsed(source, name)
    if isinstance(source, Candles):
        return MemoryExchange(source, name)
    if isinstance(source, Exchange) and not isinstance(source, type):
        return source if name in {None, source.name} else OwnExchange(source, name)
    return own_exchange(source, name)


def _parsed(text: str, name: str | None) -> Exchange:
    raise DeclarationError(f"{text!r} is no source of candles")
