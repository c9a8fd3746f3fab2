"""The installed command, replaying a month, killed with SIGKILL again and again: its journal ends as if it never was.

The moment is drawn: after so many lines of output, and then a little later, wherever the process stands. A durable
reader follows it in a process of its own, and is killed as well: it has taken in each event exactly once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.parity.remembering import SEEN
from tests.support.replays import boundaries, decisions
from tickfold import Event
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.verify import verify
from tickfold_projections.active_signal import Flat, recover
from tickfold_projections.stream import named_reader

HERE = Path(__file__).parent
MONTH = HERE.parents[1].parent / "shared" / "data" / "btc-perp-1m-2022-01.csv"
SOURCE = [f"month=csv:{MONTH}"] if MONTH.exists() else ["month=sim:5", "--to", "2020-02-01"]
STREAM = Stream("month", "turning", "BTCUSDT")
KILLS = int(os.environ.get("TICKFOLD_KILLS", "60"))
"""How many in all; `make prove` asks for more."""


def replaying(data_dir: Path) -> subprocess.Popen[bytes]:
    options = ["--symbol", "BTCUSDT", "--data-dir", str(data_dir), "--clock", "replay", "--json"]
    return subprocess.Popen(
        [Path(sys.executable).with_name("tickfold"), "live", HERE / "turning.py", *options, "--exchange", *SOURCE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )


def replayed_to_the_end(data_dir: Path) -> list[Event]:
    with replaying(data_dir) as process:
        _, said = process.communicate()
    assert (process.returncode, said) == (0, b"")
    reader = Store(data_dir).reader(STREAM)
    assert verify(reader).damage is None
    return list(reader.read())


def killed(data_dir: Path, lines: int) -> bool:
    """Start, read so many lines, kill; False where it ended before that."""
    with replaying(data_dir) as process:
        assert process.stdout is not None
        for _ in range(lines):
            if not process.stdout.readline():
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def remembering(data_dir: Path) -> subprocess.Popen[bytes]:
    """The durable reader, which has caught up and follows."""
    process = subprocess.Popen(
        [sys.executable, HERE / "remembering.py", data_dir, *STREAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"caught up\n", process.communicate()[1].decode()
    return process


@pytest.mark.parametrize("part", range(2))
def test_killed_at_random_moments_a_replay_ends_as_if_it_never_was(part: int, tmp_path: Path) -> None:
    dice = Random(part)
    expected = replayed_to_the_end(tmp_path / "never killed")
    kills = reader_kills = alive = 0
    data_dir = tmp_path / "killed"
    while kills < KILLS // 2:
        reader = remembering(data_dir) if kills and data_dir.exists() else None
        ended = not killed(data_dir, dice.randint(2, 2 * len(expected) // KILLS))
        if reader is not None:
            reader.kill()
            reader.communicate()
            reader_kills += 1
        if ended:
            data_dir = tmp_path / f"killed, then ended, {kills}"  # it came to its end: kill another one from its start
            continue
        kills += 1
        newest_first = (record.events for record in Store(data_dir).reader(STREAM).read_backwards())
        alive += not isinstance(recover(newest_first).state, Flat)
    events = replayed_to_the_end(data_dir)
    told = f"{kills} kills, {alive} of them with a signal alive, {reader_kills} of the reader"
    print(f"part {part}: {told}, {len(events)} events")
    assert decisions(events) == decisions(expected)
    assert boundaries(events) == boundaries(expected)
    assert alive > 0
    assert named_reader(Store(data_dir), STREAM, SEEN).catch_up() == SEEN.fold(events, SEEN.initial)
