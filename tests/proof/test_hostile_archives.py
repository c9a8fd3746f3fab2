"""An archive from anywhere is taken in whole or not at all, and writes nothing but segments of its streams."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from tests.proof.kept import Code, opened
from tests.proof.racing import WIDE
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.archive import MANIFEST, export, take_in
from tickfold_eventstore.errors import StoreError
from tickfold_eventstore.files import LinuxFiles

STREAMS = [Stream("sim-3", "w", "A"), Stream("sim-3", "w", "B")]
ONE = "journal/sim-3/w/A/00000000000000000001.jsonl"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two streams of three records each."""
    for symbol in "AB":
        code = Code(symbol=symbol, unit=WIDE.unit, segment=WIDE.segment)
        subject = opened(code, LinuxFiles(), str(tmp_path / "data"))
        for count in range(3):
            subject.append(code.record(count, 60))
        subject.close()
    export(Store(tmp_path / "data"), STREAMS, tmp_path / "all.tar")
    return tmp_path / "all.tar"


def unpacked(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: found.read() for member in tar if (found := tar.extractfile(member)) is not None}


def packed(path: Path, members: list[tuple[str, bytes]], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content) if kind == tarfile.REGTYPE or name == MANIFEST else 0
            member.type = tarfile.REGTYPE if name == MANIFEST else kind
            member.linkname = "/etc/passwd" if member.type == tarfile.SYMTYPE else ""
            tar.addfile(member, io.BytesIO(content))
    return path


def refused(archive: Path, home: Path) -> str:
    """What is said of it; nothing came of it."""
    store = Store(home)
    with pytest.raises((StoreError, tarfile.TarError)) as raised:
        take_in(store, archive)
    assert store.streams() == []
    assert [path for path in home.rglob("*") if path.is_file()] == []
    return str(raised.value)


def with_manifest(archive: Path, change: Any) -> Path:
    """The archive with a manifest in which `change` changed something, members of its names beside the others."""
    members = unpacked(archive)
    manifest = msgspec.json.decode(members.pop(MANIFEST))
    change(manifest)
    for stream in manifest["streams"]:
        for file in stream["files"]:
            members.setdefault(file["path"], members[ONE])
    return packed(archive.with_name("changed.tar"), [(MANIFEST, msgspec.json.encode(manifest)), *members.items()])


@pytest.mark.parametrize(
    "path",
    [
        "../../../../escaped.jsonl",
        "/escaped.jsonl",
        "journal/sim-3/w/A/../../../../escaped.jsonl",
        "journal/sim-3/w/A/..",
        "journal/sim-3/w/A/MARK",
        "journal/sim-3/w/A/LOCK",
        "journal/sim-3/w/A/quarantine",
        "journal/sim-3/w/B/00000000000000000001.jsonl",
        "journal/sim-3/w/A/1.jsonl",
        "journal/sim-3/w/A/\N{ARABIC-INDIC DIGIT ONE}0000000000000000001.jsonl",
        ONE,
    ],
)
def test_a_member_that_is_no_segment_of_its_stream_is_refused(path: str, archive: Path, tmp_path: Path) -> None:
    def change(manifest: Any) -> None:
        files = manifest["streams"][0]["files"]
        files.append({**files[0], "path": path})

    assert "is no segment of sim-3/w/A" in refused(with_manifest(archive, change), tmp_path / "other")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("symbol", "B", "names sim-3/w/B twice"),
        ("symbol", "..", "is no segment of"),
        ("strategy", "", "empty"),
        ("seq", 3, "ends at event"),
        ("seq", -1, "ends at event"),
        ("seq", 10**18, "ends at event"),
        ("h", "no hash", "ends at event"),
        ("h", "0123456789abcdef", "ends at event"),
    ],
)
def test_a_manifest_that_says_something_else_than_the_journal_is_refused(
    field: str, value: object, said: str, archive: Path, tmp_path: Path
) -> None:
    changed = with_manifest(archive, lambda manifest: manifest["streams"][0].update({field: value}))
    assert said in refused(changed, tmp_path / "other")


def test_a_manifest_that_is_nested_without_end_is_refused(archive: Path, tmp_path: Path) -> None:
    members = [(MANIFEST, b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")]
    assert "manifest cannot be read" in refused(packed(tmp_path / "deep.tar", members), tmp_path / "other")


def test_a_link_is_no_segment(archive: Path, tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
        linked = packed(tmp_path / "linked.tar", list(unpacked(archive).items()), kind)
        assert "holds no journal/" in refused(linked, tmp_path / "other")


def test_where_the_second_stream_is_damaged_the_first_is_not_taken_in_either(archive: Path, tmp_path: Path) -> None:
    def change(manifest: Any) -> None:
        manifest["streams"][1]["seq"] += 1

    assert "in the archive ends at event" in refused(with_manifest(archive, change), tmp_path / "other")
    take_in(Store(tmp_path / "other"), archive)
    assert Store(tmp_path / "other").streams() == STREAMS


def test_an_archive_in_which_anything_changed_is_refused_or_taken_in_as_it_was(archive: Path, tmp_path: Path) -> None:
    raw, rng = archive.read_bytes(), Random(4)
    expected = [list(Store(tmp_path / "data").reader(stream).read()) for stream in STREAMS]
    taken = 0
    for number in range(400):
        changed = bytearray(raw)
        place = rng.choice((rng.randrange(1024), rng.randrange(4096), rng.randrange(len(raw))))
        match number % 4:
            case 0 | 1:
                changed[place] ^= 1 << rng.randrange(8)
            case 2:
                del changed[place : place + rng.randrange(1, 600)]
            case _:
                changed[place : place + 12] = rng.choice(
                    (b"7" * 12, b"\x80" + b"\xff" * 11, b"-00000000001", bytes(12))
                )
        (tmp_path / "changed.tar").write_bytes(changed)
        store = Store(tmp_path / f"other-{number}")
        try:
            take_in(store, tmp_path / "changed.tar")
        except (StoreError, tarfile.TarError):
            assert store.streams() == []
            continue
        assert [list(store.reader(stream).read()) for stream in store.streams()] == expected
        taken += 1
    assert 0 < taken < 200
