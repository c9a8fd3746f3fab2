"""What a checkpoint names was acknowledged: verify says so where the journal denies it. And a start is no damage."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.machine import EVENTS
from tickfold_eventstore import CorruptJournal, Head, Store, Stream, tail
from tickfold_eventstore import reader as reader_module
from tickfold_eventstore.reader import Reader
from tickfold_eventstore.verify import verify

STREAM = Stream("x", "s", "A")


def written(store: Store, first: int, last: int) -> None:
    journal, _ = store.open(STREAM, lambda records: None)
    for seq in range(first, last + 1):
        journal.append([msgspec.structs.replace(EVENTS["rejected"], seq=seq)], expected_seq=seq - 1)
    journal.close()


def test_a_checkpoint_ahead_of_the_journal_is_damage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 1, 3)
    reader = store.reader(STREAM)
    head = reader.head()
    assert verify(reader, [head]).damage is None
    for promised in (Head(4, head.hash), Head(3, "0" * 16)):
        damage = verify(reader, [promised]).damage
        assert isinstance(damage, CorruptJournal)
        assert (damage.kind, damage.last_good_seq) == ("missing", 3)


@pytest.mark.parametrize("look", ["records", "read_backwards", "verify"])
def test_a_writer_that_comes_while_a_reader_looks_is_no_damage(
    look: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    written(store, 1, 3)
    reader = store.reader(STREAM)
    limit = Reader.limit
    came: list[bool] = []

    def writer_comes_behind(self: Reader) -> int | None:
        found = limit(self)
        if not came:
            came.append(True)
            written(store, 4, 6)  # it appends between the look at LOCK and the look at the tail, and MARK moves on
            mark = Path(store.folder(STREAM).path, "MARK")
            assert mark.exists()
        return found

    judge = tail.judge_tail
    judged: list[bool] = []

    def as_if_in_the_middle_of_an_append(rest: bytes, size: int, unit: int) -> tail.Tail:
        found = judge(rest, size, unit)
        if not judged:
            judged.append(True)
            return found._replace(damage=("rot", "half of an append that is going on"))
        return found

    monkeypatch.setattr(Reader, "limit", writer_comes_behind)
    monkeypatch.setattr(reader_module, "judge_tail", as_if_in_the_middle_of_an_append)
    if look == "verify":
        assert verify(reader).damage is None
    elif look == "records":
        assert [record.seq for record in reader.records()] == [1, 2, 3, 4, 5, 6]
    else:
        assert [record.seq for record in reader.read_backwards()] == [6, 5, 4, 3, 2, 1]
