"""What can go wrong in the store. Imports nothing; each error builds its sentence from facts and keeps them.

StoreError
├── StreamHeld              another process is the writer of this stream
├── StreamNotFound          no journal of that name in the data directory
├── CorruptJournal          acknowledged data is gone or changed; nothing was written
├── NewerFormat             written by a later Tickfold: a version or an action not known here
├── WrongExpectedVersion    the caller's idea of the head is not the journal's
├── AppendRefused           nothing was written; the next append may work
│   └── RecordTooLong       the events of one append do not fit in one line
├── JournalPoisoned         a sync failed: the outcome is unknown until the next start
├── JournalClosed           used after it was closed
├── CheckpointMismatch      a reader's checkpoint belongs to another or a restored journal
└── UnsupportedPlatform     the disk or the system cannot keep the promise
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of every error that this package raises on purpose."""


class StreamHeld(StoreError):
    """Another process holds the stream's lock."""

    def __init__(self, stream: str, holder: str) -> None:
        super().__init__(f"{stream} is held by another process ({holder}); stop it, or use another data directory")
        self.stream = stream
        self.holder = holder


class StreamNotFound(StoreError):
    """The data directory holds no journal for this stream."""

    def __init__(self, stream: str, known: tuple[str, ...] = ()) -> None:
        there = ", ".join(known) if known else "none"
        super().__init__(f"no journal for {stream}; streams that exist: {there}")
        self.stream = stream
        self.known = known


class CorruptJournal(StoreError):
    """Acknowledged bytes are gone or changed. Nothing was modified.

    `kind` names the rule that refused, `segment` the file, `offset` the first bad byte in it,
    `last_good_seq` the last event that can be trusted (0: none).
    """

    def __init__(self, stream: str, kind: str, segment: str, offset: int, last_good_seq: int, detail: str = "") -> None:
        what = f"{kind}: {detail}" if detail else kind
        super().__init__(
            f"{stream} is damaged in {segment} at byte {offset} ({what}); the last good event is {last_good_seq}. "
            "Nothing was changed. See `tickfold journal verify` and `tickfold journal repair`."
        )
        self.stream = stream
        self.kind = kind
        self.segment = segment
        self.offset = offset
        self.last_good_seq = last_good_seq
        self.detail = detail


class NewerFormat(StoreError):
    """Sound, but written by a later Tickfold than this one."""

    def __init__(self, stream: str, what: str, needed: str) -> None:
        super().__init__(f"{stream} holds {what}, which this version cannot read; it needs {needed}")
        self.stream = stream
        self.what = what
        self.needed = needed


class WrongExpectedVersion(StoreError):
    """The append expected another head than the journal has."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream}: expected the journal to end at event {expected}, but it ends at {actual}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class AppendRefused(StoreError):
    """Nothing was written; the journal is as before and takes the next append."""

    def __init__(self, stream: str, why: str) -> None:
        super().__init__(f"{stream}: nothing was written: {why}")
        self.stream = stream
        self.why = why


class RecordTooLong(AppendRefused):
    """The line of this append would be longer than its length field can say."""

    def __init__(self, stream: str, length: int, limit: int) -> None:
        super().__init__(stream, f"the record would take {length} bytes, the limit is {limit}")
        self.length = length
        self.limit = limit


class JournalPoisoned(StoreError):
    """A sync failed, so whether the last append is on the disk is unknown. Only a new start can tell."""

    def __init__(self, stream: str, why: str) -> None:
        super().__init__(
            f"{stream}: {why}; whether the last append reached the disk is unknown. "
            "Check the disk, then start again: recovery reads what is there."
        )
        self.stream = stream
        self.why = why


class JournalClosed(StoreError):
    """The journal was closed, or belongs to the process that forked this one."""

    def __init__(self, stream: str, why: str = "the journal is closed") -> None:
        super().__init__(f"{stream}: {why}")
        self.stream = stream
        self.why = why


class CheckpointMismatch(StoreError):
    """The journal does not hold the record that the checkpoint names."""

    def __init__(self, stream: str, reader: str, seq: int, why: str) -> None:
        super().__init__(
            f"the checkpoint of reader {reader} names event {seq} of {stream}, but {why}: "
            "another or a restored journal. Delete the checkpoint to read from the first event again."
        )
        self.stream = stream
        self.reader = reader
        self.seq = seq
        self.why = why


class UnusableName(StoreError, ValueError):
    """An exchange, a strategy or a symbol is called what no stream can be called."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name!r} cannot be the name of an exchange, a strategy or a symbol: {why}")
        self.name = name
        self.why = why


class UnsupportedPlatform(StoreError):
    """This file system or operating system cannot keep the journal's promise."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"cannot keep a journal at {where}: {why}")
        self.where = where
        self.why = why
