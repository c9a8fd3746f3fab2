"""Readers that catch up, follow and remember: every event once, whatever ends them and when."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import attrs
import msgspec
import pytest

from tests.house import tree
from tests.projections.reading import SEEN, STREAM, minutes_held
from tests.projections.stories import Story, at, trades
from tickfold_eventstore import (
    CheckpointMismatch,
    CorruptJournal,
    Event,
    Journal,
    MemoryJournal,
    Opened,
    Store,
    StreamNotFound,
    UnusableName,
)
from tickfold_projections import stream as stream_module
from tickfold_projections.active_signal import FLAT, Holding, State, evolve
from tickfold_projections.projection import Projection
from tickfold_projections.stream import follow, named_reader, stirring

pytestmark = pytest.mark.anyio

ACTIVE: Projection[State] = Projection("active", FLAT, evolve, Any)
BATCHES = [1, 2, 1, 3, 1, 1, 2, 1]
TOTAL = sum(BATCHES)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def opened(data_dir: Path) -> Journal:
    journal, _ = Store(data_dir).open(STREAM, lambda newest_first: None)
    return journal


def records() -> Iterator[list[Event]]:
    """Records of one to three events, all of a record at one time."""
    events = iter(trades([1.0] * TOTAL))
    for number, size in enumerate(BATCHES):
        batch = list(itertools.islice(events, size))
        yield [msgspec.structs.replace(event, at=at(number), recorded_at=at(number)) for event in batch]


def append(journal: Journal, batches: list[list[Event]]) -> None:
    for batch in batches:
        journal.append(batch, expected_seq=batch[0].seq - 1)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    journal = opened(tmp_path)
    append(journal, list(records()))
    journal.close()
    return tmp_path


def named(name: str) -> Projection[list[int]]:
    return attrs.evolve(SEEN, name=name)


def everything() -> list[int]:
    return list(range(1, TOTAL + 1))


def test_a_reader_catches_up_and_goes_on_where_it_left_off(tmp_path: Path) -> None:
    first, *rest = records()
    journal = opened(tmp_path)
    append(journal, [first])
    assert named_reader(Store(tmp_path), STREAM, SEEN).catch_up() == [1]
    append(journal, rest)
    reader = named_reader(Store(tmp_path), STREAM, SEEN)
    assert (reader.state, reader.head.seq) == ([1], 1)
    assert reader.catch_up() == everything()
    assert reader.catch_up() == everything()
    assert reader.head == journal.head
    journal.close()
    assert named_reader(Store(tmp_path), STREAM, SEEN).state == everything()


def test_a_fold_that_is_ended_at_any_event_has_taken_in_each_once(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying_at(seq: int) -> Callable[[list[int], Event], list[int]]:
        def apply(seen: list[int], event: Event) -> list[int]:
            if event.seq == seq:
                raise Killed
            return SEEN.apply(seen, event)

        return apply

    for every, seq in itertools.product([1, 2, 3, 1000], everything()):
        monkeypatch.setattr(stream_module, "RECORDS_BETWEEN_SAVES", every)
        projection = named(f"{every}, {seq}")
        with pytest.raises(Killed):
            named_reader(Store(written), STREAM, attrs.evolve(projection, apply=dying_at(seq))).catch_up()
        again = named_reader(Store(written), STREAM, projection)
        assert again.state == everything()[: again.head.seq]
        assert again.catch_up() == everything()


@pytest.mark.parametrize("call", ["open", "pwrite", "sync", "rename", "mkdir"])
def test_a_checkpoint_that_cannot_be_replaced_leaves_the_old_one(
    written: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "RECORDS_BETWEEN_SAVES", 1)
    real = getattr(Store(written).files, call)

    def fails(failing_call: int) -> bool:
        """Read to the end with one call failing; whether reading came so far as to make it."""
        calls = itertools.count()

        def one_fails(*arguments: Any, **options: Any) -> Any:
            if next(calls) == failing_call:
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        store, projection = Store(written), named(str(failing_call))
        with monkeypatch.context() as patch, contextlib.suppress(OSError):
            patch.setattr(store.files, call, one_fails)
            named_reader(store, STREAM, projection).catch_up()
        again = named_reader(Store(written), STREAM, projection)
        assert again.state == everything()[: again.head.seq]
        assert again.catch_up() == everything()
        return next(calls) > failing_call

    failures = sum(itertools.takewhile(bool, map(fails, itertools.count())))
    assert failures >= (1 if call == "mkdir" else len(BATCHES))


async def test_following_gives_what_is_there_and_then_what_comes(tmp_path: Path) -> None:
    batches = list(records())
    journal = opened(tmp_path)
    append(journal, batches[:3])
    reader = named_reader(Store(tmp_path), STREAM, SEEN)
    given: list[tuple[int, ...]] = []
    source: Any = reader.follow()
    async with aclosing(source):
        async for record in source:
            given.append(tuple(event.seq for event in record.events))
            # It is saved before it is given.
            assert named_reader(Store(tmp_path), STREAM, SEEN).state == reader.state == everything()[: record.seq]
            if batches[3:] and record.seq == batches[2][-1].seq:
                append(journal, batches[3:])
            if record.seq == TOTAL:
                break
    journal.close()
    assert given == [tuple(event.seq for event in batch) for batch in batches]


async def test_a_follower_that_is_cancelled_has_saved_what_it_took_in(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    first, *batches = records()
    append(journal, [first])
    named_reader(Store(tmp_path), STREAM, SEEN).catch_up()
    for batch in batches:
        reader = named_reader(Store(tmp_path), STREAM, SEEN)
        with anyio.CancelScope() as scope:
            source: Any = reader.follow()
            async with aclosing(source):
                append(journal, [batch])
                async for _ in source:
                    scope.cancel()
                    await anyio.sleep_forever()
        assert reader.state == named_reader(Store(tmp_path), STREAM, SEEN).state
        assert reader.head.seq == batch[-1].seq
    journal.close()


async def test_a_projection_that_remembers_nothing_follows_any_log(tmp_path: Path) -> None:
    story = Story()
    story.start(0)
    story.trade(5, 9, 1.0)
    story.open(20)
    memory, journal = MemoryJournal(STREAM), opened(tmp_path)
    for log in (memory, journal):
        log.append(story.events[:1], expected_seq=0)
        states: list[State] = []
        source: Any = follow(ACTIVE, log)
        async with aclosing(source):
            async for event, state in source:
                states.append(state)
                if event.seq < len(story.events):
                    log.append([story.events[event.seq]], expected_seq=event.seq)
                else:
                    break
        held = [each.signal for each in story.events if isinstance(each, Opened)]
        assert states == [FLAT, Holding(2, held[0]), FLAT, Holding(4, held[1])]
    journal.close()


async def test_who_waits_for_streams_is_woken_by_a_new_one_and_by_one_that_grows(tmp_path: Path) -> None:
    first, second, *_ = records()
    other = STREAM._replace(symbol="B")
    source: Any = stirring(Store(tmp_path))
    async with aclosing(source):
        assert await anext(source) == []
        journal = opened(tmp_path)
        append(journal, [first])
        while await anext(source) != [STREAM]:
            pass
        later, _ = Store(tmp_path).open(other, lambda newest_first: None)
        later.append([msgspec.structs.replace(event, symbol="B") for event in first], expected_seq=0)
        while await anext(source) != [STREAM, other]:
            pass
        append(journal, [second])
        assert await anext(source) == [STREAM, other]
    journal.close()
    later.close()


def test_a_named_reader_stops_at_mark_also_where_no_writer_lives(tmp_path: Path) -> None:
    *before, last = records()
    journal = opened(tmp_path)
    append(journal, before)
    (mark,) = tmp_path.rglob("MARK")
    content = mark.read_bytes()
    append(journal, [last])
    journal.close()
    mark.write_bytes(content)
    assert named_reader(Store(tmp_path), STREAM, SEEN).catch_up() == everything()[: -len(last)]


def test_each_name_has_a_place_of_its_own(written: Path) -> None:
    names = ["a", "b/../a", "🚀", "x" * 300]
    for name in names:
        reader = named_reader(Store(written), STREAM, named(name))
        assert (reader.state, reader.catch_up()) == ([], everything())
    files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*.json"))
    folder = "checkpoints/sim-1/w/A"
    assert files[:3] == [f"{folder}/%F0%9F%9A%80.json", f"{folder}/a.json", f"{folder}/b%2F..%2Fa.json"]
    assert len(files) == 4
    with pytest.raises(UnusableName):
        named_reader(Store(written), STREAM, named(""))


def test_a_state_of_any_shape_that_msgspec_knows_is_read_back(written: Path) -> None:
    held: Projection[dict[int, int]] = Projection("held", {}, minutes_held, dict[int, int])
    state = named_reader(Store(written), STREAM, held).catch_up()
    assert list(state) == everything()
    assert named_reader(Store(written), STREAM, held).state == state


def test_a_state_of_another_type_is_refused(written: Path) -> None:
    named_reader(Store(written), STREAM, SEEN).catch_up()
    changed: Projection[dict[int, int]] = Projection("seen", {}, minutes_held, dict[int, int])
    with pytest.raises(CheckpointMismatch, match=r"reader seen .* its state is of another type"):
        named_reader(Store(written), STREAM, changed)


def test_another_journal_under_the_same_name_is_refused(
    written: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    named_reader(Store(written), STREAM, SEEN).catch_up()
    other = tmp_path_factory.mktemp("other")
    journal = opened(other)
    append(journal, [[msgspec.structs.replace(event, recorded_at=at(99)) for event in batch] for batch in records()])
    journal.close()
    (written / "checkpoints").rename(other / "checkpoints")
    with pytest.raises(CheckpointMismatch, match="another record stands there"):
        named_reader(Store(other), STREAM, SEEN)


def test_a_stream_that_is_not_there_and_one_that_is_damaged_are_told_apart(written: Path) -> None:
    with pytest.raises(StreamNotFound):
        named_reader(Store(written), STREAM._replace(symbol="B"), SEEN)
    (segment,) = (written / "journal").rglob("*.jsonl")
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"opened", b"closed", 1))
    reader = named_reader(Store(written), STREAM, SEEN)
    with pytest.raises(CorruptJournal):
        reader.catch_up()
    assert reader.state == []


def test_a_reader_that_is_killed_again_and_again_has_seen_every_event_once(tmp_path: Path) -> None:
    dice = random.Random(3)
    journal = opened(tmp_path)
    events = iter(trades([1.0] * 400))

    def add(count: int) -> None:
        for event in itertools.islice(events, count):
            journal.append([event], expected_seq=event.seq - 1)

    add(20)
    reached = 0
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.projections.reading", str(tmp_path)],
            cwd=tree.ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert int(process.stdout.readline()) >= reached
        add(dice.randrange(20, 40))
        for _ in range(dice.randrange(1, 15)):
            reached = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        state = named_reader(Store(tmp_path), STREAM, SEEN).state
        assert state == list(range(1, len(state) + 1))
        assert len(state) >= reached
    journal.close()
    assert named_reader(Store(tmp_path), STREAM, SEEN).catch_up() == list(range(1, journal.head.seq + 1))
