"""What every journal keeps, in memory and on disk: one set of facts for both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import cast

import anyio
import msgspec
import pytest
from anyio.lowlevel import checkpoint

from tests.eventstore.samples import KINDS, SMALL, STREAM, event, fill, opened
from tickfold_eventstore import Event, EventLog, Head, MemoryJournal, Store, Stream, WrongExpectedVersion


@pytest.fixture(params=["memory", "disk", "disk in small segments"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    if request.param == "memory":
        yield MemoryJournal(STREAM)
        return
    store = Store(tmp_path) if request.param == "disk" else Store(tmp_path, layout=SMALL)
    journal = opened(store)
    yield journal
    journal.close()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def in_records(log: EventLog) -> list[tuple[Event, ...]]:
    """Twenty-three events in records of one, two, three and so on; long enough for three small segments."""
    written: list[tuple[Event, ...]] = []
    for length in [1, 2, 3, 1, 2, 3, 1, 2, 3, 5]:
        record = tuple(event(log.head.seq + number) for number in range(1, length + 1))
        log.append(record, expected_seq=log.head.seq)
        written.append(record)
    return written


def test_an_empty_one_says_so(log: EventLog) -> None:
    assert (log.stream, log.head) == (STREAM, Head(0, "0" * 16))
    assert (list(log.read()), list(log.records()), list(log.read_backwards())) == ([], [], [])


def test_an_append_returns_the_new_head(log: EventLog) -> None:
    head = log.append(KINDS[:1], expected_seq=0)
    assert head.seq == 1
    assert head == log.head
    assert log.append(KINDS[1:3], expected_seq=1).seq == 3
    assert log.head != head


def test_what_was_appended_is_read_in_order_whole_and_from_anywhere(log: EventLog) -> None:
    written = in_records(log)
    events = [one for record in written for one in record]
    assert [record.events for record in log.records()] == written
    assert list(log.read()) == events
    for from_seq in range(-1, len(events) + 2):
        assert list(log.read(from_seq)) == events[max(0, from_seq - 1) :]
        assert [record.events for record in log.records(from_seq)] == [
            record for record in written if record[-1].seq >= from_seq
        ]


def test_backwards_is_the_same_backwards(log: EventLog) -> None:
    in_records(log)
    assert list(log.read_backwards()) == list(reversed(list(log.records())))


def test_the_last_record_is_the_head(log: EventLog) -> None:
    in_records(log)
    last = next(iter(log.read_backwards()))
    assert Head(last.seq, last.hash) == log.head


def test_each_kind_of_event_comes_back(log: EventLog) -> None:
    log.append(KINDS, expected_seq=0)
    assert list(log.read()) == list(KINDS)


@pytest.mark.parametrize("expected", [-1, 0, 1, 3])
def test_another_expected_seq_is_refused_with_both(log: EventLog, expected: int) -> None:
    fill(log, 2)
    with pytest.raises(WrongExpectedVersion) as raised:
        log.append([event(3)], expected_seq=expected)
    assert (raised.value.stream, raised.value.expected, raised.value.actual) == (str(STREAM), expected, 2)
    log.append([event(3)], expected_seq=2)
    assert [one.seq for one in log.read()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], "a record holds at least one event"),
        ([event(2)], "the next event is number 1, not 2"),
        ([event(1), event(1)], "the next event is number 2, not 1"),
        ([event(1, Stream("x", "w", "A"))], "an event of x/w/A does not belong here"),
        (
            [event(1), msgspec.structs.replace(event(2), recorded_at=1)],
            "the events of one record are recorded at one time",
        ),
    ],
)
def test_a_mistake_of_the_program_is_told_and_nothing_is_written(log: EventLog, events: list[Event], why: str) -> None:
    with pytest.raises(ValueError) as raised:
        log.append(events, expected_seq=0)
    assert str(raised.value) == f"{STREAM}: {why}"
    assert (log.head, list(log.read())) == (Head(), [])


def test_a_reading_that_began_ends_where_the_journal_ended_then(log: EventLog) -> None:
    fill(log, 3)
    reading = log.read()
    first = next(reading)
    fill(log, 2)
    assert [first.seq, *(one.seq for one in reading)] == [1, 2, 3]


async def taken(following: AsyncIterator[Event], count: int) -> list[int]:
    return [(await anext(following)).seq for _ in range(count)]


@pytest.mark.anyio
async def test_following_catches_up_and_goes_on_with_each_append(log: EventLog) -> None:
    fill(log, 3)
    async with aclosing_of(log.follow(2)) as following:
        assert await taken(following, 2) == [2, 3]
        for seq in range(4, 20):
            heard: list[int] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(hear, following, heard)
                await checkpoint()
                fill(log, 1)
            assert heard == [seq]


@pytest.mark.anyio
async def test_every_follower_hears_every_event_once_however_slow(log: EventLog) -> None:
    heard: list[list[int]] = [[] for _ in range(4)]

    async def follower(number: int) -> None:
        async with aclosing_of(log.follow()) as following:
            async for one in following:
                heard[number].append(one.seq)
                for _ in range(number * 3):
                    await checkpoint()
                if one.seq == 23:
                    return

    async with anyio.create_task_group() as tasks:
        for number in range(len(heard)):
            tasks.start_soon(follower, number)
        for _ in range(23):
            fill(log, 1)
            await checkpoint()
    assert heard == [list(range(1, 24))] * 4


@pytest.mark.anyio
async def test_following_from_an_event_that_is_not_there_yet_begins_with_it(log: EventLog) -> None:
    fill(log, 1)
    heard: list[int] = []
    async with aclosing_of(log.follow(3)) as following, anyio.create_task_group() as tasks:
        tasks.start_soon(hear, following, heard)
        for _ in range(3):
            await checkpoint()
            fill(log, 1)
    assert heard == [3]


async def hear(following: AsyncIterator[Event], heard: list[int]) -> None:
    heard.append((await anext(following)).seq)


def aclosing_of(following: AsyncIterator[Event]) -> aclosing[AsyncGenerator[Event, None]]:
    """Both journals follow with a generator; one that is left must be closed."""
    return aclosing(cast("AsyncGenerator[Event, None]", following))
