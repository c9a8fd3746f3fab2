"""Where candles come from, by name: what `exchange=` and `--exchange` may say."""

from __future__ import annotations

from .exchanges import Exchange, Source, as_exchange
from .registry import Registry

EXCHANGES: Registry[Exchange] = Registry("exchange")


def exchange(name: str, source: Source) -> Exchange:
    """Register a source of candles under a name: an object with `async candles(symbol, start, end)`, a function of
    that form, or `Candles`. Raises `DeclarationError` where the name is taken."""
    return EXCHANGES.add(name, as_exchange(source, name))


def find_exchange(given: str | Source) -> Exchange:
    """The exchange registered under that name, or the source itself as one; raises `UnknownName`."""
    return EXCHANGES.get(given) if isinstance(given, str) else as_exchange(given)
