"""Journals as one file, to keep or to carry elsewhere: the same streams give the same bytes.

A tar of what `journal/` holds, each stream up to its last acknowledged record and without free space, behind a manifest
that names each file with its length and SHA-256. MARK and LOCK are not in it: they belong to the place.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from .codec import UNREADABLE
from .errors import CorruptJournal, StoreError
from .folder import MARK, Folder, is_segment, read_all, segment_name
from .log import Head
from .mark import mark_of
from .reader import Cursor, Reader
from .signals import Stream
from .store import Store
from .verify import verify

FORMAT = "tickfold-archive"
VERSION = 1
MANIFEST = "MANIFEST.json"


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class ArchiveError(StoreError):
    """An archive cannot be written or taken in; nothing was overwritten."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One segment in an archive, by its path in it."""

    path: str
    length: int
    sha256: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One stream in an archive, up to the record that `seq` and `h` name."""

    exchange: str
    strategy: str
    symbol: str
    seq: int
    h: str
    files: tuple[Member, ...]

    @property
    def stream(self) -> Stream:
        return Stream(self.exchange, self.strategy, self.symbol)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first member of an archive."""

    format: str
    version: int
    streams: tuple[Kept, ...]


def export(store: Store, streams: Iterable[Stream], path: Path) -> Manifest:
    """Write the streams into a new file. Raises `CorruptJournal` for one that is damaged, `ArchiveError`, `OSError`."""
    if path.exists():
        raise ArchiveError(f"{path} is there already, and nothing is overwritten: name another file")
    manifest = Manifest(format=FORMAT, version=VERSION, streams=tuple(_kept(store, each) for each in sorted(streams)))
    making = path.with_name(f"{path.name}.tmp")
    with making.open("wb") as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
            for kept in manifest.streams:
                for member in kept.files:
                    _add(tar, member.path, _segment(store, kept.stream, member))
        out.flush()
        os.fsync(out.fileno())
    os.link(making, path)  # unlike a rename, a link overwrites nothing
    making.unlink()
    return manifest


def take_in(store: Store, path: Path) -> Manifest:
    """Put the streams of an archive into a data directory. Each is written beside its place, verified as a journal, and
    only then given its name.

    Raises `ArchiveError` where a stream is there already, or the archive is not what its manifest says or holds a
    damaged journal, `NewerFormat`, `UnusableName`, `OSError`; no stream is taken in then.
    """
    with tarfile.open(path, mode="r:") as tar:
        manifest = _manifest(tar, path)
        _check_names(store, manifest, path)
        for kept in manifest.streams:
            if store.folder(kept.stream).exists():
                raise ArchiveError(f"{kept.stream} is in {store.data_dir} already, and nothing is overwritten")
            for _ in _contents(tar, kept, path):
                pass  # every member is what the manifest says before anything is written
        made: list[Folder] = []
        try:
            for kept in manifest.streams:
                made.append(_making(store, kept))
                _make(store, made[-1], kept, _contents(tar, kept, path))
        except BaseException:
            for folder in made:
                _discard(folder)
            raise
    for folder in made:
        _put(store, folder)
    return manifest


def _check_names(store: Store, manifest: Manifest, path: Path) -> None:
    """Each stream once, and of each nothing but segments, each once, where a stream has them."""
    streams = [kept.stream for kept in manifest.streams]
    names = [member.path for kept in manifest.streams for member in kept.files]
    for kept in manifest.streams:
        if streams.count(kept.stream) > 1:
            raise ArchiveError(f"{path} names {kept.stream} twice")
        place = f"journal/{store.place(kept.stream)}"
        for member in kept.files:
            above, _, name = member.path.rpartition("/")
            if above != place or not is_segment(name) or names.count(member.path) > 1:
                raise ArchiveError(f"{path}: {member.path!r} is no segment of {kept.stream}, or is there twice")


def _kept(store: Store, stream: Stream) -> Kept:
    reader = store.reader(stream)
    while True:
        before, upto = reader.signs_of_a_writer(), reader.limit()
        try:
            return _kept_upto(store, reader, upto)
        except CorruptJournal:
            if not reader.may_have_moved(before, upto):
                raise


def _kept_upto(store: Store, reader: Reader, upto: int | None) -> Kept:
    found: dict[int, tuple[int, Digest]] = {}
    head = Head()
    for line in Cursor(reader.folder).lines(upto):
        length, digest = found.get(line.segment) or (0, hashlib.sha256())
        digest.update(line.raw)
        found[line.segment] = length + len(line.raw), digest
        if line.kind == b"events":
            head = Head(line.seq, line.hash.decode())
    place = f"journal/{store.place(reader.stream)}"
    files = tuple(
        Member(path=f"{place}/{segment_name(segment)}", length=length, sha256=digest.hexdigest())
        for segment, (length, digest) in found.items()
    )
    return Kept(**reader.stream._asdict(), seq=head.seq, h=head.hash, files=files)


def _segment(store: Store, stream: Stream, member: Member) -> bytes:
    folder = store.folder(stream)
    with folder.opened(member.path.rpartition("/")[2]) as descriptor:
        return read_all(folder.files, descriptor, member.length, 0)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # no owner, no time: the same content gives the same bytes
    member.size = len(content)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(content))


def _manifest(tar: tarfile.TarFile, path: Path) -> Manifest:
    content = _content(tar, MANIFEST, path)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except UNREADABLE as error:
        raise ArchiveError(f"{path}: its manifest cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise ArchiveError(f"{path} is no {FORMAT}")
    if manifest.version > VERSION:
        raise ArchiveError(f"{path} is an archive of version {manifest.version}; it needs a later Tickfold")
    return manifest


def _contents(tar: tarfile.TarFile, kept: Kept, path: Path) -> Iterator[tuple[str, bytes]]:
    for member in kept.files:
        content = _content(tar, member.path, path)
        if len(content) != member.length or hashlib.sha256(content).hexdigest() != member.sha256:
            raise ArchiveError(f"{path}: {member.path} is not what the manifest says of it")
        yield member.path.rpartition("/")[2], content


def _content(tar: tarfile.TarFile, name: str, path: Path) -> bytes:
    try:
        member = tar.getmember(name)
    except KeyError:
        member = None
    # A link leads elsewhere, and a sparse file of no size at all may say that it is as large as memory.
    found = tar.extractfile(member) if member is not None and member.isreg() and not member.issparse() else None
    if found is None:
        raise ArchiveError(f"{path} holds no {name}")
    return found.read()


def _making(store: Store, kept: Kept) -> Folder:
    making = Folder(store.files, f"{store.data_dir.absolute()}/importing/{store.place(kept.stream)}", kept.stream)
    if making.exists() and store.files.listdir(making.path):
        raise ArchiveError(f"{making.path} is left from an import that did not end: look at it, and remove it")
    return making


def _make(store: Store, making: Folder, kept: Kept, contents: Iterator[tuple[str, bytes]]) -> None:
    """The stream beside its place, judged as a journal."""
    store.make_directories(making.path)
    for name, content in contents:
        making.files.close(making.create(name, content))
    verdict = verify(Reader(making))
    if isinstance(verdict.damage, CorruptJournal):
        damage = verdict.damage
        detail = f"{damage.segment} at byte {damage.offset}: {damage.detail}"
        raise ArchiveError(f"{kept.stream} is damaged in the archive ({detail}); export it anew") from damage
    if verdict.damage is not None:
        raise verdict.damage
    if verdict.head != Head(kept.seq, kept.h):
        detail = f"with the hash {verdict.head.hash}, and its manifest says {kept.seq} and {kept.h!r}"
        raise ArchiveError(f"{kept.stream} in the archive ends at event {verdict.head.seq} {detail}")
    if kept.seq:
        making.files.close(making.create(MARK, mark_of(verdict.head)))


def _discard(making: Folder) -> None:
    """Remove what this import made."""
    for name in making.files.listdir(making.path) if making.exists() else ():
        making.files.unlink(making.at(name))


def _put(store: Store, making: Folder) -> None:
    final = store.folder(making.stream)
    store.make_directories(final.path.rpartition("/")[0])
    store.files.rename(making.path, final.path)
    store.sync_directories(final)
