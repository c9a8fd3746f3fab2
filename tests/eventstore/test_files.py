"""The seam to the disk: what Linux and macOS need, which file systems are refused, and what works on neither."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventstore.samples import STREAM, everything, fill, opened, written
from tickfold_eventstore import Store, StreamHeld, UnsupportedPlatform
from tickfold_eventstore import files as seam
from tickfold_eventstore.files import Files, LinuxFiles, MacFiles, file_system_of

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:30 / /srv rw - nfs4 server:/srv rw
24 23 0:31 / /srv/fast rw - xfs /dev/vdb rw
25 22 0:32 / /mnt/my\\040disk\\134x rw - 9p host rw
26 22 0:33 / /mnt/données rw - cifs //host/x rw
27 22 0:34 / /far rw - ext4 /dev/vdc rw
28 22 0:35 / /far rw - nfs server:/far rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/data", "nfs4"),
        ("/srvdata", "ext4"),
        ("/srv/fast/data", "xfs"),
        ("/mnt/my disk\\x/data", "9p"),
        ("/mnt/données/data", "cifs"),
        ("/far/data", "nfs"),
    ],
)
def test_the_innermost_and_newest_mount_says_the_kind(path: str, kind: str) -> None:
    assert file_system_of(path, MOUNTS) == kind


def test_what_no_mount_says_is_not_known() -> None:
    assert file_system_of("relative", MOUNTS) == ""
    assert file_system_of("/x", "") == ""


def test_the_machine_says_something_of_the_working_directory() -> None:
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        pytest.skip("only Linux has it")
    assert file_system_of(str(Path.cwd().resolve()), os.fsdecode(mounts.read_bytes()))


@pytest.fixture
def on_nfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of which the machine says that it lies on a network file system."""
    network = tmp_path / "network"
    network.mkdir()
    mounts = f"1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path.resolve()}/network rw - nfs4 server:/ rw\n"
    read = Path.read_bytes

    def told(path: Path) -> bytes:
        return mounts.encode() if str(path) == "/proc/self/mountinfo" else read(path)

    monkeypatch.setattr(Path, "read_bytes", told)
    return network


def test_a_network_file_system_is_refused_before_anything_is_made(on_nfs: Path) -> None:
    with pytest.raises(UnsupportedPlatform, match="nfs4 is a network file system, on which locks and syncs cannot be"):
        opened(Store(on_nfs / "data", files=LinuxFiles()))
    assert list(on_nfs.iterdir()) == []


def test_a_link_does_not_hide_it(on_nfs: Path) -> None:
    link = on_nfs.parent / "link"
    link.symlink_to(on_nfs)
    with pytest.raises(UnsupportedPlatform, match="nfs4 is a network file system"):
        opened(Store(link, files=LinuxFiles()))


def test_a_disk_beside_it_is_taken(on_nfs: Path) -> None:
    written(Store(on_nfs.parent / "disk", files=LinuxFiles()), 1)


# What macOS needs, tried with a fake of its one call.


@pytest.fixture
def full_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that were synced as macOS does it; another sync is an error."""
    seen: list[int] = []

    def called(descriptor: int, command: int, argument: object = 0) -> int:
        assert command == MacFiles.FULLFSYNC == 51
        seen.append(descriptor)
        return 0

    def forbidden(descriptor: int) -> None:
        raise AssertionError("fsync does not reach the platter there")

    monkeypatch.setattr(fcntl, "fcntl", called)
    monkeypatch.setattr(os, "fsync", forbidden)
    monkeypatch.setattr(os, "fdatasync", forbidden)
    return seen


def test_on_a_mac_every_append_is_synced_to_the_platter(full_syncs: list[int], tmp_path: Path) -> None:
    store = Store(tmp_path, files=MacFiles())
    journal = opened(store)
    fill(journal, 1)
    before = len(full_syncs)
    fill(journal, 3)
    assert len(full_syncs) - before == 3
    journal.close()
    again, records = store.open(STREAM, everything)
    assert [one.seq for record in records for one in record] == [4, 3, 2, 1]
    again.close()


def test_on_a_mac_a_stream_has_one_writer_and_readers_see_who(full_syncs: list[int], tmp_path: Path) -> None:
    store = Store(tmp_path, files=MacFiles())
    journal = opened(store)
    fill(journal, 2)
    with pytest.raises(StreamHeld, match=f"pid {os.getpid()}"):
        opened(Store(tmp_path, files=MacFiles()))
    reader = store.reader(STREAM)
    assert (reader.holder() or "").startswith(f"pid {os.getpid()} on ")
    journal.close()
    assert reader.holder() is None
    assert [one.seq for one in reader.read()] == [1, 2]


# The choice, and what is left where there is none.


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", LinuxFiles), ("linux2", LinuxFiles), ("darwin", MacFiles), ("win32", None)]
)
def test_the_platform_chooses_its_disk(
    platform: str, kind: type[Files] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "_HERE", [])
    monkeypatch.setattr(sys, "platform", platform)
    if kind is None:
        with pytest.raises(UnsupportedPlatform, match="Linux and macOS; backtests run here"):
            seam.files_here()
    else:
        assert type(seam.files_here()) is kind
        assert seam.files_here() is seam.files_here()


ELSEWHERE = """
import sys
import numpy
import tickfold_eventstore.files, tickfold  # what the system's own modules choose by is chosen
sys.platform = "win32"
from tickfold import Backtest, Signal
from tickfold.strategy import Strategy
from tickfold.exchanges import as_exchange
from tickfold_eventstore import Store, Stream, UnsupportedPlatform
from tickfold import Candles

count = 400
time = 1_704_067_200_000 + numpy.arange(count, dtype=numpy.int64) * 60_000
price = numpy.full(count, 100.0)
candles = Candles(time=time, open=price, high=price + 1, low=price - 1, close=price, volume=price)
trade = Strategy("t", lambda ctx: Signal.long(take_profit=ctx.price * 1.008, stop_loss=90.0, lifetime=60), "1h", {})
print(len(Backtest().execute("A", strategy=trade, exchange=candles).closed) > 0)
try:
    Store("data").open(Stream("x", "s", "A"), lambda records: None)
except UnsupportedPlatform as refused:
    print(refused)
"""


def test_where_no_journal_can_be_kept_backtests_still_run(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        0,
        "True\ncannot keep a journal at win32: Tickfold keeps journals on Linux and macOS; backtests run here\n",
        "",
    )
    assert list(tmp_path.iterdir()) == []
