"""A checkpoint names the last record that a reader took in, is replaced whole, and fits one journal only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eventstore.samples import STREAM, Counting, contents, event, fill, opened, written
from tickfold_eventstore import Checkpoint, CheckpointMismatch, CorruptJournal, Head, Store
from tickfold_eventstore.checkpoint import CheckpointFile, named_by_checkpoints
from tickfold_eventstore.files import files_here


def kept(store: Store) -> CheckpointFile:
    return CheckpointFile(store.files, f"{store.checkpoints(STREAM)}/report.json", "report")


def at(head: Head, state: object = None) -> Checkpoint:
    return Checkpoint(seq=head.seq, h=head.hash, state=state)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A journal of three records."""
    store = Store(tmp_path)
    written(store, 3)
    return store


def heads(store: Store) -> list[Head]:
    return [Head(record.seq, record.hash) for record in store.reader(STREAM).records()]


def test_where_none_was_saved_none_is_there(store: Store) -> None:
    assert kept(store).load(store.reader(STREAM)) is None


def test_what_was_saved_is_loaded(store: Store) -> None:
    state = {"sum": 0.1 + 0.2, "names": ["é", "\U0001f680"], "open": None}
    for head in [Head(), *heads(store)]:
        kept(store).save(at(head, state))
        assert kept(store).load(store.reader(STREAM)) == at(head, state)


def test_it_is_plain_JSON_beside_the_journals(store: Store, tmp_path: Path) -> None:
    head = heads(store)[0]
    kept(store).save(at(head, [1]))
    text = (tmp_path / "checkpoints" / "sim-3" / "w" / "A" / "report.json").read_text()
    assert text == f'{{"seq":1,"h":"{head.hash}","state":[1]}}\n'


def test_it_is_replaced_by_a_rename_after_a_sync_and_the_name_is_synced(store: Store) -> None:
    kept(store).save(at(Head()))
    disk = Counting()
    CheckpointFile(disk, kept(store).path, "report").save(at(Head()))
    writing = [call for call in disk.calls if call in {"open", "pwrite", "sync", "rename"}]
    assert writing == ["open", "pwrite", "sync", "rename", "open", "sync"]


def test_a_reader_that_was_killed_while_it_saved_has_the_old_one(store: Store) -> None:
    kept(store).save(at(heads(store)[0], "old"))
    half = Path(f"{kept(store).path}.tmp")
    half.write_text('{"seq":2,')
    assert kept(store).load(store.reader(STREAM)) == at(heads(store)[0], "old")
    opened(store).close()
    kept(store).save(at(heads(store)[1], "new"))
    assert kept(store).load(store.reader(STREAM)) == at(heads(store)[1], "new")
    assert not half.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"seq":2,"h":"0123456789abcdef","state":null}', "another record stands there"),
        (b'{"seq":4,"h":"0123456789abcdef","state":null}', "the journal ends before it"),
        (b'{"seq":-1,"h":"0123456789abcdef","state":null}', "another record stands there"),
        (b'{"seq":2', "its file cannot be read"),
        (b'{"seq":"2","h":"0123456789abcdef"}', "its file cannot be read"),
        (b'{"seq":1,"h":"\xff","state":null}', "its file cannot be read"),
        (b"", "its file cannot be read"),
    ],
)
def test_one_that_does_not_fit_is_told_and_how_to_go_on(text: bytes, why: str, store: Store) -> None:
    path = Path(kept(store).path)
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    with pytest.raises(CheckpointMismatch) as raised:
        kept(store).load(store.reader(STREAM))
    assert raised.value.why.startswith(why)
    assert (raised.value.stream, raised.value.reader) == (str(STREAM), "report")
    assert "Delete the checkpoint to read from the first event again" in str(raised.value)
    assert path.read_bytes() == text


def test_one_that_names_an_event_inside_a_record_does_not_fit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    journal.append([event(1), event(2)], expected_seq=0)
    journal.close()
    kept(store).save(Checkpoint(seq=1, h=heads(store)[0].hash))
    with pytest.raises(CheckpointMismatch, match="another record stands there"):
        kept(store).load(store.reader(STREAM))


def test_one_that_is_ahead_of_the_journal_refuses_the_open(store: Store, tmp_path: Path) -> None:
    kept(store).save(Checkpoint(seq=4, h="0123456789abcdef"))
    before = contents(tmp_path)
    with pytest.raises(CorruptJournal) as raised:
        opened(store)
    assert (raised.value.kind, raised.value.last_good_seq) == ("missing", 3)
    assert raised.value.detail == "event 4 was acknowledged and is not there"
    assert contents(tmp_path) == before


def test_one_that_is_behind_keeps_nobody_out(store: Store) -> None:
    kept(store).save(at(heads(store)[0]))
    journal = opened(store)
    fill(journal, 1)
    journal.close()


def test_what_checkpoints_name_is_found_and_what_cannot_be_read_names_nothing(store: Store) -> None:
    kept(store).save(at(heads(store)[1]))
    folder = Path(store.checkpoints(STREAM))
    (folder / "new.json").write_text('{"seq":0,"h":"0000000000000000","state":null}')
    (folder / "torn.json").write_bytes(b'{"seq":9,"h":"\xff')
    (folder / "other.json.tmp").write_text('{"seq":9,"h":"0123456789abcdef"}')
    assert named_by_checkpoints(files_here(), str(folder)) == {kept(store).path: heads(store)[1]}
    assert named_by_checkpoints(files_here(), str(folder / "nowhere")) == {}
