"""Real processes, real limits, real full and failing disks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.proof.kept import Code, opened
from tests.proof.racing import WIDE
from tests.proof.test_kills import kept_its_promise
from tickfold_eventstore.files import LinuxFiles

ROOT = Path(__file__).parents[2]
CODE = Code()


def scene(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.proof.racing", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "eventstore")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str], words: str = "") -> Any:
    out, error = process.communicate(words)
    assert process.returncode == 0, error
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("number", [2, 20])
def test_of_processes_that_race_for_a_stream_one_wins_and_the_others_are_told_so(number: int, tmp_path: Path) -> None:
    for _ in range(5):
        answers = sorted(told(scene("race", tmp_path, number)))
        assert [answer.split()[0] for answer in answers] == ["held"] * (number - 1) + ["won"]


@pytest.mark.parametrize("limit", range(4, 16))
def test_too_few_descriptors_lose_nothing(limit: int, tmp_path: Path) -> None:
    there = told(scene("few", tmp_path / "data", limit))
    assert kept_its_promise(there)
    assert there["ended"] in {"", "OSError", "AppendRefused"}


def test_a_clock_that_runs_backwards_is_written_down_as_it_ran(tmp_path: Path) -> None:
    subject = opened(CODE, LinuxFiles(), str(tmp_path))
    events = [(CODE.event(seq, "x", minute=10 - seq),) for seq in (1, 2, 3)]
    for event in events:
        subject.append(event)
    subject.close()
    again = opened(CODE, LinuxFiles(), str(tmp_path))
    assert again.told == tuple(events)
    again.close()


def test_a_file_that_cannot_be_looked_for_is_not_taken_for_absent(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    files = LinuxFiles()
    assert [files.exists(str(tmp_path / name)) for name in ("loop", "none", "none/none")] == [True, False, False]
    with pytest.raises(OSError, match="Too many levels"):
        files.exists(str(tmp_path / "loop" / "MARK"))


# A disk of our own, for who may mount.

mounting = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root may mount")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory of 1 MiB."""
    with ExitStack() as ends:
        mounted(ends, tmp_path, "-t", "tmpfs", "-o", "size=1m", "none")
        yield tmp_path


def mounted(ends: ExitStack, place: Path, *words: str) -> None:
    done = subprocess.run(["mount", *words, str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    ends.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)


@mounting
def test_a_disk_that_runs_full_refuses_an_append_and_takes_the_next_once_there_is_room(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(512 << 10))
    there = told(scene("fill", small_disk / "data"))
    assert "No space left" in there["refused"]
    assert there["records"] > 50
    assert there["after"] == there["records"] + 1


@mounting
@pytest.mark.parametrize("kind", ["ext4", "ext2"])
def test_a_sync_that_fails_on_a_real_device_poisons_the_stream(kind: str, tmp_path: Path) -> None:
    """The device is a sparse file on a full disk: a block that it does not have yet cannot be written.

    Records end where its first block ends: the loop device answers a write of which half was taken as done.
    """
    make = shutil.which(f"mkfs.{kind}")
    if make is None or shutil.which("fallocate") is None or shutil.which("filefrag") is None:
        pytest.skip(f"mkfs.{kind}, filefrag or fallocate is missing")
    backing, home = tmp_path / "backing", tmp_path / "home"
    backing.mkdir()
    home.mkdir()
    image = backing / "image"
    with ExitStack() as ends:
        mounted(ends, backing, "-t", "tmpfs", "-o", "size=24m", "none")
        with image.open("wb") as file:
            file.truncate(64 << 20)
        subprocess.run([make, "-q", "-F", "-b", "4096", str(image)], check=True)
        mounted(ends, home, "-o", "loop", str(image))
        assert told(scene("pad", home / "data")) == {"records": 5, "bytes": 4096}
        writer = scene("append", home / "data", 60)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "5\n"
        take_away(image, segment_of(home), backing)
        there = told(writer, "\n")
        assert there["records"] == 5
        assert there["raised"] == ["JournalPoisoned", "JournalPoisoned", "JournalPoisoned"]
        (backing / "ballast").unlink()
        after = opened(WIDE, LinuxFiles(), str(home / "data"))
        assert len(after.told) in {5, 6}
        after.append(WIDE.record(len(after.told), 10))
        after.close()


def segment_of(home: Path) -> Path:
    return next(home.rglob("*.jsonl"))


def take_away(image: Path, segment: Path, backing: Path) -> None:
    """Take the blocks of the segment behind its first from the device, and fill the disk that the device lies on."""
    told_of = subprocess.run(["filefrag", "-v", "-b4096", str(segment)], capture_output=True, text=True, check=True)
    found = re.search(r"^\s*0:\s+0\.\.\s*(\d+):\s+(\d+)\.\.", told_of.stdout, re.MULTILINE)
    assert found, told_of.stdout
    last, first = int(found[1]), int(found[2])
    hole = ["--offset", str((first + 1) * 4096), "--length", str(last * 4096)]
    subprocess.run(["fallocate", "--punch-hole", *hole, str(image)], check=True)
    with pytest.raises(OSError, match="No space left"), (backing / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
