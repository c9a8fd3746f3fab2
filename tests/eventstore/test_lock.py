"""One writer a stream, whoever asks: in this process, in another, in a child; and nobody once it is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.eventstore.samples import STREAM, directory, event, everything, fill, opened
from tickfold_eventstore import JournalClosed, Store, Stream, StreamHeld
from tickfold_eventstore.lock import Holder

WRITER = """
import sys
from tests.eventstore.samples import fill, opened
from tickfold_eventstore import Store, StreamHeld
try:
    journal = opened(Store(sys.argv[1]))
except StreamHeld as held:
    print(held.holder)
else:
    fill(journal, 2)
    print("open", flush=True)
    sys.stdin.read()
"""


def in_another(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_writer_in_this_process_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    with pytest.raises(StreamHeld) as raised:
        opened(store)
    assert raised.value.stream == str(STREAM)
    assert raised.value.holder.startswith(f"pid {os.getpid()} on {socket.gethostname()}, since 20")
    fill(journal, 1)
    journal.close()


def test_another_stream_is_free(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, other = opened(store), opened(store, Stream("sim-3", "w", "B"))
    fill(one, 1)
    fill(other, 1)
    one.close()
    other.close()


def test_after_a_close_it_is_free(tmp_path: Path) -> None:
    store = Store(tmp_path)
    opened(store).close()
    opened(store).close()


def test_an_opening_that_fails_gives_it_back(tmp_path: Path) -> None:
    def failing(records: object) -> None:
        raise RuntimeError("the caller's fold")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="the caller's fold"):
        store.open(STREAM, failing)
    opened(store).close()


def test_a_writer_in_another_process_is_refused_with_our_pid(tmp_path: Path) -> None:
    journal = opened(Store(tmp_path))
    with in_another(tmp_path) as other:
        assert said(other).startswith(f"pid {os.getpid()} on ")
    journal.close()


def test_a_killed_writer_holds_nothing_and_its_records_are_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with in_another(tmp_path) as other:
        assert said(other) == "open"
        with pytest.raises(StreamHeld, match=f"pid {other.pid} on"):
            opened(store)
        other.kill()
    assert store.reader(STREAM).holder() is None
    journal, records = store.open(STREAM, everything)
    assert records == [(event(2),), (event(1),)]
    journal.close()


def test_LOCK_says_who_it_is_and_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    opened(store).close()
    told = msgspec.json.decode((directory(store) / "LOCK").read_bytes(), type=Holder)
    assert (told.pid, told.host) == (os.getpid(), socket.gethostname())


def test_a_LOCK_that_says_nothing_is_a_lock(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    (directory(store) / "LOCK").write_bytes(b"\xff")
    with pytest.raises(StreamHeld) as raised:
        opened(store)
    assert raised.value.holder == "a process that has not said who it is"
    journal.close()


def in_child(call: Callable[[], object]) -> str:
    """What a call in a forked child raises, or returns, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            text = f"{call()}"
        except Exception as error:  # noqa: BLE001  # whatever it is, the parent shall see it
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    assert os.waitpid(child, 0) == (child, 0)
    return text


def test_a_forked_child_may_not_write_and_its_parent_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    fill(journal, 1)
    refused = in_child(lambda: journal.append([event(2)], expected_seq=1))
    assert refused == f"{JournalClosed.__name__}: {STREAM}: it belongs to the process that forked this one"
    assert in_child(lambda: opened(store)).startswith(
        f"StreamHeld: {STREAM} is held by another process (pid {os.getpid()}"
    )
    fill(journal, 2)
    assert [one.seq for one in journal.read()] == [1, 2, 3]
    journal.close()


def test_a_child_that_closes_its_copy_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    fill(journal, 1)
    size = (directory(store) / f"{1:020d}.jsonl").stat().st_size
    assert in_child(journal.close) == "None"
    assert (directory(store) / f"{1:020d}.jsonl").stat().st_size == size
    with pytest.raises(StreamHeld):
        opened(store)
    fill(journal, 1)
    journal.close()


def test_a_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = opened(store)
    read, write = os.pipe()
    up, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.write(told, b"!")
        os.read(read, 1)  # until the parent has closed its end
        os._exit(0)
    os.close(read)
    os.read(up, 1)
    journal.close()
    opened(store).close()
    for end in (write, up, told):
        os.close(end)
    assert os.waitpid(child, 0) == (child, 0)
