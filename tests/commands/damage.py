"""Journals as a bad disk or a later version would leave them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tickfold_eventstore.record import ZERO_HASH, line_of, parse


def copy_of(data_dir: Path, to: Path) -> Path:
    shutil.copytree(data_dir, to)
    return to


def segment(data_dir: Path, stream: str) -> Path:
    """The only segment of a stream named `exchange/strategy/symbol`."""
    (found,) = (data_dir / "journal" / stream).glob("*.jsonl")
    return found


def flip(path: Path, line: int) -> None:
    """Turn one bit of a digit in the middle of a line (from 0; -1: the last)."""
    lines = path.read_bytes().rstrip(b"\n").splitlines(keepends=True)
    raw = bytearray(lines[line])
    at = raw.index(b'"at":') + 8
    raw[at] ^= 1
    lines[line] = bytes(raw)
    content = b"".join(lines)
    path.write_bytes(content + path.read_bytes()[len(content) :])


def of_a_later_version(path: Path) -> None:
    """A journal whose header says that it is of format version 99, every hash right."""
    header = parse(path.read_bytes().splitlines(keepends=True)[0])
    assert header is not None
    body = header.body.replace(b'"version":1,', b'"version":99,')
    path.write_bytes(line_of(ZERO_HASH, 0, header.t, b"header", body))
