"""One line of a journal: its length, its number, its time, what it says, and the hash that chains it. Pure.

    {"n":   116,"seq":         123,"t":"1730000000123456","events":[…], "h":"e865bc97cd9b7fad"}⏎

A line is ASCII and holds one LF, its last byte. Its tail is found by length, never by search.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

ZERO_HASH = b"0" * 16
"""What the first line of a stream is chained to."""

LONGEST = 999_999
"""The longest line, in bytes with its LF: what the six columns of `n` can say."""

TAIL = 26
"""Bytes of `, "h":"…"}` and the LF."""

_LENGTH = rb'\{"n":(?=.{6},) *([1-9]\d*),'
_HEAD = re.compile(_LENGTH + rb'"seq":(?=.{12},) *(0|[1-9]\d*),"t":"(0|[1-9]\d*)","(events|header|seal)":')
_BEGINNING = re.compile(_LENGTH)
_TAIL = re.compile(rb', "h":"([0-9a-f]{16})"\}\n')


class Line(NamedTuple):
    """A line that is whole: `kind` is events, header or seal, `body` the JSON behind it, `hash` the stored one.

    `seq` is that of the last event in it or before it, `t` when it was recorded, µs since the epoch.
    """

    seq: int
    t: int
    kind: bytes
    body: bytes
    hash: bytes


def line_of(previous: bytes, seq: int, t: int, kind: bytes, body: bytes) -> bytes:
    """The line that follows the one with the hash `previous`; may be longer than `LONGEST`, which is for the caller."""
    rest = b'"seq":%12d,"t":"%d","%s":%s' % (seq, t, kind, body)
    text = b'{"n":%6d,%s' % (len(rest) + 12 + TAIL, rest)  # 12 bytes stand before `rest`
    return text + b', "h":"%s"}\n' % hash_of(previous, text)


def hash_of(previous: bytes, text: bytes) -> bytes:
    """Sixteen hex digits that chain a line without its tail to the one before it."""
    return sha256(previous + text).hexdigest()[:16].encode()


def follows(previous: bytes, raw: bytes) -> bool:
    """Whether the hash stored in a line is the one that it must have after a line with the hash `previous`."""
    return sha256(previous + raw[:-TAIL]).hexdigest()[:16] == raw[-19:-3].decode("latin-1")


def parse(raw: bytes) -> Line | None:
    """The parts of a line, None where head, length or tail are not those of one. The hash is not checked."""
    head = _HEAD.match(raw)
    if head is None or int(head[1]) != len(raw) or len(raw) < head.end() + TAIL:
        return None
    tail = _TAIL.fullmatch(raw, len(raw) - TAIL)
    if tail is None:
        return None
    return Line(int(head[2]), int(head[3]), head[4], raw[head.end() : -TAIL], tail[1])


def stored_hash(raw: bytes) -> bytes | None:
    """The hash in a line's tail, None where it has none."""
    tail = _TAIL.fullmatch(raw, max(0, len(raw) - TAIL))
    return tail[1] if tail else None


def claimed_length(raw: bytes) -> int | None:
    """What a line that may be torn says of its length, None where it does not begin as a line does."""
    beginning = _BEGINNING.match(raw)
    return int(beginning[1]) if beginning else None
