"""What live ticks took, kept beside the journals while it is asked for: for reports on performance, and for no more.

    DATA_DIR/performance/{exchange}/{strategy}/{symbol}/ticks.json

    with kept(data_dir): ... run live ...
    timings_of(data_dir, streams) -> list[Timings]

Losing such a file costs nothing but its counts. It is replaced every so many ticks and at the end, out of the way of
the clock; what a crash takes is what was counted since.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec

from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import Store
from tickfold_projections.performance import Timings

from .listeners import listen_performance
from .notices import Timing

TICKS_BETWEEN_SAVES = 100

_log = logging.getLogger("tickfold.timings")


@contextlib.contextmanager
def kept(data_dir: str | os.PathLike[str]) -> Generator[None]:
    """Inside, every live tick of this process is timed, and counted with those that were before."""
    keeper = _Keeper(Store(data_dir))
    unsubscribe = listen_performance(keeper.hear)
    try:
        yield
    finally:
        unsubscribe()
        keeper.save_all()


def timings_of(data_dir: str | os.PathLike[str], streams: Sequence[Stream]) -> list[Timings]:
    """What was kept of these streams; nothing of one without a file, or with one that cannot be read."""
    store = Store(data_dir)
    found = (_loaded(_path(store, stream)) for stream in streams)
    return [each for each in found if each is not None]


class _Keeper:
    """The counts of each stream that was heard of, and how many ticks are not yet in its file."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[Stream, Timings] = {}
        self._unsaved: dict[Stream, int] = {}

    def hear(self, timing: Timing) -> None:
        stream = timing.stream
        counts = self._counts.get(stream)
        if counts is None:
            fresh = Timings(**stream._asdict(), first_at=timing.at, last_at=timing.at)
            counts = self._counts[stream] = _loaded(_path(self._store, stream)) or fresh
        counts.ticks.add(1000 * timing.tick_s)
        if timing.strategy_s:
            counts.strategy_part.add(1000 * timing.strategy_s)
        counts.last_at = max(counts.last_at, timing.at)
        self._unsaved[stream] = self._unsaved.get(stream, 0) + 1
        if self._unsaved[stream] >= TICKS_BETWEEN_SAVES:
            self._save(stream)

    def save_all(self) -> None:
        for stream, count in self._unsaved.items():
            if count:
                self._save(stream)

    def _save(self, stream: Stream) -> None:
        """Replace the file. What fails here is logged and ends nothing: it is only counts."""
        path = _path(self._store, stream)
        making = path.with_name(f"{path.name}.tmp")
        self._unsaved[stream] = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            making.write_bytes(msgspec.json.encode(self._counts[stream]) + b"\n")
            making.replace(path)
        except OSError as error:
            _log.warning("the timings of %s were not kept: %s", stream, error)


def _path(store: Store, stream: Stream) -> Path:
    return store.data_dir / "performance" / store.place(stream) / "ticks.json"


def _loaded(path: Path) -> Timings | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Timings)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        _log.warning("%s cannot be read and is begun anew: %s", path, error)
        return None
