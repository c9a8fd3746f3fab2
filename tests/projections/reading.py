"""A named reader as a process of its own, to be killed: `python -m tests.projections.reading DATA_DIR`.

It says the seq of the last event in its state after each record, and follows for ever.
"""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import Any

import anyio

from tests.projections.stories import Story
from tickfold_eventstore import Event, Store
from tickfold_projections.projection import Projection
from tickfold_projections.stream import named_reader

SEEN: Projection[list[int]] = Projection("seen", [], lambda seen, event: [*seen, event.seq], list[int])
"""Every event that was taken in, so that one left out and one taken twice both show."""

STREAM = Story().stream


def minutes_held(held: dict[int, int], event: Event) -> dict[int, int]:
    return {**held, event.seq: event.at // 60_000}


async def read_for_ever(data_dir: str) -> None:
    reader = named_reader(Store(data_dir), STREAM, SEEN)
    reader.catch_up()
    print(reader.head.seq, flush=True)
    records: Any = reader.follow()
    async with aclosing(records):
        async for record in records:
            print(record.seq, flush=True)


if __name__ == "__main__":
    anyio.run(read_for_ever, sys.argv[1])
