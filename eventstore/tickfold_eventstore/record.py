"""One line of a journal: its length, its number, its time, what it says, and the hash that chains it. Pure.

    {"n":   116,"seq":         123,"t":"1730000000123456","events":[…], "h":"e865bc97cd9b7fad"}⏎

A line is ASCII and holds one LF, its last byte. Its tail is found by length, never by search.
"""

from __future__ import annotations

import re
from binascii import hexlify
from hashlib import sha256
from typing import NamedTuple

ZERO_HASH = b"0" * 16
"""What the first line of a stream is chained to."""

LONGEST = 999_999
"""The longest line, in bytes with its LF: what the six columns of `n` can say."""

TAIL = 26
"""Bytes of `, "h":"…"}` and the LF."""

_LENGTH = rb'\{"n":(?=.{6},) *([1-9]\d*),'
_HEAD = re.compile(_LENGTH + rb'"seq":(?=.{12},) *(0|[1-9]\d*),"t":"(?:0|[1-9]\d*)","(events|header|seal)":')
_TIME_AT = 36
_BEGINNING = re.compile(_LENGTH)
_TAIL = re.compile(rb', "h":"([0-9a-f]{16})"\}\n')


class Line(NamedTuple):
    """A line that is whole, and where it stands: in which segment, at which byte.

    `kind` is events, header or seal; `seq` that of the last event in it or before it.
    """

    segment: int
    offset: int
    seq: int
    kind: bytes
    raw: bytes
    body_at: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.offset + len(self.raw)

    @property
    def body(self) -> bytes:
        """The JSON that stands for its kind."""
        return self.raw[self.body_at : -TAIL]

    @property
    def hash(self) -> bytes:
        """The hash that is stored in it."""
        return self.raw[-19:-3]

    @property
    def t(self) -> int:
        """When it was recorded, µs since the epoch."""
        return int(self.raw[_TIME_AT : self.raw.index(b'"', _TIME_AT)])


def line_of(previous: bytes, seq: int, t: int, kind: bytes, body: bytes) -> bytes:
    """The line that follows the one with the hash `previous`; may be longer than `LONGEST`, which is for the caller."""
    rest = b'"seq":%12d,"t":"%d","%s":%s' % (seq, t, kind, body)
    text = b'{"n":%6d,%s' % (len(rest) + 12 + TAIL, rest)  # 12 bytes stand before `rest`
    return text + b', "h":"%s"}\n' % hash_of(previous, text)


def hash_of(previous: bytes, text: bytes) -> bytes:
    """Sixteen hex digits that chain a line without its tail to the one before it."""
    return hexlify(sha256(previous + text).digest()[:8])


def follows(previous: bytes, raw: bytes) -> bool:
    """Whether the hash stored in a line is the one that it must have after a line with the hash `previous`."""
    return raw[-TAIL:] == b', "h":"%s"}\n' % hash_of(previous, raw[:-TAIL])


def parse(raw: bytes, segment: int = 0, offset: int = 0) -> Line | None:
    """A line, None where head, length or tail are not those of one. The hash is not checked."""
    line = _parse_head(raw, segment, offset)
    return line if line is not None and stored_hash(raw) is not None else None


def verified(previous: bytes, raw: bytes, segment: int = 0, offset: int = 0) -> Line | None:
    """A line that is whole and follows the one with the hash `previous`, else None. Every reader's hot path."""
    return _parse_head(raw, segment, offset) if follows(previous, raw) else None


def _parse_head(raw: bytes, segment: int, offset: int) -> Line | None:
    head = _HEAD.match(raw)
    if head is None:
        return None
    length, seq, kind = head.groups()
    body_at = head.end()
    if int(length) != len(raw) or len(raw) < body_at + TAIL:
        return None
    return Line(segment, offset, int(seq), kind, raw, body_at)


def stored_hash(raw: bytes) -> bytes | None:
    """The hash in a line's tail, None where it has none."""
    tail = _TAIL.fullmatch(raw, max(0, len(raw) - TAIL))
    return tail[1] if tail else None


def claimed_length(raw: bytes) -> int | None:
    """What a line that may be torn says of its length, None where it does not begin as a line does."""
    beginning = _BEGINNING.match(raw)
    return int(beginning[1]) if beginning else None
