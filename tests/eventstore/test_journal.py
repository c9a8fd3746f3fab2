"""A journal on disk: its bytes, its calls, its segments, and what a close leaves."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import anyio
import attrs
import msgspec
import pytest

from tests.eventstore.samples import (
    AT,
    KINDS,
    SMALL,
    STREAM,
    Counting,
    contents,
    directory,
    event,
    fill,
    long_event,
    opened,
    segments,
    written,
)
from tickfold_eventstore import AppendRefused, Event, JournalClosed, RecordTooLong, Store
from tickfold_eventstore.mark import LENGTH, parse_mark
from tickfold_eventstore.record import LONGEST


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def lines(store: Store) -> list[list[dict[str, object]]]:
    """Every segment as anybody's JSON reads it, a line at a time."""
    return [[msgspec.json.decode(line) for line in path.read_bytes().split(b"\n") if line] for path in segments(store)]


def kinds(store: Store) -> list[list[str]]:
    return [
        [kind for line in segment for kind in ("header", "events", "seal") if kind in line] for segment in lines(store)
    ]


def test_a_new_append_is_one_write_one_sync_and_MARK(tmp_path: Path) -> None:
    disk = Counting()
    journal = opened(Store(tmp_path, files=disk))
    fill(journal, 1)
    disk.calls.clear()
    fill(journal, 2)
    assert disk.calls == ["pwrite", "sync", "pwrite"] * 2
    journal.close()


def test_an_append_never_grows_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    journal = opened(store)
    sizes = set()
    for _ in range(10):
        fill(journal, 1)
        sizes.add(segments(store)[0].stat().st_size)
    assert {size % SMALL.unit for size in sizes} == {0}
    journal.close()


def test_MARK_names_each_record_when_its_append_returns(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    for _ in range(3):
        fill(journal, 1)
        assert parse_mark((directory(store) / "MARK").read_bytes()) == journal.head
    journal.close()


def test_a_quiet_stream_takes_little_while_open_and_less_when_closed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    fill(journal, 1)
    (path,) = segments(store)
    assert path.stat().st_size == 1 << 16
    assert (directory(store) / "MARK").stat().st_size == LENGTH
    journal.close()
    assert path.read_bytes() == path.read_bytes().rstrip(b"\n") + b"\n"
    assert path.stat().st_size < 1000


def test_every_byte_is_JSON_lines_at_every_moment(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    journal = opened(store)
    for one in KINDS:
        journal.append([one], expected_seq=one.seq - 1)
        assert len([line for segment in lines(store) for line in segment if "events" in line]) == one.seq
    for path in segments(store):
        assert re.fullmatch(rb"[\n\x20-\x7e]*", path.read_bytes())
    journal.close()


@attrs.define
class HalfExtending(Counting):
    """A disk that runs full in the middle of an extension."""

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        half = len(data) // 2 if not data.strip(b"\n") and len(data) > 512 else len(data)
        return super().pwrite(descriptor, data[:half], offset)


def test_an_extension_that_the_disk_took_by_half_is_cut_off_again(tmp_path: Path) -> None:
    roomy = Store(tmp_path, layout=SMALL)
    written(roomy, 3)
    journal = opened(Store(tmp_path, files=HalfExtending(), layout=SMALL))
    (path,) = segments(roomy)
    size = path.stat().st_size
    with pytest.raises(AppendRefused, match="there is no room for it: only"):
        journal.append([long_event(4, 1200)], expected_seq=3)
    assert (path.stat().st_size, size % SMALL.unit) == (size, 0)
    fill(journal, 1)
    journal.close()
    assert [one.seq for one in roomy.reader(STREAM).read()] == [1, 2, 3, 4]


# Rotation.


def test_segments_are_sealed_named_and_chained(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 60)
    paths, told = segments(store), kinds(store)
    assert len(paths) > 3
    for segment in told[:-1]:
        assert segment == ["header", *["events"] * (len(segment) - 2), "seal"]
    assert told[-1] == ["header", *["events"] * (len(told[-1]) - 1)]
    previous: object = "0" * 16
    for path, read in zip(paths, lines(store), strict=True):
        header = read[0]["header"]
        assert isinstance(header, dict)
        assert (header["previous"], header["stream"]) == (previous, STREAM._asdict())
        assert read[0]["seq"] == int(path.stem) - 1
        previous = read[-1]["h"]


def test_a_seal_counts_its_records_and_digests_what_stands_before_it(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    written(store, 20)
    first = segments(store)[0].read_bytes().rstrip(b"\n") + b"\n"
    start = first.rindex(b"\n", 0, -1) + 1
    seal = msgspec.json.decode(first[start:])
    assert seal["seal"] == {"count": first.count(b"\n") - 2, "sha256": sha256(first[:start]).hexdigest()}
    assert seal["seq"] == int(segments(store)[1].stem) - 1
    assert int(seal["t"]) == (AT + 2_000) * 1000


def test_no_segment_grows_beyond_its_size_but_for_one_long_record(tmp_path: Path) -> None:
    store = Store(tmp_path, layout=SMALL)
    journal = opened(store)
    fill(journal, 5)
    journal.append([long_event(6, 10_000)], expected_seq=5)
    fill(journal, 5)
    journal.close()
    used = [len(path.read_bytes().rstrip(b"\n")) for path in segments(store)]
    assert [size > SMALL.segment for size in used] == [False, True, False]
    assert [one.seq for one in store.reader(STREAM).read()] == list(range(1, 12))


def test_a_rotation_is_no_event_and_takes_no_number(tmp_path: Path) -> None:
    whole, split = Store(tmp_path / "whole"), Store(tmp_path / "split", layout=SMALL)
    written(whole, 60)
    written(split, 60)
    assert len(segments(whole)) == 1
    assert list(whole.reader(STREAM).read()) == list(split.reader(STREAM).read())


# What is too long.


def padded(seq: int, length: int) -> list[Event]:
    """One event whose line has exactly so many bytes, behind any line."""
    bare = len(f'{{"n":{0:6},"seq":{seq:12},"t":"{(AT + 2_000) * 1000}","events":, "h":"{"":16}"}}\n')
    body = len(f'[{{"action":"stopped","v":1,"at":{AT},"reason":"","price":null,"state_seq":{seq - 1}}}]')
    return [long_event(seq, length - bare - body)]


def test_the_longest_record_fits_and_one_byte_more_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    fill(journal, 1)
    journal.append(padded(2, LONGEST), expected_seq=1)
    before = contents(tmp_path)
    with pytest.raises(RecordTooLong) as raised:
        journal.append(padded(3, LONGEST + 1), expected_seq=2)
    assert (raised.value.length, raised.value.limit) == (1_000_001, 999_999)  # `n` took a seventh column
    assert contents(tmp_path) == before
    fill(journal, 1)
    journal.close()
    assert [one.seq for one in store.reader(STREAM).read()] == [1, 2, 3]


def test_a_record_that_is_too_long_begins_no_stream(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    with pytest.raises(RecordTooLong):
        journal.append(padded(1, LONGEST + 1), expected_seq=0)
    assert segments(store) == []
    journal.close()


def test_text_that_is_half_of_a_character_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    fill(journal, 1)
    before = contents(tmp_path)
    with pytest.raises(ValueError):
        journal.append([msgspec.structs.replace(event(2), reason="\ud83d")], expected_seq=1)
    assert contents(tmp_path) == before
    fill(journal, 1)
    journal.close()


# Closed.


def test_a_closed_journal_takes_nothing_and_says_so(tmp_path: Path) -> None:
    journal = opened(Store(tmp_path))
    fill(journal, 1)
    journal.close()
    journal.close()
    with pytest.raises(JournalClosed, match="the journal is closed"):
        journal.append([event(2)], expected_seq=1)
    assert [one.seq for one in journal.read()] == [1]


@pytest.mark.anyio
async def test_a_follower_is_told_that_its_journal_was_closed(tmp_path: Path) -> None:
    journal = opened(Store(tmp_path))
    fill(journal, 1)
    following = journal.follow()
    assert (await anext(following)).seq == 1
    told: list[str] = []

    async def wait() -> None:
        with pytest.raises(JournalClosed):
            await anext(following)
        told.append("closed")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        journal.close()
    assert told == ["closed"]


def test_what_was_closed_without_being_used_leaves_no_segment(tmp_path: Path) -> None:
    store = Store(tmp_path)
    opened(store).close()
    assert contents(tmp_path) == {}
