"""A durable reader that counts and chains every event that it takes in. As a program it follows until it is killed."""

from __future__ import annotations

import sys
from contextlib import aclosing
from hashlib import sha256
from typing import Any, cast

import anyio
import msgspec

from tickfold_eventstore import Event, Store, Stream
from tickfold_projections.projection import Projection
from tickfold_projections.stream import named_reader


class Seen(msgspec.Struct, frozen=True):
    """How many events, the last one's seq, and a chain over all of them in the order in which they came."""

    count: int = 0
    last: int = 0
    chain: str = ""


def taken_in(seen: Seen, event: Event) -> Seen:
    chain = sha256(f"{seen.chain}{event.seq}{event.action}{event.at}".encode()).hexdigest()
    return Seen(seen.count + 1, event.seq, chain)


SEEN = Projection("seen", Seen(), taken_in, Seen)


async def follow(data_dir: str, stream: Stream) -> None:
    reader = named_reader(Store(data_dir), stream, SEEN)
    reader.catch_up()
    print("caught up", flush=True)
    async with aclosing(cast("Any", reader.follow())) as records:
        async for _ in records:
            pass


if __name__ == "__main__":
    anyio.run(follow, sys.argv[1], Stream(*sys.argv[2:5]))
