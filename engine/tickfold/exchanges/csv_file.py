"""`csv:PATH`: candles in a file, which answers for every symbol, or in a folder that holds one file for each."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote

from ..candles import Candles
from ..errors import BadCandleFile, ExchangeUnreachable, UnknownName
from ..market import MINUTE_MS
from .candle_text import read_candles

_ENDING = ".csv"


class CsvExchange:
    """Reads a file when it is first asked for, and keeps what it read until it is closed.

    In a folder the file of BTCUSDT is `BTCUSDT.csv`. Whatever is not a letter, a digit or one of `-._~` is written as
    in a URL, as the journal's folders do too: BTC/USDT lies in `BTC%2FUSDT.csv`. See `candle_text` for the form.
    """

    waits = False
    piece: int | None = None

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        self._path = Path(path)
        self.name = name or Path(os.path.abspath(path)).stem  # noqa: PTH100  a link keeps its own name
        self._read: dict[Path, Candles] = {}

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        return self._candles(symbol).between(start, end)

    async def span(self, symbol: str) -> tuple[int, int | None]:
        candles = self._candles(symbol)
        return int(candles.time[0]), int(candles.time[-1]) + MINUTE_MS

    async def aclose(self) -> None:
        """Forget what was read: it is read again when it is asked for again."""
        self._read.clear()

    def _candles(self, symbol: str) -> Candles:
        try:
            path = self._file_of(symbol)
            if path not in self._read:
                blame = partial(BadCandleFile, symbol, path)
                self._read[path] = read_candles(path.read_bytes(), self.name, blame)
        except FileNotFoundError as error:
            raise ExchangeUnreachable(self.name, symbol, 1, f"there is no file {error.filename}") from error
        except OSError as error:
            why = f"{error.filename} cannot be read: {error.strerror}"
            raise ExchangeUnreachable(self.name, symbol, 1, why) from error
        return self._read[path]

    def _file_of(self, symbol: str) -> Path:
        if not self._path.is_dir():
            return self._path
        path = self._path / f"{quote(symbol, safe='', errors='surrogatepass')}{_ENDING}"
        if not path.exists():
            raise UnknownName(f"symbol of {self._path}", symbol, self._symbols())
        return path

    def _symbols(self) -> tuple[str, ...]:
        return tuple(sorted(unquote(path.stem) for path in self._path.glob(f"*{_ENDING}")))
