"""What happened: the journal.

One stream (exchange, strategy, symbol) is one append-only, fsync'd, hash-chained journal with one writer. `Store` finds
and opens them, `Journal` appends, `Reader` reads, `MemoryJournal` is the same in a list.
"""

from __future__ import annotations

from .checkpoint import Checkpoint
from .errors import (
    AppendRefused,
    CheckpointMismatch,
    CorruptJournal,
    JournalClosed,
    JournalPoisoned,
    NewerFormat,
    RecordTooLong,
    StoreError,
    StreamHeld,
    StreamNotFound,
    UnsupportedPlatform,
    UnusableName,
    WrongExpectedVersion,
)
from .events import Cancelled, Closed, Event, Opened, Rejected, Scheduled, Started, Stopped
from .journal import Journal
from .log import EventLog, Head, Record
from .memory import MemoryJournal
from .reader import Reader
from .signals import AcceptedSignal, ProfitAndLoss, RefusedProposal, Stream, Ticks
from .store import Store

__all__ = [
    "AcceptedSignal",
    "AppendRefused",
    "Cancelled",
    "Checkpoint",
    "CheckpointMismatch",
    "Closed",
    "CorruptJournal",
    "Event",
    "EventLog",
    "Head",
    "Journal",
    "JournalClosed",
    "JournalPoisoned",
    "MemoryJournal",
    "NewerFormat",
    "Opened",
    "ProfitAndLoss",
    "Reader",
    "Record",
    "RecordTooLong",
    "RefusedProposal",
    "Rejected",
    "Scheduled",
    "Started",
    "Stopped",
    "Store",
    "StoreError",
    "Stream",
    "StreamHeld",
    "StreamNotFound",
    "Ticks",
    "UnsupportedPlatform",
    "UnusableName",
    "WrongExpectedVersion",
]
