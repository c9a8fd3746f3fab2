"""Where candles come from, by name: what `exchange=` and `--exchange` may say."""

from __future__ import annotations

from .exchanges import Exchange, Source, as_exchange, is_source_text
from .registry import Registry

EXCHANGES: Registry[Exchange] = Registry("exchange")


def exchange(name: str, source: Source | str) -> Exchange:
    """Register a source of candles under a name: an object with `async candles(symbol, start, end)`, a function of
    that form, `Candles`, or text such as `csv:PATH`. Raises `DeclarationError` where the name is taken.
    """
    return EXCHANGES.add(name, as_exchange(source, name))


def find_exchange(given: str | Source) -> Exchange:
    """The exchange registered under that name, or the source itself as one; raises `UnknownName`."""
    if isinstance(given, str) and (given in EXCHANGES.names() or not is_source_text(given)):
        return EXCHANGES.get(given)
    return as_exchange(given)
