"""Bytes that are no part of a journal any more are moved beside it, with the reason, and never deleted."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from .folder import QUARANTINE, Folder, read_all, segment_name, write_all


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why bytes were set aside, and where they stood."""

    why: str
    file: str
    offset: int
    length: int


def set_aside(
    folder: Folder, segment: int, offset: int, content: bytes, why: str = "an append that was cut short"
) -> str:
    """Keep a copy of bytes of a segment; durable when it returns. Returns its path in the stream's directory."""
    reason = Reason(why=why, file=segment_name(segment), offset=offset, length=len(content))
    return _keep(folder, f"{segment_name(segment)}.{offset}", content, reason)


def move_unfinished(folder: Folder, names: Iterable[str]) -> None:
    """Move files that were being made when a process ended; durable when it returns."""
    for name in names:
        move_away(folder, folder.at(name), "a file that was being made when its process ended")


def move_away(folder: Folder, path: str, why: str) -> None:
    """Move a whole file beside the journal; durable when it returns.

    Copied, synced and only then removed: after a power cut a rename may have landed in neither of two directories.
    """
    parent, _, name = path.rpartition("/")
    _prepare(folder)
    free = _free_name(folder, name)
    descriptor = folder.files.open(path)
    try:
        whole = read_all(folder.files, descriptor, folder.files.size(descriptor), 0)
    finally:
        folder.files.close(descriptor)
    reason = Reason(why=why, file=name, offset=0, length=len(whole))
    _write(folder, f"{free}.reason", msgspec.json.encode(reason) + b"\n")
    _write(folder, free, whole)
    folder.sync_names(folder.at(QUARANTINE))
    folder.files.unlink(path)
    folder.sync_names(parent)


def _keep(folder: Folder, name: str, content: bytes, reason: Reason) -> str:
    _prepare(folder)
    free = _free_name(folder, name)
    _write(folder, f"{free}.reason", msgspec.json.encode(reason) + b"\n")
    _write(folder, free, content)
    folder.sync_names(folder.at(QUARANTINE))
    return f"{QUARANTINE}/{free}"


def _prepare(folder: Folder) -> None:
    if not folder.files.exists(folder.at(QUARANTINE)):
        folder.files.mkdir(folder.at(QUARANTINE))
    folder.sync_names(folder.path)


def _free_name(folder: Folder, name: str) -> str:
    taken = set(folder.files.listdir(folder.at(QUARANTINE)))
    number = 1
    while f"{name}.{number}" in taken or f"{name}.{number}.reason" in taken:
        number += 1
    return f"{name}.{number}"


def _write(folder: Folder, name: str, content: bytes) -> None:
    """Under a name that nothing has, synced. Cut short by a crash, it is one more file that explains nothing."""
    descriptor = folder.files.open(folder.at(f"{QUARANTINE}/{name}"), create=True, exclusive=True)
    try:
        write_all(folder.files, descriptor, content, 0)
        folder.sync(descriptor, name)
    finally:
        folder.files.close(descriptor)
