"""What else may lie where a journal lies, and where it may lie: said with its name, waited for by nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

import attrs
import pytest

from tests.proof import plain
from tests.proof.damage import WHICH, Bench, written
from tests.proof.disk import Disk
from tests.proof.faulty import Between, T
from tests.proof.harm import SEEN
from tests.proof.kept import Code, opened
from tests.proof.racing import WIDE
from tests.proof.test_real_faults import mounted, mounting
from tickfold_eventstore import CheckpointMismatch, CorruptJournal, Store
from tickfold_eventstore.archive import export, take_in
from tickfold_eventstore.checkpoint import CheckpointFile
from tickfold_eventstore.files import LinuxFiles
from tickfold_eventstore.repair import accept_loss, inspect
from tickfold_eventstore.verify import verify

FIRST, NEXT = "00000000000000000001.jsonl", "00000000000000000003.jsonl"


def two_records(home: Path) -> Path:
    """The stream's directory."""
    subject = opened(WIDE, LinuxFiles(), str(home))
    for count in range(2):
        subject.append(WIDE.record(count, 60))
    subject.close()
    return home / "journal" / WIDE.stream_path


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["MARK", "LOCK", FIRST, NEXT])
@pytest.mark.parametrize("odd", [linked, folder, pipe])
def test_what_is_no_plain_file_is_named_and_nothing_is_changed(
    odd: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    place = two_records(tmp_path)
    (place / name).touch()
    odd(place / name)
    before = {path: path.read_bytes() for path in place.iterdir() if path.is_file()}
    with pytest.raises(OSError, match=r".") as raised:
        opened(WIDE, LinuxFiles(), str(tmp_path))
    assert raised.value.filename == str(place / name)
    lock = {place / "LOCK"}
    assert {path: path.read_bytes() for path in place.iterdir() if path.is_file() and path not in lock} == {
        path: content for path, content in before.items() if path not in lock
    }


def test_a_folder_that_was_moved_and_linked_is_as_good_as_before(tmp_path: Path) -> None:
    place = two_records(tmp_path / "data")
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    subject = opened(WIDE, LinuxFiles(), str(tmp_path / "data"))
    subject.append(WIDE.record(2, 60))
    subject.close()
    assert verify(Store(tmp_path / "data").reader(WIDE.stream)).records == 3


@mounting
def test_where_nothing_may_be_written_one_verifies_and_looks_at_a_repair_and_does_none(tmp_path: Path) -> None:
    place = two_records(tmp_path / "data")
    content = (place / FIRST).read_bytes()
    (place / FIRST).write_bytes(content.replace(b"JJ", b"JK", 1))
    store = Store(tmp_path / "data")
    with ExitStack() as ends:
        mounted(ends, tmp_path / "data", "--bind", str(tmp_path / "data"))
        subprocess.run(["mount", "-o", "remount,ro,bind", str(tmp_path / "data")], check=True)
        damage = verify(store.reader(WIDE.stream)).damage
        assert isinstance(damage, CorruptJournal)
        assert inspect(store, WIDE.stream).refuses
        with pytest.raises(OSError, match="Read-only"):
            accept_loss(store, WIDE.stream)
        with pytest.raises(OSError, match="Read-only"):
            opened(WIDE, LinuxFiles(), str(tmp_path / "data"))
    assert accept_loss(store, WIDE.stream).kept.seq == 1


AS_NOBODY = """
import os, sys
from tests.proof.racing import WIDE
from tickfold_eventstore import Store
os.setgid(65534), os.setuid(65534)
try:
    print(len(list(Store(sys.argv[1]).reader(WIDE.stream).records())))
except OSError as error:
    print(error.strerror, os.path.basename(error.filename))
"""


@mounting
@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        (".", 0o755, "2"),
        (FIRST, 0o000, f"Permission denied {FIRST}"),
        ("MARK", 0o000, "Permission denied MARK"),
        (".", 0o000, "Permission denied"),
    ],
)
def test_who_may_not_read_is_told_what(name: str, mode: int, said: str, tmp_path: Path) -> None:
    with ExitStack() as ends:
        mounted(ends, tmp_path, "-t", "tmpfs", "-o", "mode=755", "none")  # below what only this user may enter
        place = two_records(tmp_path)
        (place / name).chmod(mode)
        descriptor = os.open(tmp_path, os.O_PATH)
        asked = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, f"/proc/self/fd/{descriptor}"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=[descriptor],
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(descriptor)
        assert asked.stdout.startswith(said), asked


def test_what_is_exported_while_it_is_written_is_whole(tmp_path: Path) -> None:
    """A writer comes, appends, rotates and goes, again and again; each archive is a journal up to some record."""
    code = Code()
    over = threading.Event()

    def write() -> None:
        count = 1
        while not over.is_set():
            subject = opened(code, LinuxFiles(), str(tmp_path / "data"))
            for _ in range(7):
                subject.append(code.record(count, 300))
                count += 1
            subject.close()

    subject = opened(code, LinuxFiles(), str(tmp_path / "data"))
    subject.append(code.record(0, 300))
    subject.close()
    other = threading.Thread(target=write)
    store = code.store(LinuxFiles(), str(tmp_path / "data"))
    other.start()
    try:
        ends: list[int] = []
        while len(ends) < 12 or ends[-1] == ends[0]:
            number = len(ends)
            (kept,) = export(store, [code.stream], tmp_path / f"{number}.tar").streams
            home = code.store(LinuxFiles(), str(tmp_path / f"other-{number}"))
            take_in(home, tmp_path / f"{number}.tar")
            assert verify(home.reader(code.stream)).head.seq == kept.seq
            ends.append(kept.seq)
    finally:
        over.set()
        other.join()
    assert ends == sorted(ends)


DEEP = b"[" * 100_000 + b"]" * 100_000


def test_json_that_is_nested_without_end_is_unreadable_as_other_damage_is(tmp_path: Path) -> None:
    place = two_records(tmp_path)
    store = Store(tmp_path)
    head = store.reader(WIDE.stream).head()
    checkpoint = Path(store.checkpoints(WIDE.stream), "r.json")
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b'{"seq":1,"h":"0123456789abcdef","state":%s}' % DEEP)
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        CheckpointFile(store.files, str(checkpoint), "r").load(store.reader(WIDE.stream))
    subject = opened(WIDE, LinuxFiles(), str(tmp_path))
    (place / "LOCK").write_bytes(b'{"x":' + DEEP[:4000])
    assert store.reader(WIDE.stream).holder() == "a process that has not said who it is"
    subject.close()
    content = (place / FIRST).read_bytes()
    line = plain.line_of(head.hash.encode(), head.seq + 1, b'"events":' + DEEP)
    (place / FIRST).write_bytes((content + line).ljust(1 << 18, b"\n"))
    with pytest.raises(CorruptJournal, match="its events cannot be read"):
        opened(WIDE, LinuxFiles(), str(tmp_path))
    damage = verify(store.reader(WIDE.stream)).damage
    assert isinstance(damage, CorruptJournal)
    assert (damage.kind, damage.last_good_seq) == ("unreadable", head.seq)


@attrs.define
class Meanwhile(Between):
    """Before the n-th call, and only then, something else happens."""

    nth: int
    act: Callable[[], object]
    calls: int = 0

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        self.calls += 1
        if self.calls == self.nth:
            self.act()
        return call()


def test_a_writer_that_comes_at_any_moment_of_an_export_makes_no_damage_of_it(tmp_path: Path) -> None:
    code = Code()
    seqs: list[int] = []
    while True:
        disk = Disk()
        subject = opened(code, disk)
        for count in range(3):
            subject.append(code.record(count, 60))
        subject.close()

        def come(disk: Disk = disk) -> None:
            opened(code, disk).append(code.record(3, 60))

        files = Meanwhile(disk, len(seqs) + 1, come)
        (kept,) = export(code.store(files), [code.stream], tmp_path / f"{len(seqs)}.tar").streams
        if files.calls < files.nth:
            break
        seqs.append(kept.seq)
    assert set(seqs) == {4, 5}, "two events are in the third record"
    assert len(seqs) > 20


@pytest.mark.parametrize("seed", range(10))
def test_two_damages_at_once_are_seen_or_change_nothing(seed: int) -> None:
    journal, rng = written(seed), Random(seed)
    for which in (WHICH[0], WHICH[3]):
        bench = Bench(journal, which)
        base = journal.marked(which)
        for _ in range(400):
            image = dict(base)
            for _ in range(2):
                path = rng.choice(journal.segments)
                content = bytearray(image[path] or b"")
                place = rng.randrange(len(content))
                size = rng.choice((1, 1, 2, 26, 64))
                content[place : place + size] = rng.choice(
                    (rng.randbytes(size), b"\n" * size, bytes(size), content[: place % 200][:size], b"")
                )
                image[path] = bytes(content)
            bench.lay(image)
            assert bench.judged_outcome() in SEEN, image
