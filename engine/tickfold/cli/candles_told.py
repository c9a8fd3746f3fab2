"""What an archive holds, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tickfold_projections.notation import instant, shown

from ..archive import Span
from ..keeping.verify import FileVerdict, Holding
from ..market import MINUTE_MS
from .asides import say
from .faults import DONE, ERROR
from .output import json_document, put

_SHOWN_GAPS = 5


def told(found: Sequence[Holding], *, as_json: bool) -> int:
    """Write what is held, a line a symbol and one for each of the first gaps, or as JSON; the exit code."""
    if as_json:
        json_document("symbols", map(record, found))
    else:
        for each in found:
            put(f"{name_of(each)}: {extent(each)}")
            for line in _gap_lines(each.gaps):
                put(f"  {line}")
    for each in found:
        for file in each.faults:
            say(f"{file.path}: {file.fault}; see `tickfold candles verify`")
    return ERROR if any(each.faults for each in found) else DONE


def extent(held: Holding) -> str:
    """How far it reaches, in words."""
    if held.first is None or held.last is None:
        return "no candles"
    minutes = sum(end - start for start, end in held.gaps) // MINUTE_MS
    missing = f"{len(held.gaps)} gaps, {minutes} minutes" if held.gaps else "no gaps"
    size = sum(file.path.stat().st_size for file in held.files)
    return (
        f"{held.rows} candles from {instant(held.first)} to {instant(held.last + MINUTE_MS)}, "
        f"in {_months(len(held.files))}, {missing}, {size} bytes, digest {held.sha256[:16]}"
    )


def _gap_lines(gaps: Sequence[Span]) -> Iterator[str]:
    for start, end in gaps[:_SHOWN_GAPS]:
        yield f"gap of {(end - start) // MINUTE_MS} min from {instant(start)}"
    if len(gaps) > _SHOWN_GAPS:
        yield f"and {len(gaps) - _SHOWN_GAPS} more gaps: --json names each"


def record(held: Holding) -> dict[str, object]:
    """As JSON: times in ms, `end` that of the last candle, gaps as [start, end)."""
    return {
        "exchange": held.exchange,
        "symbol": held.symbol,
        "rows": held.rows,
        "first": held.first,
        "end": None if held.last is None else held.last + MINUTE_MS,
        "gaps": held.gaps,
        "sha256": held.sha256,
        "sound": not held.faults,
        "files": [_file_record(file) for file in held.files],
    }


def _file_record(file: FileVerdict) -> dict[str, object]:
    return {"path": str(file.path), "month": file.month, "rows": file.rows, "sha256": file.sha256, "fault": file.fault}


def name_of(held: Holding) -> str:
    """Whose candles they are, for people."""
    return shown(f"{held.exchange}/{held.symbol}")


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"
