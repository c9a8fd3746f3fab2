"""What a stream is called in a URL: its three names joined by `~`, every other byte than a letter, a digit, `-` or `.`
as `_XX`. No such id needs an escape, holds a slash, or is the id of two streams.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tickfold_eventstore.signals import Stream

_UNSAFE = re.compile(rb"[^A-Za-z0-9.-]")


def id_of(stream: Stream) -> str:
    """The id of a stream."""
    return "~".join(_UNSAFE.sub(lambda found: b"_%02X" % found[0][0], part.encode()).decode() for part in stream)


def by_name(streams: Iterable[Stream]) -> dict[str, list[Stream]]:
    """The streams by what one may call them: their id, and `exchange/strategy/symbol`, which several may share."""
    named: dict[str, list[Stream]] = {}
    for stream in streams:
        for name in {id_of(stream), str(stream)}:
            named.setdefault(name, []).append(stream)
    return named
