"""Damage to a small journal is seen, or it changes nothing: never a third outcome but the one that no rule can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.proof import plain
from tests.proof.disk import Disk
from tests.proof.sketch import FOLDER, SEGMENT, Sketch

UNIT = 1024


def written(seed: int) -> tuple[bytes, dict[str, bytes | None], tuple[bytes, ...], int]:
    """A journal's bytes, its MARK (newest, stale, missing), its records and where they end."""
    rng = Random(seed)
    disk = Disk()
    journal = Sketch(disk, UNIT)
    marks: list[bytes] = []
    for number in range(3):
        journal.append(b'"%d %s"' % (number, b"x" * rng.choice((0, 1, 30, 90))))
        marks.append(content_of(disk, FOLDER + "/MARK"))
    content = content_of(disk, SEGMENT)
    found = plain.opening(content, marks[-1], UNIT)
    return content, {"newest": marks[-1], "stale": marks[-2], "missing": None}, found.records, found.end


def content_of(disk: Disk, path: str) -> bytes:
    content = disk.image()[path]
    assert content is not None
    return content


def verdict(content: bytes, mark: bytes | None, records: tuple[bytes, ...]) -> str:
    found = plain.opening(content, mark, UNIT)
    if found.refused:
        return "refused"
    if found.records == records:
        return "right"
    if found.records != records[: len(found.records)]:
        return "silent"
    return "set aside" if found.torn else "undecidable"


def flips(content: bytes, end: int, rng: Random) -> Iterator[bytes]:
    """Every written bit, and a sample of the filler's."""
    places = [*range(end * 8), *rng.sample(range(end * 8, len(content) * 8), 200)]
    for place in places:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        yield bytes(damaged)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("which", ["newest", "stale", "missing"])
def test_no_flipped_bit_changes_what_is_read_in_silence(seed: int, which: str) -> None:
    content, marks, records, end = written(seed)
    outcomes = Counter(verdict(bad, marks[which], records) for bad in flips(content, end, Random(seed)))
    assert set(outcomes) == {"right", "refused"}
    assert outcomes["refused"] >= end * 8


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("which", ["newest", "stale", "missing"])
def test_a_journal_cut_short_is_refused_but_where_the_last_records_left_no_trace(seed: int, which: str) -> None:
    content, marks, records, end = written(seed)
    outcomes = Counter(verdict(content[:size], marks[which], records) for size in range(end))
    undecidable = {"newest": 0, "stale": 1, "missing": 3}[which]
    assert outcomes == Counter(refused=end - undecidable, undecidable=undecidable)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("which", ["newest", "stale", "missing"])
def test_an_acknowledged_end_that_turned_into_free_space_needs_a_current_mark_to_be_seen(seed: int, which: str) -> None:
    content, marks, records, end = written(seed)
    outcomes = Counter(verdict(content[:size].ljust(len(content), b"\n"), marks[which], records) for size in range(end))
    assert outcomes["silent"] == 0
    assert (outcomes["set aside"] + outcomes["undecidable"] == 0) == (which == "newest")


@pytest.mark.parametrize("which", ["newest", "stale", "missing"])
def test_lines_moved_repeated_removed_or_from_elsewhere_are_refused(which: str) -> None:
    content, marks, records, end = written(3)
    other = written(4)[2]
    header = content[: end - sum(map(len, records))]
    a, b, c = records
    for lines in ((b, a, c), (a, a, b, c), (a, c), (b, c), (a, other[1], c), (a, b, b, c), (c, b, a)):
        damaged = (header + b"".join(lines)).ljust(len(content), b"\n")
        assert verdict(damaged, marks[which], records) == "refused", lines
    for damaged in ((header + a + b + c + c), (header + a + b + c + other[0])):
        assert verdict(damaged.ljust(len(content), b"\n"), marks[which], records) == "refused"


@pytest.mark.parametrize("which", ["newest", "stale", "missing"])
def test_rot_of_the_last_record_with_a_torn_append_behind_it_is_refused(which: str) -> None:
    content, marks, records, end = written(5)
    last = end - len(records[-1])
    torn = plain.line_of(records[-1][-19:-3], 4, b'"events":["torn"]')
    for length in range(1, len(torn) - 2):
        for place in range(last * 8, end * 8, 7):
            damaged = bytearray((content[:end] + torn[:length]).ljust(len(content), b"\n"))
            damaged[place // 8] ^= 1 << place % 8
            assert verdict(bytes(damaged), marks[which], records) == "refused", (length, place)
