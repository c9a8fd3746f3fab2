"""What stands behind the last valid line of a segment: free space, a torn append, or damage. Pure.

A torn write is told from rot by what a line is made of: it holds one LF, its last byte, so of an append that did not
land whole a leading LF is left, or LF LF inside it. A line that is there from end to end was once written whole.
Sector size appears nowhere.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .record import TAIL, claimed_length, parse, stored_hash

FILLER = b"\n"
_ONLY_FREE = b"\n\0"
_WRITABLE = re.compile(rb"[\n\x20-\x7e]*")


class Tail(NamedTuple):
    """`damage` is a kind of damage with its explanation, or None; `torn` what an append that was cut short left."""

    damage: tuple[str, str] | None = None
    torn: bytes = b""


def judge_tail(rest: bytes, size: int, unit: int) -> Tail:
    """What `rest`, the bytes from the end of the last valid line to the end of a file of `size` bytes, must be.

    `unit` is what the size of a file in use is a multiple of.
    """
    if not rest.strip(_ONLY_FREE):
        return Tail()  # NUL: an extension whose size landed and whose contents did not
    text = rest.rstrip(FILLER)
    first, *later = rest.split(FILLER)
    if not _WRITABLE.fullmatch(rest):
        return Tail(("foreign bytes", "a byte that no append writes stands behind the last valid record"))
    if any(parse(line + FILLER) for line in later if line):
        return Tail(("chain", "a whole record stands behind one that is not valid: two appends are never open at once"))
    if first and _was_whole(first, rest, len(text)):
        return Tail(("rot", "the last record was written whole and has changed since"))
    if size % unit:
        return Tail(("cut", f"the file has {size} bytes, which is no multiple of {unit}: it was cut"))
    if first and rest[len(first) + 1 : len(first) + 2] not in {FILLER, b""}:
        return Tail(("free space", "a byte of the last record turned into a line feed"))
    return Tail(torn=text)


def _was_whole(first: bytes, rest: bytes, text_length: int) -> bool:
    """Whether the first line behind the last valid one was there from end to end."""
    if stored_hash(rest[max(0, len(first) + 1 - TAIL) : len(first) + 1]) is not None:
        return True
    length = claimed_length(first)
    return length is not None and (len(first) >= length - 1 or text_length > length - 1)
