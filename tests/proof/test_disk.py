"""The simulated disk promises what POSIX promises, and nothing more."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.proof.disk import Disk, Image
from tests.proof.powercut import power_cuts
from tickfold_eventstore.files import Files

MANY = 4_000


def outcomes(disk: Disk, budget: int = MANY) -> list[Image]:
    return [cut.image for cut in power_cuts(disk, Random(1), budget)]


def contents(disk: Disk, path: str) -> set[bytes | None]:
    return {image.get(path, b"(absent)") for image in outcomes(disk)}


def synced(disk: Disk, path: str, content: bytes) -> int:
    file = disk.open(path, create=True)
    disk.pwrite(file, content, 0)
    disk.sync(file)
    disk.sync(disk.open("/"))
    return file


def test_the_disk_is_what_the_store_asks_of_one() -> None:
    files: Files = Disk()
    files.mkdir("/d")
    assert (files.exists("/d"), files.listdir("/"), files.poisoned) == (True, ["d"], set())


def test_what_was_synced_is_all_that_a_power_cut_can_leave() -> None:
    disk = Disk()
    synced(disk, "/a", b"kept")
    assert outcomes(disk) == [{"/a": b"kept"}]


def test_sectors_land_in_any_subset_and_a_prefix_stops_at_any_byte() -> None:
    disk = Disk(sector=2)
    file = synced(disk, "/a", b"......")
    disk.pwrite(file, b"ABCDEF", 0)
    found = contents(disk, "/a")
    assert {b"......", b"AB....", b"..CD..", b"....EF", b"AB..EF", b"..CDEF", b"ABCD..", b"ABCDEF"} <= found
    assert {b"A.....", b"ABC...", b"ABCDE."} <= found


def test_a_sector_written_twice_lands_as_any_of_its_versions() -> None:
    disk = Disk(sector=2)
    file = synced(disk, "/a", b"..")
    disk.pwrite(file, b"AA", 0)
    disk.pwrite(file, b"BB", 0)
    assert {b"..", b"AA", b"BB"} <= contents(disk, "/a")


def test_a_size_lands_before_its_contents_or_after_them() -> None:
    disk = Disk(sector=2)
    file = synced(disk, "/a", b"..")
    disk.pwrite(file, b"AB", 2)
    assert {b"..", b"..\0\0", b"..AB"} <= contents(disk, "/a")
    disk.truncate(file, 1)
    assert {b".", b"..", b"..\0\0", b"..AB"} <= contents(disk, "/a")


def test_a_name_needs_its_directorys_sync_and_its_content_a_sync_of_its_own() -> None:
    disk = Disk()
    file = disk.open("/a", create=True)
    disk.pwrite(file, b"x", 0)
    disk.sync(file)
    assert contents(disk, "/a") == {b"(absent)", b"x"}
    other = disk.open("/b", create=True)
    disk.pwrite(other, b"y", 0)
    disk.sync(disk.open("/"))
    assert {b"", b"\0", b"y"} == contents(disk, "/b")


def test_a_rename_lands_with_either_name_with_both_or_with_none() -> None:
    disk = Disk()
    synced(disk, "/a.tmp", b"x")
    disk.rename("/a.tmp", "/a")
    names = {tuple(sorted(image)) for image in outcomes(disk)}
    assert names == {("/a",), ("/a.tmp",), ("/a", "/a.tmp"), ()}
    disk.sync(disk.open("/"))
    assert outcomes(disk) == [{"/a": b"x"}]


def test_a_folder_that_did_not_land_takes_along_what_was_synced_in_it() -> None:
    disk = Disk()
    disk.mkdir("/d")
    synced(disk, "/d/a", b"x")
    folder = disk.open("/d")
    disk.sync(folder)
    again = Disk()
    again.mkdir("/d")
    file = again.open("/d/a", create=True)
    again.sync(file)
    again.sync(again.open("/d"))
    assert {tuple(sorted(image)) for image in outcomes(again)} == {(), ("/d", "/d/a")}


def test_renames_in_one_folder_land_in_any_order() -> None:
    disk = Disk()
    synced(disk, "/a.tmp", b"1")
    synced(disk, "/b.tmp", b"2")
    disk.rename("/a.tmp", "/a")
    disk.rename("/b.tmp", "/b")
    names = {tuple(sorted(image)) for image in outcomes(disk)}
    assert ("/a.tmp", "/b") in names
    assert ("/a", "/b.tmp") in names


def test_a_failed_sync_shows_in_the_cache_what_the_disk_never_got() -> None:
    lost = 0
    for seed in range(20):
        disk = Disk(sector=2)
        file = synced(disk, "/a", b"....")
        disk.pwrite(file, b"ABCD", 0)
        disk.file(file).lose(Random(seed))
        assert disk.pread(file, 4, 0) == b"ABCD"
        disk.sync(file)
        left = outcomes(disk)
        assert len(left) == 1
        disk.evict(file)
        assert disk.pread(file, 4, 0) == left[0]["/a"]
        lost += left[0]["/a"] != b"ABCD"
    assert 0 < lost < 20


def test_a_killed_process_loses_nothing_and_frees_its_lock() -> None:
    disk = Disk()
    file = synced(disk, "/a", b"..")
    assert disk.lock(file)
    other = disk.open("/a")
    assert not disk.lock(other)
    assert disk.locked(other)
    assert not disk.locked(file)
    disk.pwrite(file, b"AB", 0)
    disk.die()
    again = disk.open("/a")
    assert disk.lock(again)
    assert disk.pread(again, 2, 0) == b"AB"
    with pytest.raises(OSError, match="Bad file descriptor"):
        disk.pread(file, 2, 0)


def test_one_byte_that_did_not_land_inside_a_write_is_marked_as_a_hole() -> None:
    disk = Disk(sector=4)
    file = synced(disk, "/a", b"." * 12)
    disk.pwrite(file, b"ABCDEFGHIJKL", 0)
    cuts = list(power_cuts(disk, Random(2), MANY))
    holes = {cut.image["/a"] for cut in cuts if cut.hole}
    assert {b"ABC.EFGHIJKL", b"ABCDEFG.IJKL"} <= holes
    assert all(image is not None and re.match(rb"[A-Z]+\.[A-Z]", image) for image in holes)
