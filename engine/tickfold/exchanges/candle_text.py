"""Candles as comma-separated text: bytes in, `Candles` out, or an error that names line, column and value.

A header names the columns, in any order; those that are not candles' are ignored. Text as programs write it (the time
first and of one width, plain numbers) is read in a few passes over the whole; where a pass meets anything else, the
text is read again line by line, which takes ten times as long, understands more spellings and finds the place of a
fault. Both give the same bits.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..candles import Candles, Times
from ..errors import BadCandleFile
from .checks import Fault, each_once, first_disorder, first_of_another_unit, first_untrue

HEADER = ("timestamp", "open", "high", "low", "close", "volume")

Blame: TypeAlias = Callable[[int | None, str | None, str], BadCandleFile]
"""(line, column, what is wrong) → the error to raise."""

_COMMA, _NEWLINE = b",\n"
_ISO_TIME = re.compile(rb"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|\+00:00)?")
_MS_TIME = re.compile(rb"\d{12,14}")
_SENTINEL = -1.0
"""Stands for the time where a line begins: no price and no volume is below 0, so a line with more or fewer values than
the header has names cannot hide."""

_numbers = msgspec.json.Decoder(list[float])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Body(NamedTuple):
    """The lines below the header, and which of their columns are the candles', in the order of `HEADER`."""

    text: bytes
    names: list[str]
    places: list[int]


class Table(NamedTuple):
    """What was read: times (ms), the five other columns as rows of `values`, and the line of each candle."""

    times: Times
    values: NDArray[np.float64]
    lines: NDArray[np.int64]


def read_candles(content: bytes, name: str, blame: Blame) -> Candles:
    """The candles that stand in `content`, each once, in order, checked; raises what `blame` makes."""
    body = _body(content, blame)
    table = _read_at_once(body) or _read_line_by_line(body, blame)
    if not len(table.times):
        raise blame(None, None, "it holds a header and no candles")
    candles = Candles.of_arrays(table.times, *table.values, name=name)
    for fault in (first_of_another_unit(candles.time), first_disorder(candles), first_untrue(candles)):
        if fault is not None:
            raise _placed(fault, table, blame)
    return each_once(candles)


def _placed(fault: Fault, table: Table, blame: Blame) -> BadCandleFile:
    column = HEADER[0] if fault.column == "time" else fault.column
    return blame(int(table.lines[fault.place]), column, fault.what)


def _body(content: bytes, blame: Blame) -> Body:
    head, _, text = content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if not head.strip():
        raise blame(None, None, "it is empty" if not content.strip() else "its first line, the header, is empty")
    names = [name.strip().strip('"').lower() for name in head.decode("utf-8", "replace").split(",")]
    missing = [column for column in HEADER if column not in names]
    if missing:
        raise blame(1, None, _without(missing, names))
    repeated = [column for column in HEADER if names.count(column) > 1]
    if repeated:
        raise blame(1, repeated[0], "the header names it twice")
    return Body(text.rstrip(), names, [names.index(column) for column in HEADER])


def _without(missing: list[str], names: list[str]) -> str:
    if len(missing) == len(HEADER):
        shown = ",".join(names)
        return f"there is no header: the first line must name {','.join(HEADER)}, not be {shown[:100]!r}"
    columns = "column" if len(missing) == 1 else "columns"
    return f"the {columns} {', '.join(missing)} is missing: the header names {', '.join(names)}"


def _read_at_once(body: Body) -> Table | None:
    """The whole text in a few passes; None where it is not as programs write it."""
    if body.places[0] != 0 or not body.text:
        return None
    width = body.text.find(b",")
    characters = np.frombuffer(body.text + b"\n", np.uint8).copy()
    starts = np.concatenate(([0], np.flatnonzero(characters == _NEWLINE)[:-1] + 1))
    if width < 1 or int(starts[-1]) + width >= len(characters):
        return None
    windows = np.lib.stride_tricks.sliding_window_view(characters, width, writeable=True)
    times = _times(windows[starts], body.text[:width])
    if times is None:
        return None
    windows[starts] = np.frombuffer(b"-1".ljust(width), np.uint8)
    characters[starts[1:] - 1] = _COMMA
    values = _values(characters[:-1].tobytes(), len(starts), len(body.names))
    if values is None:
        return None
    columns = np.ascontiguousarray(values[:, body.places[1:]].T)
    return Table(times, columns, np.arange(2, len(starts) + 2))


def _times(letters: NDArray[np.uint8], first: bytes) -> Times | None:
    """ms from times of one width, all spelled as the first one is."""
    if _MS_TIME.fullmatch(first):
        digits = letters - np.uint8(ord("0"))
        return None if (digits > 9).any() else digits @ 10 ** np.arange(len(first) - 1, -1, -1, dtype=np.int64)
    found = _ISO_TIME.fullmatch(first)
    if found is None:
        return None
    width = found.end(1)
    # A digit for a digit; every other letter, and all of the zone, as in the first time.
    free = [place < width and chr(letter).isdigit() for place, letter in enumerate(first)]
    lowest = np.where(free, np.uint8(ord("0")), letters[0])
    highest = np.where(free, np.uint8(ord("9")), letters[0])
    if ((letters < lowest) | (letters > highest)).any():
        return None
    try:
        moments = np.ascontiguousarray(letters[:, :width]).view(f"S{width}").ravel().astype("M8[us]")
    except ValueError:
        return None
    times = moments.astype("M8[ms]")
    return None if np.isnat(moments).any() or (times != moments).any() else times.astype(np.int64)


def _values(text: bytes, count: int, width: int) -> NDArray[np.float64] | None:
    """`count` lines of `width` numbers, read as one list of JSON."""
    try:
        numbers = _numbers.decode(b"[" + text + b"]")
    except msgspec.MsgspecError:
        return None
    if len(numbers) != count * width:
        return None
    values = np.fromiter(numbers, np.float64, count=len(numbers)).reshape(count, width)
    return values if (values[:, 0] == _SENTINEL).all() else None


def _read_line_by_line(body: Body, blame: Blame) -> Table:
    times: list[int] = []
    values: list[list[float]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(body.text.decode("utf-8", "replace"), newline=""))
    try:
        for row in reader:
            line = reader.line_num + 1
            if not row:
                continue
            if len(row) != len(body.names):
                raise blame(line, None, f"{_counted(row)} where the header names {len(body.names)} columns")
            cells = [row[place].strip() for place in body.places]
            times.append(_time(cells[0], line, blame))
            values.append([_number(*cell, line, blame) for cell in zip(cells[1:], HEADER[1:], strict=True)])
            lines.append(line)
    except csv.Error as error:
        raise blame(reader.line_num + 1, None, str(error)) from None
    columns: NDArray[Any] = np.array(values, np.float64).reshape(len(lines), len(HEADER) - 1)
    return Table(np.array(times, np.int64), np.ascontiguousarray(columns.T), np.array(lines, np.int64))


def _counted(row: list[str]) -> str:
    return "1 value" if len(row) == 1 else f"{len(row)} values"


def _number(text: str, column: str, line: int, blame: Blame) -> float:
    try:
        # Python's own grammar lets digits be parted by underscores, and digits be of any script.
        if "_" not in text and text.isascii():
            return float(text)
    except ValueError:
        pass
    raise blame(line, column, f"{text!r} is no number")


def _time(text: str, line: int, blame: Blame) -> int:
    """ms since the epoch; a time that says nothing of its zone is one of UTC."""
    try:
        at = _moment(text)
    except (ValueError, OverflowError):
        what = f"{text!r} is no time: write whole ms since the epoch, or ISO 8601 (2024-01-31 12:00)"
        raise blame(line, HEADER[0], what) from None
    if abs(at) >= 2**62:
        raise blame(line, HEADER[0], f"{text} is no time in ms since the epoch")
    return at


def _moment(text: str) -> int:
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"\d+(\.\d*)?([eE]\+?\d+)?", text, re.ASCII):
        if not float(text).is_integer():
            raise ValueError(text)
        return int(float(text))
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    at, rest = divmod(since, timedelta(milliseconds=1))
    if rest:
        raise ValueError(text)
    return at
