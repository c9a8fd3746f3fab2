"""Repair says what it would give up, gives up nothing unless told to, and deletes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.proof.disk import Disk
from tests.support.machine import EVENTS
from tickfold_eventstore import Checkpoint, CorruptJournal, Event, Store, Stream
from tickfold_eventstore.checkpoint import CheckpointFile
from tickfold_eventstore.folder import Layout
from tickfold_eventstore.repair import Move, accept_loss, inspect

STREAM = Stream("x", "s", "A")
SMALL = Layout(unit=1024, segment=4096)


def event(seq: int) -> Event:
    return msgspec.structs.replace(EVENTS["rejected"], seq=seq)


def written(store: Store, count: int = 30) -> None:
    journal, _ = store.open(STREAM, lambda records: None)
    for seq in range(1, count + 1):
        journal.append([event(seq)], expected_seq=seq - 1)
    journal.close()


def segments(store: Store) -> list[Path]:
    return sorted(Path(store.folder(STREAM).path).glob("*.jsonl"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def seqs(store: Store) -> list[int]:
    return [each.seq for each in store.reader(STREAM).read()]


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def rot_in_the_middle(store: Store) -> int:
    """A bit in the first record of the second segment; returns the last seq before it."""
    second = segments(store)[1]
    flip(second, second.read_bytes().index(b"\n") + 60)
    return int(second.stem) - 1


def rot_in_the_last_record(store: Store) -> int:
    last = segments(store)[-1]
    content = last.read_bytes().rstrip(b"\n")
    flip(last, content.rindex(b"\n") + 80)
    return 29


def rot_in_a_header(store: Store) -> int:
    second = segments(store)[1]
    flip(second, 70)
    return int(second.stem) - 1


def rot_in_a_seal(store: Store) -> int:
    first = segments(store)[0]
    flip(first, first.read_bytes().index(b'"seal"') + 30)
    return int(segments(store)[1].stem) - 1


def a_segment_is_gone(store: Store) -> int:
    gone = segments(store)[1]
    gone.unlink()
    return int(gone.stem) - 1


def the_last_segment_is_gone(store: Store) -> int:
    gone = segments(store)[-1]
    gone.unlink()
    return int(gone.stem) - 1


def everything_is_rotten(store: Store) -> int:
    flip(segments(store)[0], 10)
    return 0


DAMAGE = [
    rot_in_the_middle,
    rot_in_the_last_record,
    rot_in_a_header,
    rot_in_a_seal,
    a_segment_is_gone,
    the_last_segment_is_gone,
    everything_is_rotten,
]


def test_a_sound_journal_has_nothing_to_repair(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    before = contents(tmp_path)
    found = inspect(store, STREAM)
    assert (found.damage, found.refuses, found.kept.seq, found.moves) == (None, False, 30, ())
    assert contents(tmp_path) == before
    assert accept_loss(store, STREAM) == found
    assert seqs(store) == list(range(1, 31))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_dry_run_changes_nothing_and_names_what_is_kept_and_what_is_given_up(
    damage: Callable[[Store], int], tmp_path: Path
) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    kept = damage(store)
    before = contents(tmp_path)
    found = inspect(store, STREAM)
    assert contents(tmp_path) == before
    assert (found.kept.seq, found.last_known) == (kept, 30)
    assert found.damage is not None


@pytest.mark.parametrize("damage", DAMAGE)
def test_after_the_loss_was_accepted_the_journal_goes_on_from_the_last_good_record(
    damage: Callable[[Store], int], tmp_path: Path
) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    kept = damage(store)
    journals = Path(store.folder(STREAM).path)
    before = b"".join(path.read_bytes() for path in sorted(journals.glob("*.jsonl"))).replace(b"\n", b"")
    done = accept_loss(store, STREAM)
    assert done.damage is not None
    after = b"".join(path.read_bytes() for path in sorted(journals.glob("*.jsonl"))).replace(b"\n", b"")
    aside = [path for path in sorted((journals / "quarantine").glob("*")) if path.suffix != ".reason"]
    moved = b"".join(path.read_bytes() for path in aside).replace(b"\n", b"")
    assert sorted(before) == sorted(after + moved), "a byte was lost"
    journal, _ = store.open(STREAM, lambda records: None)
    assert journal.head.seq == kept
    journal.append([event(kept + 1)], expected_seq=kept)
    journal.close()
    assert seqs(store) == list(range(1, kept + 2))
    assert inspect(store, STREAM).damage is None


def test_where_opening_goes_on_by_itself_the_damage_lies_further_back_than_it_reads(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    rot_in_the_middle(store)
    assert not inspect(store, STREAM).refuses
    store.open(STREAM, lambda records: None)[0].close()


def test_where_opening_refuses_it_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    rot_in_the_last_record(store)
    assert inspect(store, STREAM).refuses
    with pytest.raises(CorruptJournal, match="event 30 was acknowledged and is not there"):
        store.open(STREAM, lambda records: None)


def test_a_checkpoint_that_names_what_is_given_up_moves_too(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store)
    path = f"{store.checkpoints(STREAM)}/mail.json"
    head = store.reader(STREAM).head()
    CheckpointFile(store.files, path, "mail").save(Checkpoint(seq=head.seq, h=head.hash, state=1))
    rot_in_the_last_record(store)
    done = accept_loss(store, STREAM)
    assert done.checkpoints == (path,)
    assert not Path(path).exists()
    assert (Path(store.folder(STREAM).path) / "quarantine" / "mail.json.1").exists()
    store.open(STREAM, lambda records: None)[0].close()


def test_the_bytes_that_would_move_are_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 3)
    last = segments(store)[0]
    length = len(last.read_bytes().rstrip(b"\n"))
    rot_in_the_last_record(store)
    offset = last.read_bytes().rstrip(b"\n").rindex(b"\n") + 1
    assert inspect(store, STREAM).moves == (Move(last.name, offset, length - offset),)


class Cut(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_repair_that_dies_before_any_of_its_calls_can_be_done_again(
    damage: Callable[[Store], int], tmp_path: Path
) -> None:
    store = Store(tmp_path / "data", layout=SMALL)
    written(store)
    kept = damage(store)
    root = str(tmp_path / "data")
    image: dict[str, bytes | None] = {"/" + str(tmp_path.relative_to("/")): None}
    for parent in list(tmp_path.parents)[:-1]:
        image[str(parent)] = None
    for path in [tmp_path / "data", *sorted((tmp_path / "data").rglob("*"))]:
        image[str(path)] = path.read_bytes() if path.is_file() else None
    shutil.rmtree(tmp_path / "data")
    dies_after = 0
    while True:
        dies_after += 1
        disk = Disk(image)
        calls = 0

        def watch(call: str, last: int = dies_after) -> None:
            nonlocal calls
            calls += 1
            if calls == last:
                raise Cut

        disk.watch = watch
        on_disk = Store(root, files=disk, layout=SMALL)
        try:
            accept_loss(on_disk, STREAM)
        except Cut:
            disk.watch = lambda call: None
            disk.die()
        else:
            break
        accept_loss(on_disk, STREAM)
        journal, _ = on_disk.open(STREAM, lambda records: None)
        assert journal.head.seq == kept, f"died after call {dies_after}"
        journal.close()
    assert dies_after > 3
