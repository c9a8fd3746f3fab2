"""MARK: the last acknowledged record, in one line of fixed length that is written in place. Pure.

{"seq":          13,"h":"78baed294120e23b","c":"deb30cab"}⏎
"""

from __future__ import annotations

import re
import zlib

from .log import Head

_MARK = re.compile(rb'(\{"seq":(?=.{12},) *([1-9]\d*),"h":"([0-9a-f]{16})"),"c":"([0-9a-f]{8})"\}\n')

LENGTH = 59


def mark_of(head: Head) -> bytes:
    """The line that says which record was acknowledged last."""
    text = b'{"seq":%12d,"h":"%s"' % (head.seq, head.hash.encode())
    return text + b',"c":"%08x"}\n' % zlib.crc32(text)


BLANK = b"\n" * LENGTH
"""A MARK that names nothing yet."""


def parse_mark(raw: bytes) -> Head | None:
    """What MARK names, None where it is absent, or not to be believed: of another length or checksum."""
    found = _MARK.fullmatch(raw)
    if found is None or b"%08x" % zlib.crc32(found[1]) != found[4]:
        return None
    return Head(int(found[2]), found[3].decode())
