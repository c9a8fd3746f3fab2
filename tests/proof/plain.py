"""The format and the rules of opening a second time, plainly: standard library alone, nothing shared with the store.

One segment, read from its first byte. Slow and short on purpose: this is what the store is compared with.
"""

from __future__ import annotations

import re
import zlib
from hashlib import sha256
from typing import NamedTuple

ZERO = b"0" * 16
TAIL = 26
LENGTH = re.compile(rb'\{"n":(?=.{6},) *([1-9]\d*),')
HEAD = re.compile(LENGTH.pattern + rb'"seq":(?=.{12},) *(0|[1-9]\d*),"t":"(0|[1-9]\d*)",')
MARK = re.compile(rb'(\{"seq":(?=.{12},) *([1-9]\d*),"h":"([0-9a-f]{16})"),"c":"([0-9a-f]{8})"\}\n')
HASH = re.compile(rb', "h":"([0-9a-f]{16})"\}\n')
PRINTABLE = re.compile(rb"[\n\x20-\x7e]*")


class Opening(NamedTuple):
    """What opening comes to: `refused` names the rule, else the records in order, where they end, what was torn."""

    refused: int = 0
    records: tuple[bytes, ...] = ()
    seq: int = 0
    hash: bytes = ZERO
    end: int = 0
    torn: bytes = b""


def line_of(previous: bytes, seq: int, body: bytes, t: int = 1_730_000_000_123_000) -> bytes:
    """One line: `body` is what stands between the time and the hash, such as `"events":[…]`."""
    rest = b'"seq":%12d,"t":"%d",%s' % (seq, t, body)
    text = b'{"n":%6d,%s' % (len(rest) + 12 + TAIL, rest)
    return text + b', "h":"%s"}\n' % hash_of(previous, text)


def hash_of(previous: bytes, text: bytes) -> bytes:
    return sha256(previous + text).hexdigest()[:16].encode()


def mark_of(seq: int, h: bytes) -> bytes:
    start = b'{"seq":%12d,"h":"%s"' % (seq, h)
    return start + b',"c":"%08x"}\n' % zlib.crc32(start)


def mark_in(content: bytes | None) -> tuple[int, bytes] | None:
    """What MARK says, None where it is absent or not to be believed."""
    found = MARK.fullmatch(content or b"")
    if found is None or b"%08x" % zlib.crc32(found[1]) != found[4]:
        return None
    return int(found[2]), found[3]


def is_whole(line: bytes) -> bool:
    """Head, length and tail are those of a line; the hash is not asked."""
    head = HEAD.match(line)
    return head is not None and int(head[1]) == len(line) and HASH.fullmatch(line[-TAIL:]) is not None


def opening(content: bytes, mark: bytes | None, unit: int) -> Opening:
    """What must come of opening a stream whose only segment holds these bytes."""
    records, seq, previous, end = [], 0, ZERO, 0
    hashes = {0: ZERO}
    while is_whole(line := content[end : content.find(b"\n", end) + 1]):
        if hash_of(previous, line[:-TAIL]) != line[-19:-3]:
            break
        seq, previous, end = int(line[12 + 6 : 12 + 18]), line[-19:-3], end + len(line)
        if b'"events":[' in line[:80]:
            records.append(line)
            hashes[seq] = previous
    if not end:
        return Opening(refused=-1)
    named = mark_in(mark)
    refused = 1 if named is not None and hashes.get(named[0]) != named[1] else tail_rule(content, end, unit)
    rest = content[end:]
    torn = b"" if refused or not rest.strip(b"\n\0") else rest.rstrip(b"\n")
    return Opening(refused, tuple(records), seq, previous, end, torn)


def tail_rule(content: bytes, end: int, unit: int) -> int:
    """The rule by which what stands behind the last valid line refuses, 0 where none does."""
    rest = content[end:]
    if not rest.strip(b"\n\0"):
        return 0
    if PRINTABLE.fullmatch(rest) is None or len(content) % unit:
        return 3
    if any(is_whole(line + b"\n") for line in rest.split(b"\n")[1:]):
        return 4
    text = rest.rstrip(b"\n")
    first = rest.find(b"\n") if b"\n" in rest else len(rest)
    if first:
        length = LENGTH.match(rest)
        if HASH.fullmatch(rest[first - TAIL + 1 : first + 1]):
            return 5
        if length is not None and (first >= int(length[1]) - 1 or len(text) > int(length[1]) - 1):
            return 5
        if rest[first + 1 : first + 2] not in {b"\n", b""}:
            return 6
    return 0
