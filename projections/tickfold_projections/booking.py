"""A journal booked into a ledger without making its events: of a line, statistics need a few fields.

    book_journal(reader, ledger, upto=None) -> Head

The ledger adds up to what it would have with `Ledger.book` over the same events, but for what is alive and for prices,
which it does not tell. Lines are verified as every reader verifies them; a record that is not in today's shape is made
whole, so that it is understood, or refused, in the one place where that is done.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tickfold_eventstore.errors import CorruptJournal
from tickfold_eventstore.events import CloseReason
from tickfold_eventstore.log import Head
from tickfold_eventstore.reader import Cursor, Reader
from tickfold_eventstore.record import Line
from tickfold_eventstore.signals import Position, Ticks
from tickfold_eventstore.upcasters import VERSIONS
from tickfold_eventstore.walk import record_of

from .trades import Ledger, Made

LINES_AT_ONCE = 256
"""Decoding has a price a call: so many records are decoded in one."""


class _Told(msgspec.Struct, tag_field="action", gc=False):
    v: int
    at: int
    ticks: Ticks | None = None


class _Signal(msgspec.Struct, gc=False):
    position: Position
    opened_at: int | None


class _Result(msgspec.Struct, gc=False):
    percentage: float


class _Closed(_Told, tag="closed", kw_only=True, gc=False):
    signal: _Signal
    reason: CloseReason
    pnl: _Result


class _Started(_Told, tag="started", kw_only=True, gc=False):
    version: str
    strategy_hash: str
    config_hash: str


class _Scheduled(_Told, tag="scheduled", gc=False): ...


class _Opened(_Told, tag="opened", gc=False): ...


class _Cancelled(_Told, tag="cancelled", gc=False): ...


class _Rejected(_Told, tag="rejected", gc=False): ...


class _Stopped(_Told, tag="stopped", gc=False): ...


_Any = _Closed | _Started | _Scheduled | _Opened | _Cancelled | _Rejected | _Stopped
_DECODER: msgspec.json.Decoder[list[list[_Any]]] = msgspec.json.Decoder(list[list[_Any]])
_ACTIONS: dict[type, str] = {
    _Closed: "closed",
    _Started: "started",
    _Scheduled: "scheduled",
    _Opened: "opened",
    _Cancelled: "cancelled",
    _Rejected: "rejected",
    _Stopped: "stopped",
}


def book_journal(reader: Reader, ledger: Ledger, upto: int | None = None) -> Head:
    """Book the records up to event `upto`, which must be there, or up to the last that may be read; the last record.

    Raises `CorruptJournal`, `NewerFormat`; the ledger is of no use then.
    """
    cursor, books = Cursor(reader.folder), _Books(reader, ledger)
    while True:
        before, limit = reader.signs_of_a_writer(), reader.limit() if upto is None else upto
        try:
            for line in cursor.lines(limit):
                if line.kind == b"events":
                    books.take(line)
        except CorruptJournal:
            if not reader.may_have_moved(before, limit):
                raise
        else:
            books.empty()
            return books.head


class _Books:
    """Lines on their way into the ledger, some at once."""

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self.head = Head()
        self._reader = reader
        self._ledger = ledger
        self._lines: list[Line] = []

    def take(self, line: Line) -> None:
        self._lines.append(line)
        if len(self._lines) == LINES_AT_ONCE:
            self.empty()

    def empty(self) -> None:
        """Book what was taken."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        last = lines[-1]
        self.head = Head(last.seq, last.hash.decode())
        records: list[list[_Any]]
        try:
            records = _DECODER.decode(b"[" + b",".join([line.body for line in lines]) + b"]")
        except msgspec.MsgspecError:
            records = [[] for _ in lines]
        for line, told in zip(lines, records, strict=True):
            if told and all(VERSIONS[_ACTIONS[type(each)]] == each.v for each in told):
                self._book(line.seq - len(told), told)
            else:
                for event in record_of(self._reader.folder, line).events:
                    self._ledger.book(event)

    def _book(self, seq: int, told: Sequence[_Any]) -> None:
        ledger = self._ledger
        for place, each in enumerate(told, 1):
            at, action = each.at, _ACTIONS[type(each)]
            if not ledger.before_end(at):
                return
            account = ledger.account(self._reader.stream)
            booked = ledger.enter(account, action, at, seq + place, each.ticks)
            if isinstance(each, _Closed):
                if booked:
                    signal = each.signal
                    ledger.note_closing(
                        account, signal.position, each.reason, each.pnl.percentage, signal.opened_at, at
                    )
            elif isinstance(each, _Opened):
                if booked:
                    ledger.note_opening(at)
            elif isinstance(each, _Started):
                made = Made(version=each.version, strategy_hash=each.strategy_hash, config_hash=each.config_hash)
                ledger.start(account, at, made, booked=booked)
            account.running, account.last_at = action != "stopped", at
