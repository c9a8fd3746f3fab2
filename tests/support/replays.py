"""Live under a replayed clock, driven to its end, and its events beside those of a backtest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tickfold import Config, Event, Live, Started, Stopped
from tickfold.exchanges import Source
from tickfold.strategy import Strategy
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.files import Files


async def replay(
    data_dir: Path,
    strategy: Strategy,
    exchange: Source,
    config: Config,
    *,
    symbols: Sequence[str] = ("BTCUSDT",),
    leave_after: int = 0,
    files: Files | None = None,
) -> int:
    """Run to the end of the candles, or leave the loop after so many results; returns how many came."""
    live = Live(data_dir, config=config, clock="replay")
    if files is not None:
        live.store = Store(data_dir, files=files)
    include = {"scheduled", "cancelled", "rejected"}
    told = 0
    async with live, live.run(list(symbols), strategy=strategy, exchange=exchange, include=include) as run:
        async for _ in run:
            told += 1
            if told == leave_after:
                break
    return told


def journalled(data_dir: Path, stream: Stream, files: Files | None = None) -> list[Event]:
    """Every event of a stream."""
    store = Store(data_dir, files=files)
    return list(store.reader(stream).read()) if stream in store.streams() else []


def decisions(events: Iterable[Event]) -> list[dict[str, Any]]:
    """What was decided, field for field, without what only a journal of live has: starts, stops, seq and ticks."""
    told = []
    for event in events:
        if not isinstance(event, Started | Stopped):
            fields = msgspec.to_builtins(event)
            del fields["seq"], fields["recorded_at"]
            fields.pop("ticks", None)
            told.append(fields)
    return told


def boundaries(events: Iterable[Event]) -> dict[str, int]:
    """The ticks of all records, added up."""
    total = {"idle": 0, "waiting": 0, "active": 0, "missed": 0}
    for event in events:
        if event.ticks is not None:
            for name in total:
                total[name] += getattr(event.ticks, name)
    return total
