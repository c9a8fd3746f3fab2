"""The protocol holds on the disk that lies, and each of its steps is needed."""

from __future__ import annotations

import pytest

from tests.proof import plain
from tests.proof.lives import script_of, shrunk, tried
from tests.proof.sketch import trial

WHOLE = trial()

FAULTS = (
    "no directory sync",
    "no directory sync at open",
    "a new segment is renamed before its sync",
    "an extension is not synced",
    "an append grows the file",
    "no sync of a record",
    "sync before write",
    "MARK before the record's sync",
    "a torn tail is refused",
    "the tail is believed before it is written again",
    "no sync after recovery",
)


def test_the_line_of_the_format_page_is_written_exactly() -> None:
    line = plain.line_of(plain.ZERO, 123, b'"events":[{"action":"opened","v":1}]', 1730000000123456)
    assert line == (
        b'{"n":   116,"seq":         123,"t":"1730000000123456","events":[{"action":"opened","v":1}],'
        b' "h":"e865bc97cd9b7fad"}\n'
    )
    assert plain.is_whole(line)
    assert plain.mark_in(plain.mark_of(13, b"78baed294120e23b")) == (13, b"78baed294120e23b")
    assert plain.mark_of(13, b"78baed294120e23b") == b'{"seq":          13,"h":"78baed294120e23b","c":"deb30cab"}\n'


def test_no_power_cut_loses_a_record_or_locks_the_user_out() -> None:
    findings = [tried(script_of(seed, WHOLE.sizes), WHOLE) for seed in range(12)]
    assert [finding.faults for finding in findings if finding.faults] == []
    assert sum(finding.states for finding in findings) > 500


@pytest.mark.parametrize("fault", FAULTS)
def test_the_disk_finds_out_each_step_that_is_left_out(fault: str) -> None:
    assert any(tried(script_of(seed, WHOLE.sizes), trial(fault)).faults for seed in range(60))


def test_one_byte_that_did_not_land_inside_a_sector_is_refused_and_counted() -> None:
    assert sum(tried(script_of(seed, WHOLE.sizes), WHOLE).holes for seed in range(12)) > 0


def test_a_fault_is_shrunk_to_a_script_that_still_shows_it() -> None:
    faulty = trial("no sync of a record")
    long = next(script for seed in range(60) if tried(script := script_of(seed, WHOLE.sizes), faulty).faults)
    short = shrunk(long, faulty)
    assert tried(short, faulty).faults
    assert sum(len(life.steps) for life in short.lives) <= 2
    assert tried(short, WHOLE).faults == ()
