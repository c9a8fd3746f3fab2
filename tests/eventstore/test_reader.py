"""Reading beside the writer: never past MARK while it lives, woken by the disk, without a gap or a repeat."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.eventstore.samples import SMALL, STREAM, contents, directory, event, fill, opened, segments, written
from tickfold_eventstore import CorruptJournal, Event, Head, Store
from tickfold_eventstore.mark import mark_of

WRITER = """
import sys
from tests.eventstore.samples import SMALL, fill, opened
from tickfold_eventstore import Store
journal = opened(Store(sys.argv[1], layout=SMALL))
print("open", flush=True)
for order in sys.stdin:
    fill(journal, int(order))
    print(journal.head.seq, flush=True)
journal.close()
"""

FOLLOWER = """
import sys
from contextlib import aclosing
import anyio
from tests.eventstore.samples import SMALL, STREAM
from tickfold_eventstore import Store
async def follow(upto):
    async with aclosing(Store(sys.argv[1], layout=SMALL).reader(STREAM).follow()) as following:
        async for one in following:
            print(one.seq, flush=True)
            if one.seq == upto:
                return
anyio.run(follow, int(sys.argv[2]))
"""


class Child:
    """A Python process that is told and asked by lines."""

    def __init__(self, code: str, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        )

    def ask(self, order: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def child(code: str, *words: object) -> Iterator[Child]:
    made = Child(code, *words)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, layout=SMALL)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def seqs(store: Store) -> list[int]:
    return [one.seq for one in store.reader(STREAM).read()]


def test_nobody_holds_a_closed_journal_and_all_of_it_is_read(store: Store, tmp_path: Path) -> None:
    written(store, 60)
    before = contents(tmp_path)
    reader = store.reader(STREAM)
    assert (reader.holder(), reader.head().seq) == (None, 60)
    assert list(reader.read()) == [event(seq) for seq in range(1, 61)]
    for from_seq in (1, 2, 19, 20, 21, 59, 60, 61):
        assert [one.seq for one in reader.read(from_seq)] == list(range(from_seq, 61))
    assert [record.seq for record in reader.read_backwards()] == list(range(60, 0, -1))
    assert contents(tmp_path) == before


def test_while_the_writer_lives_reading_ends_at_MARK(store: Store) -> None:
    journal = opened(store)
    fill(journal, 3)
    mark = directory(store) / "MARK"
    behind = mark.read_bytes()
    fill(journal, 2)
    newest = mark.read_bytes()
    mark.write_bytes(behind)  # as if 4 and 5 were written and not synced yet
    reader = store.reader(STREAM)
    assert (seqs(store), reader.head().seq) == ([1, 2, 3], 3)
    assert [record.seq for record in reader.read_backwards()] == [3, 2, 1]
    mark.write_bytes(b"\n" * 59)
    assert (seqs(store), reader.head()) == ([], Head())
    mark.write_bytes(newest)
    assert seqs(store) == [1, 2, 3, 4, 5]
    mark.write_bytes(behind)
    journal.close()
    assert seqs(store) == [1, 2, 3, 4, 5], "nobody writes: to the last valid one"


def test_MARK_ahead_of_what_is_there_is_refused_and_not_shortened(store: Store) -> None:
    folder = written(store, 3)
    (folder / "MARK").write_bytes(mark_of(Head(4, "0" * 16)))
    reader = store.reader(STREAM)
    for read in (reader.read, reader.read_backwards):
        with pytest.raises(CorruptJournal, match="event 4 was acknowledged and is not there"):
            list(read())


@pytest.mark.parametrize("count", [3, 60])
def test_what_rotted_in_the_middle_is_read_up_to_there_and_refused(count: int, store: Store) -> None:
    written(store, count)
    path = segments(store)[0]
    content = bytearray(path.read_bytes())
    content[content.index(b"event 2") + 6] ^= 1
    path.write_bytes(content)
    reading = store.reader(STREAM).read()
    assert next(reading).seq == 1
    with pytest.raises(CorruptJournal) as raised:
        next(reading)
    assert raised.value.last_good_seq == 1


def test_a_writer_in_another_process_is_seen_as_far_as_it_has_acknowledged(store: Store, tmp_path: Path) -> None:
    with child(WRITER, tmp_path) as writer:
        assert writer.line() == "open"
        for total in (1, 8, 30):
            assert writer.ask(total - len(seqs(store) if total > 1 else [])) == total
            assert seqs(store) == list(range(1, total + 1))
        assert (store.reader(STREAM).holder() or "").startswith(f"pid {writer.process.pid} on ")
        writer.process.kill()
        writer.process.wait()
        assert store.reader(STREAM).holder() is None
        assert seqs(store) == list(range(1, 31))


@pytest.mark.anyio
async def test_following_wakes_at_what_another_process_appends(store: Store, tmp_path: Path) -> None:
    with child(WRITER, tmp_path) as writer:
        assert writer.line() == "open"
        await anyio.to_thread.run_sync(writer.ask, 1)
        heard: list[Event] = []
        with anyio.fail_after(60):
            async with aclosing(store.reader(STREAM).follow()) as following:
                for total in (1, 2, 3, 30):
                    if total > 1:
                        await anyio.to_thread.run_sync(writer.ask, total - len(heard))
                    while len(heard) < total:
                        heard.append(await anext(following))
        assert heard == [event(seq) for seq in range(1, 31)]


@pytest.mark.anyio
async def test_following_stops_at_MARK_and_goes_on_behind_it(store: Store) -> None:
    journal = opened(store)
    fill(journal, 2)
    mark = directory(store) / "MARK"
    behind = mark.read_bytes()
    fill(journal, 1)
    newest = mark.read_bytes()
    mark.write_bytes(behind)
    heard: list[int] = []
    woken = anyio.Event()

    async def follow() -> None:
        async with aclosing(store.reader(STREAM).follow()) as following:
            async for one in following:
                heard.append(one.seq)
                woken.set()
                if one.seq == 3:
                    return

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            await woken.wait()
            assert heard == [1, 2]
            mark.write_bytes(newest)
    assert heard == [1, 2, 3]
    journal.close()


@pytest.mark.anyio
async def test_following_may_be_cancelled_at_any_time(store: Store) -> None:
    written(store, 3)
    heard: list[int] = []
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:

            async def follow() -> None:
                async with aclosing(store.reader(STREAM).follow(2)) as following:
                    async for one in following:
                        heard.append(one.seq)
                        if one.seq == 3:
                            tasks.cancel_scope.cancel()

            tasks.start_soon(follow)
    assert heard == [2, 3]


def test_followers_in_other_processes_hear_each_event_once_across_segments(store: Store, tmp_path: Path) -> None:
    journal = opened(store)
    fill(journal, 1)
    with child(FOLLOWER, tmp_path, 200) as one, child(FOLLOWER, tmp_path, 200) as other:
        assert [one.line(), other.line()] == ["1", "1"]
        fill(journal, 199)
        for follower in (one, other):
            assert [int(follower.line()) for _ in range(199)] == list(range(2, 201))
            assert follower.process.wait() == 0
    journal.close()
    assert len(segments(store)) > 10
