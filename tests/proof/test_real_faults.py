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

import attrs
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


@attrs.frozen
class Kind:
    """A file system: how it is made, the least size of a device that it takes and how much of it is written, in MiB,
    and whether it writes a block where it stands."""

    make: tuple[str, ...]
    device: int = 64
    written: int = 24
    in_place: bool = True


KINDS = {
    "ext4": Kind(("mkfs.ext4", "-q", "-F", "-b", "4096")),
    "ext3": Kind(("mkfs.ext3", "-q", "-F", "-b", "4096")),
    "ext2": Kind(("mkfs.ext2", "-q", "-F", "-b", "4096")),
    "xfs": Kind(("mkfs.xfs", "-q", "-f"), device=320, written=96),
    "btrfs": Kind(("mkfs.btrfs", "-q", "-f"), device=256, written=48, in_place=False),
}


@mounting
@pytest.mark.parametrize("kind", KINDS)
def test_a_sync_that_fails_on_a_real_device_poisons_the_stream(kind: str, tmp_path: Path) -> None:
    """The device is a sparse file on a full disk: a block that it does not have yet cannot be written.

    Records end where its first block ends: the loop device answers a write of which half was taken as done.
    """
    made = KINDS[kind]
    missing = [tool for tool in (made.make[0], "fallocate", "filefrag") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    backing, home = tmp_path / "backing", tmp_path / "home"
    backing.mkdir()
    home.mkdir()
    image = backing / "image"
    with ExitStack() as ends:
        mounted(ends, backing, "-t", "tmpfs", "-o", f"size={made.written}m", "none")
        with image.open("wb") as file:
            file.truncate(made.device << 20)
        subprocess.run([*made.make, str(image)], check=True)
        with ExitStack() as mounting_once:
            mounted(mounting_once, home, "-o", "loop", str(image))
            assert told(scene("pad", home / "data")) == {"records": 5, "bytes": 4096}
            writer = scene("append", home / "data", 60)
            assert writer.stdout is not None
            assert writer.stdout.readline() == "5\n"
            if made.in_place:
                take_away(image, segment_of(home))
            fill_up(backing)
            there = told(writer, "\n")
            assert there["raised"] == ["JournalPoisoned", "JournalPoisoned", "JournalPoisoned"]
            assert made.in_place is False or there["records"] == 5
            (backing / "ballast").unlink()
        mounted(ends, home, "-o", "loop", str(image))
        after = opened(WIDE, LinuxFiles(), str(home / "data"))
        assert len(after.told) in {there["records"], there["records"] + 1}
        after.append(WIDE.record(len(after.told), 10))
        after.close()


def device_mapper_can_fail() -> bool:
    if shutil.which("dmsetup") is None or shutil.which("losetup") is None or os.geteuid() != 0:
        return False
    told_of = subprocess.run(["dmsetup", "targets"], capture_output=True, text=True, check=False)
    return re.search(r"^error\b", told_of.stdout, re.MULTILINE) is not None


@mounting
@pytest.mark.skipif(not device_mapper_can_fail(), reason="the kernel's device mapper, or its error target, is missing")
def test_a_device_that_fails_from_one_moment_on_poisons_the_stream(tmp_path: Path) -> None:
    image, home, name = tmp_path / "image", tmp_path / "home", f"tickfold-{os.getpid()}"
    home.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)

    def done(*words: object, **given: Any) -> str:
        run = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True, **given)
        return str(run.stdout).strip()

    def becomes(target: str) -> None:
        done("dmsetup", "suspend", "--noflush", "--nolockfs", name)
        done("dmsetup", "load", name, input=target)
        done("dmsetup", "resume", name)

    with ExitStack() as ends:
        loop = done("losetup", "--find", "--show", image)
        ends.callback(done, "losetup", "--detach", loop)
        works, fails = f"0 {128 << 10} linear {loop} 0\n", f"0 {128 << 10} error\n"
        done("dmsetup", "create", name, input=works)
        ends.callback(done, "dmsetup", "remove", "--retry", name)
        done("mkfs.ext4", "-q", "-F", f"/dev/mapper/{name}")
        with ExitStack() as mounting_once:
            mounted(mounting_once, home, f"/dev/mapper/{name}")
            told(scene("pad", home / "data"))
            writer = scene("append", home / "data", 60)
            assert writer.stdout is not None
            assert writer.stdout.readline() == "5\n"
            becomes(fails)
            assert told(writer, "\n") == {"records": 5, "raised": ["JournalPoisoned"] * 3}
        becomes(works)
        mounted(ends, home, f"/dev/mapper/{name}")
        after = opened(WIDE, LinuxFiles(), str(home / "data"))
        assert len(after.told) in {5, 6}
        after.close()


def segment_of(home: Path) -> Path:
    return next(home.rglob("*.jsonl"))


def take_away(image: Path, segment: Path) -> None:
    """Take the blocks of the segment behind its first from the device."""
    told_of = subprocess.run(["filefrag", "-v", "-b4096", str(segment)], capture_output=True, text=True, check=True)
    found = re.search(r"^\s*0:\s+0\.\.\s*(\d+):\s+(\d+)\.\.", told_of.stdout, re.MULTILINE)
    assert found, told_of.stdout
    last, first = int(found[1]), int(found[2])
    hole = ["--offset", str((first + 1) * 4096), "--length", str(last * 4096)]
    subprocess.run(["fallocate", "--punch-hole", *hole, str(image)], check=True)


def fill_up(backing: Path) -> None:
    """Fill the disk that the device lies on."""
    with pytest.raises(OSError, match="No space left"), (backing / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
