"""What stands in a file of the archive. The only module that imports pyarrow, and only when a file is met.

A file is Parquet: one row a candle, oldest first, the columns of `FIELDS`, none of them null. Its metadata holds, under
the key `tickfold`, JSON that says whose candles they are, which minutes the source was asked for, and the digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import attrs
import msgspec
import numpy as np

from ..candles import Candles
from ..errors import BadCandleFile, ExtraMissing

FORMAT = 1
KEY = b"tickfold"
FIELDS = {"time": "timestamp[ms, tz=UTC]", **dict.fromkeys(("open", "high", "low", "close", "volume"), "double")}
"""The columns of a file, with their types as Arrow calls them; `time` is the open time."""

Span: TypeAlias = tuple[int, int]
"""Minutes from the first open time to the last one's end, ms."""


@attrs.frozen(eq=False)
class Kept:
    """A month of one symbol: its candles, oldest first, and the minutes that a source was asked for (in order, apart).

    A minute that was asked for and has no candle is one for which the source had none.
    """

    candles: Candles
    asked: tuple[Span, ...]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of any version says of itself."""

    format: int


class Label(Version, frozen=True, kw_only=True):
    """What a file says of itself."""

    exchange: str
    symbol: str
    asked: tuple[Span, ...]
    sha256: str


def digest(candles: Candles) -> str:
    """SHA-256, in hex, of the six columns one after the other as 64-bit little-endian numbers: time in ms, the others
    as IEEE 754. Equal candles have equal digests, however they are packed.
    """
    found = hashlib.sha256()
    for column in candles.arrays:
        found.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)
    return found.hexdigest()


def encode(kept: Kept, exchange: str, symbol: str) -> bytes:
    """A month as the bytes of its file. Raises `ExtraMissing`."""
    pa, parquet = _libraries()
    label = Label(format=FORMAT, exchange=exchange, symbol=symbol, asked=kept.asked, sha256=digest(kept.candles))
    time, *others = kept.candles.arrays
    columns = [pa.array(time).cast(pa.timestamp("ms", "UTC")), *map(pa.array, others)]
    fields = [pa.field(name, column.type, nullable=False) for name, column in zip(FIELDS, columns, strict=True)]
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata={KEY: msgspec.json.encode(label)}))
    sink = pa.BufferOutputStream()
    # Prices differ in their last bytes and agree in their first: split by byte, they pack to a third.
    split = dict.fromkeys(list(FIELDS)[1:], "BYTE_STREAM_SPLIT")
    parquet.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=False,
        column_encoding={"time": "DELTA_BINARY_PACKED", **split},
        row_group_size=max(1, len(time)),
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode(path: Path, exchange: str, symbol: str) -> Kept:
    """What a file holds, its digest compared. Raises `BadCandleFile` in words, `OSError`, `ExtraMissing`."""
    pa, parquet = _libraries()
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            schema = file.schema_arrow
            metadata: dict[bytes, bytes] = schema.metadata or {}
            label = _label(metadata.get(KEY), path, exchange, symbol)
            types = {field.name: str(field.type) for field in schema}
            if types != FIELDS:
                raise BadCandleFile(symbol, path, None, None, f"it has the columns {types}, not {FIELDS}")
            table = file.read(use_threads=False)
        columns = [_column(table, name, path, symbol) for name in FIELDS]
    except (pa.ArrowException, ValueError) as error:
        if isinstance(error, BadCandleFile):
            raise
        raise BadCandleFile(symbol, path, None, None, f"it is no whole Parquet file ({error})") from error
    candles = Candles.of_arrays(*columns, name=exchange)
    found = digest(candles)
    if found != label.sha256:
        what = f"its candles have the digest {found[:16]}…, and were written with {label.sha256[:16]}…: it has rotted"
        raise BadCandleFile(symbol, path, None, None, what)
    return Kept(candles, label.asked)


def _label(given: bytes | None, path: Path, exchange: str, symbol: str) -> Label:
    if given is None:
        raise BadCandleFile(symbol, path, None, None, "no archive wrote it: its metadata has no 'tickfold'")
    try:
        format_ = msgspec.json.decode(given, type=Version).format
        if format_ > FORMAT:
            what = f"it has format {format_}, and this Tickfold knows {FORMAT}: pip install --upgrade tickfold"
            raise BadCandleFile(symbol, path, None, None, what)
        label = msgspec.json.decode(given, type=Label)
    except msgspec.MsgspecError as error:
        raise BadCandleFile(symbol, path, None, None, f"its metadata cannot be read ({error})") from error
    if (label.exchange, label.symbol) != (exchange, symbol):
        what = f"it holds {label.symbol} of {label.exchange}, and lies in the folder of {symbol} of {exchange}"
        raise BadCandleFile(symbol, path, None, None, what)
    return label


def _column(table: Any, name: str, path: Path, symbol: str) -> np.ndarray[Any, Any]:
    column = table.column(name)
    if column.null_count:
        raise BadCandleFile(symbol, path, None, name, "a value is missing")
    values: np.ndarray[Any, Any] = column.to_numpy()
    return values.view(np.int64) if name == "time" else values


def _libraries() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # it has none
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  # it has none
    except ImportError as error:
        raise ExtraMissing("An archive of candles", "pyarrow", "archive") from error
    return pa, pq


def check_extra() -> None:
    """Raise `ExtraMissing` where pyarrow is not installed."""
    _libraries()


def apart(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same minutes as spans in order that do not touch each other."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return tuple(found)
