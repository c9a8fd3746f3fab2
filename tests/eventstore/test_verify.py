"""Verifying reads everything, says what is sound and what is not, and never writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eventstore.samples import SMALL, STREAM, contents, directory, fill, opened, segments, written
from tickfold_eventstore import CorruptJournal, Head, NewerFormat, Store
from tickfold_eventstore.codec import encode_header
from tickfold_eventstore.record import ZERO_HASH, line_of
from tickfold_eventstore.verify import Verdict, verify

COUNT = 60


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Sixty records in several segments."""
    store = Store(tmp_path, layout=SMALL)
    written(store, COUNT)
    return store


def judged(store: Store) -> Verdict:
    """The verdict, after a look at every file before and behind it."""
    before = contents(store.data_dir)
    verdict = verify(store.reader(STREAM))
    assert contents(store.data_dir) == before
    return verdict


def damage_of(verdict: Verdict) -> tuple[str, str, int, int]:
    assert isinstance(verdict.damage, CorruptJournal)
    assert not verdict.sound
    return (
        verdict.damage.kind,
        verdict.damage.segment,
        verdict.damage.offset,
        verdict.damage.last_good_seq,
    )


def line_at(path: Path, number: int) -> tuple[int, bytes]:
    """Where a line of a segment begins, and its bytes; the header is number 0."""
    whole = path.read_bytes().split(b"\n")
    return sum(len(line) + 1 for line in whole[:number]), whole[number] + b"\n"


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def test_a_sound_journal(store: Store) -> None:
    verdict = judged(store)
    assert verdict == Verdict(
        head=store.reader(STREAM).head(),
        records=COUNT,
        segments=len(segments(store)),
        size=sum(len(path.read_bytes().rstrip(b"\n")) + 1 for path in segments(store)),
        torn=0,
        holder=None,
        damage=None,
    )
    assert (verdict.head.seq, verdict.sound) == (COUNT, True)


def test_a_torn_append_is_counted_and_no_damage(store: Store) -> None:
    last = segments(store)[-1]
    last.write_bytes((last.read_bytes() + b'{"n":   300,"se').ljust(SMALL.unit * 4, b"\n"))
    verdict = judged(store)
    assert (verdict.sound, verdict.records, verdict.torn) == (True, COUNT, 15)


def test_under_a_writer_it_ends_at_MARK_and_says_who_writes(store: Store) -> None:
    journal = opened(store)
    fill(journal, 2)
    mark = directory(store) / "MARK"
    newest = mark.read_bytes()
    fill(journal, 1)
    mark.write_bytes(newest)  # the third is on its way to the disk
    verdict = judged(store)
    assert (verdict.head.seq, verdict.records, verdict.damage) == (COUNT + 2, COUNT + 2, None)
    assert (verdict.holder or "").startswith("pid ")
    journal.close()


def test_every_kind_of_line_is_held_against_the_one_before(store: Store) -> None:
    for path in segments(store):
        whole = path.read_bytes()
        sound_until = int(path.stem) - 1
        for number in (0, 1, 2, whole.rstrip(b"\n").count(b"\n")):
            offset, line = line_at(path, number)
            path.write_bytes(whole[: offset + 40] + bytes([whole[offset + 40] ^ 1]) + whole[offset + 41 :])
            kind, segment, place, good = damage_of(judged(store))
            assert (segment, place) == (path.name, offset), (kind, line)
            assert good == (sound_until if number == 0 else sound_until + number - 1), (kind, line)
        path.write_bytes(whole)
    assert judged(store).sound


def test_a_segment_that_is_missing_is_seen_wherever_it_was(store: Store) -> None:
    for path in segments(store):
        whole = path.read_bytes()
        path.unlink()
        kind, _, _, good = damage_of(judged(store))
        assert kind in {"missing", "name"}
        assert good == (int(path.stem) - 1)
        path.write_bytes(whole)


def test_a_seal_with_another_count_or_digest_is_damage_even_where_the_chain_is_right(store: Store) -> None:
    path = segments(store)[-2]
    number = path.read_bytes().rstrip(b"\n").count(b"\n")
    offset, line = line_at(path, number)
    _, before = line_at(path, number - 1)
    for path_after in segments(store)[-1:]:
        path_after.unlink()  # what follows would be chained to the seal that was
    (directory(store) / "MARK").unlink()
    seq, t = int(line[18:30]), int(line[36:52])
    body = line[line.index(b'"seal":') + 7 : -26]
    forged = line_of(before[-19:-3], seq, t, b"seal", body.replace(b'"count":', b'"count":1'))
    path.write_bytes(path.read_bytes()[:offset] + forged)
    assert damage_of(judged(store)) == ("seal", path.name, offset, seq)


def test_something_behind_a_seal_is_damage(store: Store) -> None:
    path = segments(store)[0]
    content = path.read_bytes()
    end = len(content.rstrip(b"\n")) + 1
    path.write_bytes(content[:end] + b"\nx")
    assert damage_of(judged(store)) == ("seal", path.name, end, int(segments(store)[1].stem) - 1)


def test_a_record_whose_events_do_not_fit_its_number_is_damage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = line_of(ZERO_HASH, 0, 1, b"header", encode_header(STREAM, ZERO_HASH))
    stopped = b'[{"action":"stopped","v":1,"at":1,"reason":"r","price":null,"state_seq":0}]'
    second = line_of(first[-19:-3], 2, 1, b"events", stopped)
    directory(store).mkdir(parents=True)
    (directory(store) / f"{1:020d}.jsonl").write_bytes(first + second)
    verdict = judged(store)
    assert damage_of(verdict) == ("seq", f"{1:020d}.jsonl", len(first), 0)
    assert str(verdict.damage).count("its first event is number 2, not 1") == 1


def test_a_record_without_an_event_is_damage_and_no_crash(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = line_of(ZERO_HASH, 0, 1, b"header", encode_header(STREAM, ZERO_HASH))
    directory(store).mkdir(parents=True)
    (directory(store) / f"{1:020d}.jsonl").write_bytes(first + line_of(first[-19:-3], 0, 1, b"events", b"[]"))
    assert damage_of(judged(store))[0] == "unreadable"


def test_a_MARK_that_names_more_than_is_there_or_another_hash_is_damage(store: Store) -> None:
    mark = directory(store) / "MARK"
    newest = mark.read_bytes()
    journal = opened(store)
    fill(journal, 1)
    journal.close()
    ahead = mark.read_bytes()
    last = segments(store)[-1]
    content = last.read_bytes().rstrip(b"\n")
    last.write_bytes((content[: content.rindex(b"\n") + 1]).ljust(SMALL.unit * 4, b"\n"))
    assert damage_of(judged(store))[::3] == ("missing", COUNT)
    mark.write_bytes(newest)
    assert judged(store).sound
    mark.write_bytes(ahead)
    assert not judged(store).sound


def test_a_later_format_is_no_damage_and_not_sound(tmp_path: Path) -> None:
    store = Store(tmp_path)
    header = encode_header(STREAM, ZERO_HASH).replace(b'"version":1', b'"version":9')
    directory(store).mkdir(parents=True)
    (directory(store) / f"{1:020d}.jsonl").write_bytes(line_of(ZERO_HASH, 0, 1, b"header", header))
    verdict = judged(store)
    assert isinstance(verdict.damage, NewerFormat)
    assert (verdict.sound, verdict.head, verdict.damage.what) == (False, Head(), "a journal of format version 9")


def test_everything_before_the_damage_is_counted(store: Store) -> None:
    path = segments(store)[1]
    offset, line = line_at(path, 3)
    rewritten(path, line, line.replace(b'"reason":"event', b'"reason":"EVENT'))
    verdict = judged(store)
    good = int(path.stem) + 1
    assert damage_of(verdict)[1:] == (path.name, offset, good)
    assert (verdict.head.seq, verdict.records, verdict.segments) == (good, good, 2)
