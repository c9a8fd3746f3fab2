"""Journals of every version of the format, kept as they were written: they are read for ever.

`python -m tests.eventstore.test_golden` writes the folder of the newest version where it is not there yet.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.eventstore.samples import AT, KINDS, SMALL, STREAM, contents, event, everything, long_event
from tickfold_eventstore import Event, Store
from tickfold_eventstore.verify import verify

GOLDEN = Path(__file__).with_name("golden")
RECORDS: tuple[tuple[Event, ...], ...] = (
    KINDS[:2],
    *((one,) for one in KINDS[2:5]),
    KINDS[5:],
    (event(8),),
    (long_event(9, 3000),),
    (event(10), event(11)),
)
"""What was appended to each, record by record: enough for a seal and a second segment."""


def write(data_dir: Path) -> Store:
    store = Store(data_dir, layout=SMALL)
    journal, _ = store.open(STREAM, everything)
    for record in RECORDS:
        journal.append(record, expected_seq=record[0].seq - 1)
    journal.close()
    return store


def versions() -> list[Path]:
    return sorted(GOLDEN.glob("version-*"))


@pytest.mark.parametrize("golden", versions(), ids=lambda path: path.name)
def test_a_golden_journal_is_read_whole(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden, tmp_path / "data")
    store = Store(tmp_path / "data", layout=SMALL)
    before = contents(tmp_path)
    verdict = verify(store.reader(STREAM))
    assert (verdict.damage, verdict.records, verdict.segments, verdict.torn) == (None, len(RECORDS), 2, 0)
    assert store.streams() == [STREAM]
    assert [record.events for record in store.reader(STREAM).records()] == list(RECORDS)
    assert [record.events for record in store.reader(STREAM).read_backwards()] == list(reversed(RECORDS))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("golden", versions(), ids=lambda path: path.name)
def test_a_golden_journal_is_opened_and_goes_on(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden, tmp_path / "data")
    store = Store(tmp_path / "data", layout=SMALL)
    journal, records = store.open(STREAM, everything)
    assert (records, journal.recovered) == (list(reversed(RECORDS)), None)
    journal.append([event(12)], expected_seq=11)
    journal.close()
    assert list(store.reader(STREAM).read(12)) == [event(12)]


def test_the_same_appends_write_the_newest_one_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path / "data")
    assert contents(tmp_path / "data") == contents(versions()[-1])


def test_a_golden_journal_holds_what_is_hard_to_write(tmp_path: Path) -> None:
    assert {type(one) for record in RECORDS for one in record} == {type(one) for one in KINDS}
    assert all(one.recorded_at in {AT, AT + 2_000} for record in RECORDS for one in record)


if __name__ == "__main__":
    write(GOLDEN / "version-1")
