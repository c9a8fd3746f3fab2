"""Several streams read as one: in order, from any position, in pages, and whatever becomes of one of them."""

from __future__ import annotations

import random
from contextlib import aclosing
from pathlib import Path

import anyio
import msgspec
import pytest

from tests.web import journals
from tests.web.journals import AT, MINUTE, SMALL, A, B
from tickfold_eventstore import CorruptJournal, Event, Store, Stream
from tickfold_eventstore.reader import Reader
from tickfold_projections import pages
from tickfold_projections.confluence import Confluence, arrivals, position_of, position_text
from tickfold_projections.pages import Page, Pages, Shelf

C = Stream("other", "w", "A")


def in_order(events: list[Event]) -> list[Event]:
    """The order in words of one line; no clock goes back in these."""
    return sorted(events, key=lambda event: (event.at, event.recorded_at, event.stream, event.seq))


def looked(data_dir: Path) -> Confluence:
    store = Store(data_dir, layout=SMALL)
    streams = Confluence(store)
    streams.look(store.streams())
    return streams


def read_on(streams: Confluence, position: dict[Stream, int], chance: random.Random) -> list[Event]:
    """Everything behind a position, in pieces of any size, the position kept as text in between."""
    told: list[Event] = []
    text = position_text(position)
    while True:
        place = position_of(text, streams.heads)
        events = streams.after(place, chance.randint(1, 9))
        if not events:
            return told
        told += events
        text = position_text(place | {event.stream: event.seq for event in events})


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Stream, list[Event]]:
    """Streams of several segments, read in pages of three records."""
    monkeypatch.setattr(pages, "RECORDS", 3)
    told = {
        stream: journals.story(stream, signals, first_at=AT + shift * MINUTE)
        for stream, signals, shift in ((A, 12, 0), (B, 8, 5), (C, 2, -3))
    }
    for stream, events in told.items():
        journals.written(tmp_path, stream, events, SMALL)
    return told


def test_from_any_position_in_pieces_of_any_size_each_event_comes_once_and_in_order(
    tmp_path: Path, three: dict[Stream, list[Event]]
) -> None:
    assert len(Store(tmp_path, layout=SMALL).folder(A).segments()) > 2
    streams = looked(tmp_path)
    for seed in range(60):
        chance = random.Random(seed)
        position = {stream: chance.randint(0, len(events)) for stream, events in three.items()}
        rest = [event for stream, events in three.items() for event in events[position[stream] :]]
        assert read_on(streams, position, chance) == in_order(rest), seed


def test_only_the_streams_that_are_asked_for_come(tmp_path: Path, three: dict[Stream, list[Event]]) -> None:
    assert looked(tmp_path).after({A: 20}, 100, {A, C}) == in_order([*three[A][20:], *three[C]])


def test_a_recording_clock_that_went_back_does_not_turn_the_order_of_a_stream(tmp_path: Path) -> None:
    for stream, times in ((A, (500, 100, 300)), (B, (200, 400, 600))):
        into = journals.journal(tmp_path, stream)
        for seq, recorded_at in enumerate(times, 1):
            into.append(
                (msgspec.structs.replace(journals.stopped(stream, seq, AT), recorded_at=recorded_at),),
                expected_seq=seq - 1,
            )
        into.close()
    told = looked(tmp_path).after({}, 10)
    assert [(event.symbol, event.seq) for event in told] == [
        *[("B/USDT", 1), ("B/USDT", 2), ("A", 1), ("A", 2), ("A", 3), ("B/USDT", 3)]
    ]


def test_what_happened_before_a_time_is_found_in_any_segment(tmp_path: Path, three: dict[Stream, list[Event]]) -> None:
    streams = looked(tmp_path)
    for at in range(AT - MINUTE, AT + 30 * MINUTE, MINUTE // 2):
        assert streams.before(A, at) == sum(event.at < at for event in three[A])


def test_an_event_that_was_appended_comes_after_the_next_look(tmp_path: Path) -> None:
    into = journals.journal(tmp_path, A)
    events = journals.story(A, 1)
    journals.append(into, events[:2])
    streams = looked(tmp_path)
    assert streams.after({}, 10) == events[:2]
    journals.append(into, events[2:])
    assert streams.after({A: 2}, 10) == []
    assert streams.look([A]) == {A}
    assert streams.after({A: 2}, 10) == events[2:]
    assert streams.look([A]) == set()
    into.close()


def test_a_stream_that_is_damaged_gives_what_stands_before_and_keeps_none_of_the_others(
    tmp_path: Path, three: dict[Stream, list[Event]]
) -> None:
    segment = Path(Store(tmp_path).folder(A).path) / "00000000000000000001.jsonl"
    text = segment.read_text()
    segment.write_text(text.replace('"idle":1', '"idle":7', 3).replace('"idle":7', '"idle":1', 2))
    streams = looked(tmp_path)
    told = streams.after({}, 1000)
    assert in_order([*three[A][:5], *three[B], *three[C]]) == told
    assert {stream: type(error) for stream, error in streams.faults.items()} == {A: CorruptJournal}
    assert streams.after({A: 5, B: 17, C: 5}, 10) == []


def test_a_journal_that_takes_the_place_of_another_is_read_anew(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    journals.written(data, A, journals.story(A, 4))
    restored = journals.story(A, 1, note="restored")
    journals.written(other, A, restored)
    streams = looked(data)
    assert len(streams.after({}, 100)) == 9
    folder = Path(Store(data).folder(A).path)
    for path in Path(Store(other).folder(A).path).iterdir():
        path.replace(folder / path.name)
    assert streams.look([A]) == {A}
    assert streams.after({}, 100) == restored


def test_the_shelf_holds_no_more_than_its_room_and_pages_come_back_from_the_disk(
    tmp_path: Path, three: dict[Stream, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = Pages._read

    def counted(self: Pages, first: int, upto: int) -> Page:
        reads.append(first)
        return read(self, first, upto)

    monkeypatch.setattr(Pages, "_read", counted)
    shelf = Shelf(room=9)
    shelved = Pages(Reader(Store(tmp_path, layout=SMALL).folder(A)), shelf)
    for _ in range(2):
        assert list(shelved.after(0, 25)) == three[A]
    assert sum(len(page.events) for page in shelf._pages.values()) <= 9
    firsts = list(range(1, 26, 3))
    assert reads == [*firsts, *firsts]
    assert list(shelved.after(21, 25)) == three[A][21:]
    assert reads == [*firsts, *firsts]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "0",
        "abcdefabcdef",
        "abcdefabcdef:",
        "abcdefabcdef:0",
        "abcdefabcdef:1,",
        "ABCDEFABCDEF:1",
        "abcdefabcdef:1\n",
    ],
)
def test_a_text_that_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is no position that was handed out here"):
        position_of(text, [A])


def test_a_position_says_nothing_of_streams_that_are_not_asked_for() -> None:
    text = position_text({A: 3, B: 12, C: 0})
    assert position_of(text, [B, C]) == {B: 12}
    assert (position_of("", [A]), position_text({A: 0})) == ({}, "")


@pytest.mark.anyio
async def test_whoever_comes_before_the_data_directory_waits_for_it_and_for_each_stream(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    seen: list[list[Stream]] = []
    done = anyio.Event()

    async def watch() -> None:
        async with aclosing(arrivals(Store(data_dir))) as wakes:
            async for there in wakes:
                if there and (not seen or there != seen[-1]):
                    seen.append(there)
                if len(seen) == 2:
                    done.set()
                    return

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await anyio.sleep(0)
            journals.written(data_dir, A, journals.story(A, 1))
            while not seen:
                await anyio.sleep(0.01)
            journals.written(data_dir, B, journals.story(B, 1))
            await done.wait()
    assert seen == [[A], [A, B]]
