"""What `tickfold doctor` looks at. A finding is ok, odd (worth a look) or bad (no journal should be kept so)."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import re
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import attrs

from tickfold_eventstore.errors import UnsupportedPlatform
from tickfold_eventstore.files import Files, file_system_of, files_here

from .faults import sentence

SYNCS = 50
RECORD = b"x" * 400
UNIT = 1 << 16
"""Bytes of free space that a journal writes beforehand."""

FASTER_THAN_ANY_DISK_US = 15
SLOW_US = 50_000
LITTLE, TOO_LITTLE = 1 << 30, 64 << 20
"""Free bytes."""
DESCRIPTORS_OF_A_STREAM = 4
TIME_ERROR = 5
"""What adjtimex answers where the clock is not synchronised."""


@attrs.frozen
class Finding:
    """What was looked at, the verdict, what was seen, and what to do about it."""

    what: str
    verdict: Literal["ok", "odd", "bad"]
    said: str
    to_do: str = ""


def of_python() -> Finding:
    """The interpreter: an older one than Tickfold needs does not come so far."""
    said = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.release()}"
    return Finding("python", "ok", said)


def of_packages() -> Iterator[Finding]:
    """What Tickfold needs, and what its extras would add."""
    there: list[str] = []
    missing: list[str] = []
    extras: list[tuple[str, str]] = []
    for told in importlib.metadata.requires("tickfold") or ():
        name = re.split(r"[^A-Za-z0-9._-]", told, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)", told)
        try:
            there.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            if extra is None:
                missing.append(name)
            else:
                extras.append((name, extra[1]))
    if missing:
        yield Finding("packages", "bad", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    else:
        yield Finding("packages", "ok", ", ".join(there))
    for name, group in extras:
        yield Finding("packages", "ok", f"{name} is not installed; the extra {group} brings it")


def of_data_dir(data_dir: Path) -> Iterator[Finding]:
    """The disk below the journals: is it local, may one write there, how long does a sync take, is there room."""
    what = f"data directory {data_dir}"
    place = data_dir.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        yield Finding(what, "bad", f"{place} is a file", "name a directory with --data-dir")
        return
    try:
        files = files_here()
        files.check_fit(str(place))
        took = syncs(files, place)
    except UnsupportedPlatform as error:
        yield Finding(what, "bad", str(error), "put it on a local file system, with --data-dir")
        return
    except OSError as error:
        yield Finding(what, "bad", sentence(error))
        return
    yield _of_kind(what, place)
    yield _of_syncs(took)
    yield _of_room(place)


def syncs(files: Files, folder: Path) -> list[float]:
    """How long each of some syncs takes, in µs, of small writes into space that was written before, as a journal's."""
    path = folder / f".tickfold-doctor-{os.getpid()}"
    descriptor = files.open(str(path), create=True, exclusive=True)
    try:
        files.pwrite(descriptor, b"\n" * UNIT, 0)
        files.sync(descriptor)
        took: list[float] = []
        for number in range(SYNCS):
            begun = time.perf_counter_ns()
            files.pwrite(descriptor, RECORD, number * len(RECORD))
            files.sync(descriptor)
            took.append((time.perf_counter_ns() - begun) / 1000)
        return took
    finally:
        files.close(descriptor)
        files.unlink(str(path))


def _of_kind(what: str, place: Path) -> Finding:
    kind = ""
    if sys.platform == "linux":
        kind = file_system_of(str(place.resolve()), os.fsdecode(Path("/proc/self/mountinfo").read_bytes()))
    if kind in {"tmpfs", "ramfs"}:
        to_do = "a journal there is gone at the next boot: use a directory on a disk, with --data-dir"
        return Finding(what, "odd", f"{kind}: it lies in memory", to_do)
    return Finding(what, "ok", f"local, {kind or 'of a kind that the system does not tell'}, can be written")


def _of_syncs(took: list[float]) -> Finding:
    median, longest = statistics.median(took), max(took)
    said = f"{median:.0f} µs (median of {len(took)}), {longest:.0f} µs at most"
    if median < FASTER_THAN_ANY_DISK_US:
        to_do = "faster than any disk: a cache may answer for it, and a power cut lose what was acknowledged"
        return Finding("sync", "odd", said, to_do)
    if median > SLOW_US:
        return Finding("sync", "odd", said, "each event waits for as long: a disk of its own serves better")
    return Finding("sync", "ok", said)


def _of_room(place: Path) -> Finding:
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    said = f"{free / (1 << 30):.1f} GiB free"
    if free < TOO_LITTLE:
        return Finding("room", "bad", said, "make room: a segment of a journal grows to 64 MiB")
    if found.f_files and not found.f_favail:
        return Finding("room", "bad", f"{said}, and no inode", "remove files: no new one can be made here")
    return (
        Finding("room", "odd", said, "make room before it runs out") if free < LITTLE else Finding("room", "ok", said)
    )


def of_descriptors() -> Finding:
    """How many files this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return Finding("open files", "ok", "no limit")
    streams = max(0, soft - 64) // DESCRIPTORS_OF_A_STREAM
    said = f"{soft}, enough for about {streams} streams in one process"
    more = "unlimited" if hard == resource.RLIM_INFINITY else hard
    verdict: Literal["ok", "odd", "bad"] = "ok" if streams >= 100 else "odd" if streams else "bad"
    return Finding("open files", verdict, said, "" if verdict == "ok" else f"raise it: ulimit -n {more}")


def of_clock() -> Finding:
    """Whether the clock can be right, and whether the system says that it is kept so."""
    now = time.gmtime()
    said = time.strftime("%Y-%m-%dT%H:%M:%SZ", now)
    built = time.gmtime(Path(__file__).stat().st_mtime)
    to_do = "set it, and let NTP keep it: slots are asked by this clock"
    if now < built:
        return Finding("clock", "bad", f"{said}, which is before this program was installed", to_do)
    if sys.platform == "linux" and ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == TIME_ERROR:
        return Finding("clock", "odd", f"{said}; the system says that nothing keeps it right", to_do)
    return Finding("clock", "ok", said)


def of_tools() -> Iterator[Finding]:
    """Programs that are useful beside it, and not needed."""
    for name, use in (("jq", "reads journals from the shell"), ("strace", "lets tests trace system calls")):
        there = shutil.which(name)
        yield Finding(name, "ok", there or f"not installed; it {use}, and nothing else needs it")
