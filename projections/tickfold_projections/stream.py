"""The live stream: what a journal holds, and then what comes, with no gap and nothing twice.

    async for event, state in follow(projection, log)         from the first event on; nothing is remembered
    async for streams in stirring(store)                      which streams there are, whenever one may have grown
    reader = named_reader(store, stream, projection)          remembers its state and its place, as one file
    reader.catch_up()                                         the state after all that was acknowledged
    async for record in reader.follow()                       and then with each record; `reader.state` is after it

A named reader takes in each event exactly once, whatever is killed and when: the state after a record and the place
behind it are replaced together, so that both are there or neither. What is done with a record that `follow` gave lies
outside of that and happens at most once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Generic, TypeVar, cast

import msgspec

from tickfold_eventstore.checkpoint import Checkpoint, CheckpointFile
from tickfold_eventstore.errors import CheckpointMismatch
from tickfold_eventstore.events import Event
from tickfold_eventstore.log import ZERO_HASH, EventLog, Head, Record
from tickfold_eventstore.reader import Cursor, Reader
from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import LONGEST_NAME, Store, encoded

from .projection import Projection

S = TypeVar("S")

RECORDS_BETWEEN_SAVES = 1000
"""While it catches up, a reader saves that often: a kill costs it no more than reading so many again."""

_DEBOUNCE_MS, _STEP_MS, _POLL_MS = 100, 10, 1000

_SUFFIX = ".json"
_WHILE_REPLACED = ".tmp"


async def follow(projection: Projection[S], log: EventLog | Reader) -> AsyncIterator[tuple[Event, S]]:
    """Every event from the first on with the state after it, then each as it is appended, for ever.

    Close it where it is left before its end. Raises `CorruptJournal`, `NewerFormat`.
    """
    state = projection.initial
    async with aclosing(cast("AsyncGenerator[Event]", log.follow())) as events:
        async for event in events:
            state = projection.apply(state, event)
            yield event, state


async def stirring(store: Store) -> AsyncIterator[list[Stream]]:
    """The streams that there are: at once, then whenever one may have grown or another may have come, for ever.

    A wake-up carries no data: who is woken reads on from where it stands. One watch over the whole data directory,
    however many streams it holds, and a look once a second behind it. Close it where it is left before its end. Raises
    `OSError` where the directory is not there.
    """
    from watchfiles import awatch

    changes = awatch(
        store.data_dir,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        rust_timeout=_POLL_MS,
        yield_on_timeout=True,
    )
    try:
        while True:
            yield store.streams()
            await anext(changes)
    finally:
        await changes.aclose()


def named_reader(store: Store, stream: Stream, projection: Projection[S]) -> NamedReader[S]:
    """The reader of a stream that has the projection's name, where it left off.

    Raises `StreamNotFound`, `UnusableName`, `CorruptJournal`, and `CheckpointMismatch` where the journal is not the one
    that it read, or its state is of another type.
    """
    name = encoded(projection.name, LONGEST_NAME - len(_SUFFIX + _WHILE_REPLACED))
    path = store.data_dir.absolute() / "checkpoints" / store.place(stream) / (name + _SUFFIX)
    return NamedReader(projection, store.reader(stream), CheckpointFile(store.files, str(path), projection.name))


class NamedReader(Generic[S]):
    """A projection of one stream with a memory. `head` is the last record that is in `state`.

    One process at a time reads under a name: two would each be right and each undo the other's place.
    """

    def __init__(self, projection: Projection[S], journal: Reader, checkpoint: CheckpointFile) -> None:
        self.state: S = projection.initial
        self.head = Head()
        self._projection = projection
        self._journal = journal
        self._checkpoint = checkpoint
        saved = checkpoint.load(journal)
        if saved is not None:
            self.state = self._read_back(saved)
            self.head = Head(saved.seq, saved.h if saved.seq else ZERO_HASH)

    def catch_up(self) -> S:
        """Take in everything up to MARK, which names the last record that was acknowledged; the state after it.

        Raises `CorruptJournal`, `NewerFormat`, `OSError`.
        """
        folder = self._journal.folder
        mark = folder.mark()
        unsaved = 0
        for record in Cursor(folder, self.head.seq + 1).records(mark.seq if mark else 0):
            self._take(record)
            unsaved = (unsaved + 1) % RECORDS_BETWEEN_SAVES
            if not unsaved:
                self._save()
        if unsaved:
            self._save()
        return self.state

    async def follow(self) -> AsyncIterator[Record]:
        """Each record from here on as soon as it is acknowledged and taken in, for ever; saved before it is given.

        Each costs a file that is replaced: with much to catch up on, `catch_up` first. Close it where it is left
        before its end. Raises as `catch_up` does.
        """
        async with aclosing(self._journal.follow_records(self.head.seq + 1)) as records:
            async for record in records:
                # Nothing is awaited between these two: a cancellation finds both done or neither.
                self._take(record)
                self._save()
                yield record

    def _take(self, record: Record) -> None:
        self.state = self._projection.fold(record.events, self.state)
        self.head = Head(record.seq, record.hash)

    def _save(self) -> None:
        self._checkpoint.save(Checkpoint(seq=self.head.seq, h=self.head.hash, state=self.state))

    def _read_back(self, saved: Checkpoint) -> S:
        try:
            state: S = msgspec.convert(saved.state, self._projection.state, str_keys=True)
        except msgspec.ValidationError as error:
            stream, name = str(self._journal.stream), self._projection.name
            raise CheckpointMismatch(stream, name, saved.seq, f"its state is of another type ({error})") from error
        return state
