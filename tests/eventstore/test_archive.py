"""An archive is the journals and nothing else: the same bytes each time, taken in only where it is whole."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import msgspec
import pytest

from tests.support.machine import EVENTS
from tickfold_eventstore import CorruptJournal, Store, Stream
from tickfold_eventstore.archive import MANIFEST, ArchiveError, export, take_in
from tickfold_eventstore.folder import Layout
from tickfold_eventstore.verify import verify

STREAMS = [Stream("x", "s", "A"), Stream("x", "s/with: a name", "B"), Stream("y", "s", "A" * 300)]
SMALL = Layout(unit=1024, segment=4096)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "data", layout=SMALL)
    for stream in STREAMS:
        journal, _ = store.open(stream, lambda records: None)
        for seq in range(1, 25):
            event = msgspec.structs.replace(EVENTS["rejected"], seq=seq, **stream._asdict())
            journal.append([event], expected_seq=seq - 1)
        journal.close()
    return store


def told(store: Store) -> dict[Stream, list[object]]:
    return {stream: list(store.reader(stream).read()) for stream in store.streams()}


def test_what_was_exported_comes_back_event_for_event(store: Store, tmp_path: Path) -> None:
    export(store, STREAMS, tmp_path / "all.tar")
    other = Store(tmp_path / "other", layout=SMALL)
    take_in(other, tmp_path / "all.tar")
    assert told(other) == told(store)
    assert [verify(other.reader(stream)).damage for stream in STREAMS] == [None] * 3
    journal, _ = other.open(STREAMS[0], lambda records: None)
    assert journal.head == store.reader(STREAMS[0]).head()
    journal.close()


def test_the_same_journals_give_the_same_bytes_whether_they_are_open_or_not(store: Store, tmp_path: Path) -> None:
    export(store, STREAMS, tmp_path / "closed.tar")
    journal, _ = store.open(STREAMS[0], lambda records: None)
    export(store, reversed(STREAMS), tmp_path / "open.tar")
    journal.close()
    assert (tmp_path / "open.tar").read_bytes() == (tmp_path / "closed.tar").read_bytes()


def test_nothing_is_overwritten(store: Store, tmp_path: Path) -> None:
    export(store, STREAMS[:1], tmp_path / "one.tar")
    with pytest.raises(ArchiveError, match="there already"):
        export(store, STREAMS, tmp_path / "one.tar")
    before = told(store)
    with pytest.raises(ArchiveError, match=r"x/s/A is in .* already"):
        take_in(store, tmp_path / "one.tar")
    assert told(store) == before


def test_a_damaged_journal_is_not_exported(store: Store, tmp_path: Path) -> None:
    segment = next(Path(store.folder(STREAMS[0]).path).glob("*.jsonl"))
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"rejected", b"rejekted", 1))
    with pytest.raises(CorruptJournal):
        export(store, STREAMS, tmp_path / "all.tar")
    assert not (tmp_path / "all.tar").exists()


def changed(path: Path, name: str, content: bytes | None, target: Path) -> Path:
    """The archive with one member that holds something else, or none."""
    with tarfile.open(path) as old, tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as new:
        for member in old.getmembers():
            found = old.extractfile(member)
            assert found is not None
            kept = found.read()
            if member.name == name:
                if content is None:
                    continue
                kept = content
                member.size = len(content)
            new.addfile(member, io.BytesIO(kept))
    return target


def test_an_archive_that_is_not_what_its_manifest_says_is_refused_and_leaves_no_stream(
    store: Store, tmp_path: Path
) -> None:
    archive = tmp_path / "one.tar"
    manifest = export(store, STREAMS[:1], archive)
    first = manifest.streams[0].files[0].path
    other = Store(tmp_path / "other")
    for name, content, words in [
        (first, b"something else", "is not what the manifest says"),
        (first, None, "holds no journal/"),
        (MANIFEST, None, "holds no MANIFEST"),
        (MANIFEST, b"{}", "manifest cannot be read"),
        (MANIFEST, b'{"format":"other","version":1,"streams":[]}', "is no tickfold-archive"),
        (MANIFEST, b'{"format":"tickfold-archive","version":2,"streams":[]}', "needs a later Tickfold"),
    ]:
        with pytest.raises(ArchiveError, match=words):
            take_in(other, changed(archive, name, content, tmp_path / "changed.tar"))
        assert other.streams() == []


def test_an_import_that_did_not_end_is_named(store: Store, tmp_path: Path) -> None:
    export(store, STREAMS[:1], tmp_path / "one.tar")
    other = Store(tmp_path / "other")
    left = tmp_path / "other" / "importing" / "x" / "s" / "A"
    left.mkdir(parents=True)
    (left / "00000000000000000001.jsonl.tmp").touch()
    with pytest.raises(ArchiveError, match="left from an import"):
        take_in(other, tmp_path / "one.tar")
