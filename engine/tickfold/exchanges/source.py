"""What stands for an exchange, as an exchange: text such as `csv:PATH`, an object, a function, candles in memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeGuard

from ..candles import Candles
from ..errors import DeclarationError
from ..registry import check_name
from .memory import MemoryExchange
from .own import FunctionExchange, OwnExchange, own_exchange
from .protocol import Exchange, Source


def as_exchange(source: Source | str, name: str | None = None) -> Exchange:
    """`source` as an exchange, named `name` or as it names itself; raises `DeclarationError` for what is none.

    Text is `[NAME=]KIND:REST`, KIND being `ccxt`, `csv`, `archive` or `sim`; any other source is an object with
    `candles(symbol, start, end)`, a function of that form, or `Candles`. Raises `UnknownName` for an id that ccxt does
    not have.
    """
    exchange = _as_exchange(source, name)
    check_name("exchange", exchange.name)
    return exchange


def _as_exchange(source: Source | str, name: str | None) -> Exchange:
    if isinstance(source, str):
        return _parsed(source, name)
    if isinstance(source, Candles):
        return MemoryExchange(source, name)
    if name in {None, getattr(source, "name", None)} and _is_whole(source):
        return source
    return own_exchange(source, name)


def _is_whole(source: Source) -> TypeGuard[Exchange]:
    """Whether it is an exchange as the engine asks for one. What lacks a part, or has a plain one, is seen as one."""
    if not isinstance(source, Exchange) or isinstance(source, type):
        return False
    if not isinstance(source, OwnExchange | FunctionExchange):
        OwnExchange(source)  # the parts that every source has must be what they must be
    return all(inspect.iscoroutinefunction(each) for each in (source.candles, source.span, source.aclose))


def _through_ccxt(rest: str, name: str | None) -> Exchange:
    # An adapter is imported when it is named: most programs use one.
    from .ccxt import CcxtExchange

    return CcxtExchange(rest, name)


def _of_files(rest: str, name: str | None) -> Exchange:
    from .csv_file import CsvExchange

    return CsvExchange(rest, name)


def _of_an_archive(rest: str, name: str | None) -> Exchange:
    from .archive import ArchiveExchange

    return ArchiveExchange(rest, name)


def _simulated(rest: str, name: str | None) -> Exchange:
    from .simulated import SimulatedExchange

    return SimulatedExchange(rest, name)


_KINDS: dict[str, tuple[Callable[[str, str | None], Exchange], str]] = {
    "ccxt": (_through_ccxt, "ccxt:ID, an exchange by its ccxt id, such as ccxt:binance"),
    "csv": (_of_files, "csv:PATH, a file of candles or a folder of them"),
    "archive": (_of_an_archive, "archive:PATH, candles that `tickfold candles download` kept"),
    "sim": (_simulated, "sim:SEED, a simulated market"),
}


def is_source_text(text: str) -> bool:
    """Whether it says a source, `[NAME=]KIND:REST`, and not just the name of one."""
    return ":" in text


def _parsed(text: str, name: str | None) -> Exchange:
    before, colon, rest = text.partition(":")
    named, equals, kind = before.rpartition("=")
    if not colon or (equals and not named):
        raise DeclarationError(f"{text!r} is no source of candles: write [NAME=]KIND:REST; {_known()}")
    if kind not in _KINDS:
        raise DeclarationError(f"{text!r} is no source of candles: there is no kind {kind!r}; {_known()}")
    make, form = _KINDS[kind]
    if not rest:
        raise DeclarationError(f"{text!r} is no source of candles: nothing follows {kind}: ({form})")
    return make(rest, name or named or None)


def _known() -> str:
    return f"there are {'; '.join(form for _, form in _KINDS.values())}"
