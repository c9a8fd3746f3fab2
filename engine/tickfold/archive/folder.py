"""An archive: PATH/exchange=NAME/symbol=NAME/2022-01.parquet, the layout that DuckDB, Polars and Arrow call Hive's.

Names are percent-encoded, as in a URL: BTC/USDT lies in `symbol=BTC%2FUSDT`.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

from .shelf import Shelf

_EXCHANGE, _SYMBOL = "exchange=", "symbol="


class Archive:
    """The candles below a folder, by exchange and symbol. It need not exist before something is kept in it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def exchanges(self) -> list[str]:
        """The exchanges of which something is kept."""
        return _named(self.path, _EXCHANGE)

    def symbols(self, exchange: str) -> list[str]:
        """The symbols of an exchange of which something is kept."""
        return _named(self._folder(exchange), _SYMBOL)

    def shelf(self, exchange: str, symbol: str) -> Shelf:
        """Where one symbol's candles lie, or will."""
        return Shelf(self._folder(exchange) / f"{_SYMBOL}{_encoded(symbol)}", exchange, symbol)

    def shelves(self) -> list[Shelf]:
        """Every symbol of every exchange, in their order."""
        return [self.shelf(exchange, symbol) for exchange in self.exchanges() for symbol in self.symbols(exchange)]

    def _folder(self, exchange: str) -> Path:
        return self.path / f"{_EXCHANGE}{_encoded(exchange)}"


def exchange_of(folder: Path) -> str | None:
    """The exchange whose folder it is; None where it is none."""
    return unquote(folder.name.removeprefix(_EXCHANGE)) if folder.name.startswith(_EXCHANGE) else None


def _named(folder: Path, kind: str) -> list[str]:
    return sorted(unquote(path.name.removeprefix(kind)) for path in folder.glob(f"{kind}*") if path.is_dir())


def _encoded(name: str) -> str:
    return quote(name, safe="", errors="surrogatepass")
