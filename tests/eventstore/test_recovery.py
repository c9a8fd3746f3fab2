"""Opening is recovering: what it sets aside, what it writes again, how far it reads, and how it refuses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.eventstore.samples import (
    SMALL,
    STREAM,
    Counting,
    Tuples,
    contents,
    directory,
    event,
    everything,
    fill,
    nothing,
    opened,
    segments,
    written,
)
from tickfold_eventstore import CorruptJournal, Head, JournalPoisoned, NewerFormat, Store, Stream
from tickfold_eventstore.codec import encode_header
from tickfold_eventstore.mark import mark_of, parse_mark
from tickfold_eventstore.quarantine import Reason
from tickfold_eventstore.record import ZERO_HASH, line_of

TORN = b'{"n":   300,"seq":           4,"t":"17300000'


def with_text(path: Path, text: bytes, unit: int = SMALL.unit) -> None:
    """A segment as a killed writer leaves it: text behind the last record, and free space up to a whole unit."""
    content = path.read_bytes().rstrip(b"\n") + b"\n" + text
    path.write_bytes(content.ljust(-(-len(content) // unit) * unit, b"\n"))


def mark(store: Store) -> Head | None:
    return parse_mark((directory(store) / "MARK").read_bytes())


def test_a_new_stream_is_empty_and_its_first_append_makes_its_first_segment(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal, records = store.open(STREAM, everything)
    assert (journal.head, journal.recovered, records, segments(store)) == (Head(), None, [], [])
    fill(journal, 1)
    assert [path.name for path in segments(store)] == [f"{1:020d}.jsonl"]
    journal.close()


def test_after_a_clean_close_nothing_needs_to_be_done(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 3)
    journal, records = store.open(STREAM, everything)
    assert (journal.head.seq, journal.recovered, records) == (3, None, [(event(3),), (event(2),), (event(1),)])
    fill(journal, 1)
    journal.close()
    assert list(store.reader(STREAM).read()) == [event(seq) for seq in range(1, 5)]


def test_a_torn_append_is_set_aside_with_its_reason_and_told(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    folder = written(store, 3)
    path = segments(store)[0]
    offset = len(path.read_bytes())
    with_text(path, TORN)
    journal, records = store.open(STREAM, everything)
    kept = f"{path.name}.{offset}.1"
    assert (journal.head.seq, len(records)) == (3, 3)
    assert journal.recovered == f"set aside {len(TORN)} bytes of an append that was cut short (quarantine/{kept})"
    assert (folder / "quarantine" / kept).read_bytes() == TORN
    reason = msgspec.json.decode((folder / "quarantine" / f"{kept}.reason").read_bytes(), type=Reason)
    assert reason == Reason(why="an append that was cut short", file=path.name, offset=offset, length=len(TORN))
    assert path.read_bytes()[offset:].strip(b"\n") == b""
    fill(journal, 1)
    journal.close()
    again, records = store.open(STREAM, everything)
    assert (again.recovered, len(records)) == (None, 4)
    again.close()


def test_the_same_bytes_torn_twice_are_kept_twice(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    folder = written(store, 3)
    for _ in range(2):
        with_text(segments(store)[0], TORN)
        opened(store).close()
    kept = [path.name for path in sorted((folder / "quarantine").iterdir())]
    stem = f"{1:020d}.jsonl.{len(segments(store)[0].read_bytes())}"
    assert kept == [f"{stem}.1", f"{stem}.1.reason", f"{stem}.2", f"{stem}.2.reason"]


def test_files_that_were_being_made_are_moved_with_their_reason(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    folder = written(store, 3)
    for name in ("MARK.tmp", f"{4:020d}.jsonl.tmp"):
        (folder / name).write_bytes(b"half")
    journal = opened(store)
    assert journal.recovered == "set aside 2 unfinished file(s)"
    journal.close()
    kept = {path.name: path.read_bytes() for path in (folder / "quarantine").iterdir()}
    assert {name for name in kept if not name.endswith(".reason")} == {"MARK.tmp.1", f"{4:020d}.jsonl.tmp.1"}
    assert kept["MARK.tmp.1"] == b"half"
    assert msgspec.json.decode(kept["MARK.tmp.1.reason"], type=Reason) == Reason(
        why="a file that was being made when its process ended", file="MARK.tmp", offset=0, length=4
    )
    assert not list(folder.glob("*.tmp"))


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\n" * 59, mark_of(Head(2, "0" * 16)) + b"more"])
def test_MARK_is_written_anew(content: bytes | None, tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    folder = written(store, 3)
    right = (folder / "MARK").read_bytes()
    if content is None:
        (folder / "MARK").unlink()
    else:
        (folder / "MARK").write_bytes(content)
    opened(store).close()
    assert (folder / "MARK").read_bytes() == right


def test_a_stale_MARK_is_brought_up_to_the_last_record(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    folder = written(store, 2)
    stale = (folder / "MARK").read_bytes()
    written(store, 1)
    (folder / "MARK").write_bytes(stale)
    journal = opened(store)
    assert mark(store) == journal.head
    assert journal.head.seq == 3
    journal.close()


def test_free_space_that_was_not_synced_is_filled_again(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 3)
    path = segments(store)[0]
    content = path.read_bytes()
    path.write_bytes(content.ljust(2048, b"\0"))
    journal = opened(store)
    assert (journal.recovered, path.read_bytes()) == (None, content.ljust(2048, b"\n"))
    journal.close()


def sealed(store: Store) -> None:
    """A journal whose last segment is sealed: the next one was not begun before the process ended."""
    written(store, 30)
    *_, before, last = segments(store)
    mark_then = re.findall(rb'"seq": *(\d+).*"h":"(.{16})"', before.read_bytes())[-2]
    last.unlink()
    (directory(store) / "MARK").write_bytes(mark_of(Head(int(mark_then[0]), mark_then[1].decode())))


def test_a_sealed_last_segment_goes_on_in_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    sealed(store)
    before = segments(store)
    untouched = mark(store)
    before[-1].write_bytes(before[-1].read_bytes().rstrip(b"\n") + b"\n")  # a clean close
    trimmed = before[-1].read_bytes()
    journal, records = store.open(STREAM, everything)
    last = records[0][0].seq
    assert (journal.recovered, journal.head.seq, mark(store)) == (None, last, untouched)
    assert segments(store) == before
    assert before[-1].read_bytes() == trimmed, "growing it again would let NUL stand behind the seal after a power cut"
    fill(journal, 1)
    journal.close()
    assert [path.name for path in segments(store)] == [*(path.name for path in before), f"{last + 1:020d}.jsonl"]
    assert list(store.reader(STREAM).read()) == [event(seq) for seq in range(1, last + 2)]


@pytest.mark.parametrize("asked", [0, 1, 5])
def test_opening_reads_no_further_back_than_the_fold_asks(asked: int, tmp_path: Path) -> None:
    def some(records: Tuples) -> list[int]:
        return [record[0].seq for record, _ in zip(records, range(asked), strict=False)]

    reads = []
    for number, count in enumerate([40, 1500]):
        disk = Counting()
        store = Store(tmp_path / str(number), files=disk)
        written(store, count)
        disk.calls.clear()
        journal, folded = store.open(STREAM, some)
        assert folded == list(range(count, count - asked, -1))
        reads.append(disk.calls.count("pread"))
        journal.close()
    assert reads[1] <= reads[0] + 3


def test_a_fold_that_asks_for_all_gets_all_across_segments(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 60)
    assert len(segments(store)) > 3
    journal, records = store.open(STREAM, everything)
    assert records == [(event(seq),) for seq in range(60, 0, -1)]
    journal.close()


# Refusals: the kind, the place, and not one byte changed.


def flipped(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def rot_in_the_last_record(store: Store) -> None:
    flipped(segments(store)[-1], len(segments(store)[-1].read_bytes()) - 40)


def rot_in_the_last_record_without_MARK(store: Store) -> None:
    rot_in_the_last_record(store)
    (directory(store) / "MARK").unlink()


def a_header_that_rotted(store: Store) -> None:
    flipped(segments(store)[-1], 60)


def another_streams_segment(store: Store) -> None:
    other = Store(store.data_dir.parent / "other", layout=SMALL)
    written(other, 3, Stream("x", "w", "A"))
    for path in segments(store):
        path.unlink()
    source = directory(other, Stream("x", "w", "A")) / f"{1:020d}.jsonl"
    shutil.copy(source, directory(store))


def a_segment_of_another_name(store: Store) -> None:
    last = segments(store)[-1]
    last.rename(last.with_name(f"{int(last.stem) + 1:020d}.jsonl"))


def a_name_that_no_segment_has(store: Store) -> None:
    (directory(store) / "copy.jsonl").write_bytes(segments(store)[-1].read_bytes())


def the_last_segment_missing(store: Store) -> None:
    segments(store)[-1].unlink()


def the_one_before_missing(store: Store) -> None:
    segments(store)[-2].unlink()


def all_segments_missing(store: Store) -> None:
    for path in segments(store):
        path.unlink()


def the_last_record_cut_off(store: Store) -> None:
    last = segments(store)[-1]
    content = last.read_bytes().rstrip(b"\n")
    last.write_bytes((content[: content.rindex(b"\n")] + b"\n").ljust(SMALL.unit, b"\n"))


def a_MARK_with_another_hash(store: Store) -> None:
    (directory(store) / "MARK").write_bytes(mark_of(Head(60, "f" * 16)))


def a_checkpoint_ahead(store: Store) -> None:
    folder = Path(store.checkpoints(STREAM))
    folder.mkdir(parents=True)
    (folder / "reader.json").write_text('{"seq":61,"h":"0123456789abcdef","state":null}')


def a_checkpoint_with_another_hash(store: Store) -> None:
    folder = Path(store.checkpoints(STREAM))
    folder.mkdir(parents=True)
    (folder / "reader.json").write_text('{"seq":60,"h":"0123456789abcdef","state":null}')


DAMAGES: list[tuple[Callable[[Store], None], str, int]] = [
    (rot_in_the_last_record, "missing", 59),
    (rot_in_the_last_record_without_MARK, "rot", 59),
    (a_header_that_rotted, "header", -1),
    (another_streams_segment, "header", 0),
    (a_segment_of_another_name, "name", -1),
    (a_name_that_no_segment_has, "name", 0),
    (the_last_segment_missing, "missing", -1),
    (the_one_before_missing, "seal", -1),
    (all_segments_missing, "missing", 0),
    (the_last_record_cut_off, "missing", 59),
    (a_MARK_with_another_hash, "missing", 59),
    (a_checkpoint_ahead, "missing", 60),
    (a_checkpoint_with_another_hash, "missing", 59),
]


@pytest.mark.parametrize(("damage", "kind", "good"), DAMAGES, ids=lambda value: getattr(value, "__name__", ""))
def test_damage_is_refused_with_kind_and_last_good_event_and_changes_nothing(
    damage: Callable[[Store], None], kind: str, good: int, tmp_path: Path
) -> None:
    store = Store(tmp_path / "data", layout=SMALL)
    written(store, 60)
    first_of_last = int(segments(store)[-1].stem)
    damage(store)
    before = contents(tmp_path)
    with pytest.raises(CorruptJournal) as raised:
        store.open(STREAM, nothing)
    assert raised.value.kind == kind, str(raised.value)
    if good >= 0:
        assert raised.value.last_good_seq == good
    else:
        assert raised.value.last_good_seq <= first_of_last - 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize("text", [b"x", b"\0"])
@pytest.mark.parametrize("last", [True, False])
def test_something_behind_a_seal_is_refused(text: bytes, last: bool, tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    if last:
        sealed(store)
        with_text(segments(store)[-1], text)
    else:
        written(store, 30)
        with_text(segments(store)[-2], text)
    before = contents(tmp_path)
    with pytest.raises(CorruptJournal) as raised:
        store.open(STREAM, nothing)
    assert raised.value.kind == "seal"
    assert contents(tmp_path) == before


def test_rot_that_the_fold_comes_to_is_refused_there(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 30)
    second = segments(store)[1]
    third_line = [found.end() for found in re.finditer(rb"\n", second.read_bytes())][2]
    flipped(second, third_line + 60)
    opened(store).close()
    before = contents(tmp_path)
    with pytest.raises(CorruptJournal) as raised:
        store.open(STREAM, everything)
    assert (raised.value.kind, raised.value.segment, raised.value.offset) == ("chain", second.name, third_line)
    assert raised.value.last_good_seq == int(second.stem) + 1
    assert contents(tmp_path) == before


def one_line(store: Store, body: bytes, header: bytes | None = None) -> None:
    """A segment of a header and one record, chained as they must be, whatever they hold."""
    first = line_of(ZERO_HASH, 0, 1, b"header", header or encode_header(STREAM, ZERO_HASH))
    directory(store).mkdir(parents=True)
    content = first + line_of(first[-19:-3], 1, 1, b"events", body)
    (directory(store) / f"{1:020d}.jsonl").write_bytes(content)


NEWER = encode_header(STREAM, ZERO_HASH).replace(b'"version":1', b'"version":2')


@pytest.mark.parametrize(
    ("body", "header", "what"),
    [
        (b'[{"action":"stopped","v":2}]', None, "version 2 of the event 'stopped'"),
        (b'[{"action":"amended","v":1}]', None, "an event 'amended'"),
        (b"[]", NEWER, "a journal of format version 2"),
    ],
)
def test_what_a_later_program_wrote_is_refused_as_that(
    body: bytes, header: bytes | None, what: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    one_line(store, body, header)
    before = contents(tmp_path)
    with pytest.raises(NewerFormat) as raised:
        store.open(STREAM, everything)
    assert (raised.value.what, raised.value.needed) == (what, "a later Tickfold")
    with pytest.raises(NewerFormat):
        list(store.reader(STREAM).read())
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"[1]",
        b"{}",
        b"[",
        b'[{"action":"stopped","v":0}]',
        b'[{"action":"stopped","v":1}]',
        b'[{"action":"stopped","v":1,"at":1,"reason":"r","price":null,"state_seq":0,"more":1}]',
    ],
)
def test_what_no_program_writes_is_unreadable(body: bytes, tmp_path: Path) -> None:
    store = Store(tmp_path)
    one_line(store, body)
    before = contents(tmp_path)
    for read in (lambda: store.open(STREAM, everything), lambda: list(store.reader(STREAM).read())):
        with pytest.raises(CorruptJournal) as raised:
            read()
        assert (raised.value.kind, raised.value.last_good_seq) == ("unreadable", 0)
    assert contents(tmp_path) == before


def test_a_checkpoint_that_is_no_text_names_nothing_and_keeps_nobody_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 1)
    folder = Path(store.checkpoints(STREAM))
    folder.mkdir(parents=True)
    (folder / "reader.json").write_bytes(b'{"seq":1,"h":"\xff","state":null}')
    opened(store).close()


def test_a_stream_whose_sync_failed_is_not_opened_again_by_this_process(tmp_path: Path) -> None:
    disk = Counting()
    disk.poisoned = set()
    store = Store(tmp_path, files=disk)
    folder = written(store, 1)
    disk.poisoned.add(str(folder))
    try:
        with pytest.raises(JournalPoisoned, match="a sync failed before in this process"):
            opened(store)
    finally:
        disk.poisoned.discard(str(folder))
    opened(store).close()
