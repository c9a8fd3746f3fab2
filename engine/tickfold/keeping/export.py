"""Candles for other programs: the text that `csv:` reads, or one Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..archive.parquet import Kept, encode
from ..candles import Candles
from ..exchanges.candle_text import HEADER

_LINES_AT_ONCE = 10_000


def csv_text(candles: Candles) -> Iterator[str]:
    """The candles as comma-separated text, piece by piece, every bit of them: times in ISO 8601, UTC."""
    yield ",".join(HEADER) + "\n"
    for start in range(0, len(candles), _LINES_AT_ONCE):
        part = candles[start : start + _LINES_AT_ONCE]
        times = np.datetime_as_string(part.time.astype("M8[ms]").astype("M8[s]")).tolist()
        columns = (map(repr, column.tolist()) for column in part.arrays[1:])
        yield "".join(f"{time}Z,{','.join(values)}\n" for time, *values in zip(times, *columns, strict=True))


def write_csv(path: Path, candles: Candles) -> None:
    """Write them into a file, whole or not at all. Raises `OSError`."""
    _write(path, b"".join(text.encode() for text in csv_text(candles)))


def write_parquet(path: Path, candles: Candles, exchange: str, symbol: str) -> None:
    """Write them into one file of the same columns as those of the archive, whole or not at all. Raises `OSError`."""
    _write(path, encode(Kept(candles, ()), exchange, symbol))


def _write(path: Path, content: bytes) -> None:
    making = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with making.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
