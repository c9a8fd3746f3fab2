"""The files of the archive: what stands in them, how they grow, and what a killed or a second writer does."""

from __future__ import annotations

import builtins
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.archive.shelves import FEBRUARY, JANUARY, MARCH, at, minutes, of_rows, shelf_in
from tests.exchanges.loopback import MINUTE, candle
from tickfold.archive import Archive, Shelf, digest, month_name, month_of, months_between
from tickfold.archive.parquet import apart
from tickfold.archive.shelf import Added, gaps, merge
from tickfold.candles import Candle, Candles
from tickfold.errors import BadCandleFile, ExtraMissing
from tickfold.keeping.verify import verify


def test_months_are_those_of_the_calendar_in_utc() -> None:
    assert [month_name(month) for month in months_between(JANUARY - 1, MARCH + 1)] == [
        "2023-12",
        "2024-01",
        "2024-02",
        "2024-03",
    ]
    assert [month_of(FEBRUARY - 1), month_of(FEBRUARY), month_of(MARCH - 1)] == [JANUARY, FEBRUARY, FEBRUARY]
    assert list(months_between(FEBRUARY, FEBRUARY)) == []


def test_what_was_added_is_read_back_bit_for_bit_from_a_file_a_month(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    around = [(FEBRUARY - JANUARY) // MINUTE + step for step in (-2, -1, 0, 1)]
    given = minutes(*around)
    assert shelf.add(given) == Added(4)
    assert shelf.months() == [JANUARY, FEBRUARY]
    assert [shelf.kept(month).candles for month in shelf.months()] == [given[:2], given[2:]]
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*.parquet"))] == [
        "exchange=x/symbol=BTC%2FUSDT/2024-01.parquet",
        "exchange=x/symbol=BTC%2FUSDT/2024-02.parquet",
    ]


def test_an_archive_says_what_it_holds(tmp_path: Path) -> None:
    for exchange, symbol in (("b", "BTC/USDT"), ("a", "../é"), ("a", ".")):
        shelf_in(tmp_path, exchange, symbol).add(minutes(0))
    archive = Archive(tmp_path)
    assert archive.exchanges() == ["a", "b"]
    assert [(shelf.exchange, shelf.symbol) for shelf in archive.shelves()] == [
        ("a", "."),
        ("a", "../é"),
        ("b", "BTC/USDT"),
    ]
    assert Archive(tmp_path / "nothing").shelves() == []


def test_a_file_is_plain_parquet_that_says_whose_candles_it_holds(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0, 1), [(at(0), at(3))])
    table = pq.read_table(shelf.path_of(JANUARY), partitioning=None)  # pyright: ignore[reportArgumentType]  # it may be None
    assert {field.name: (str(field.type), field.nullable) for field in table.schema} == {
        "time": ("timestamp[ms, tz=UTC]", False),
        **dict.fromkeys(("open", "high", "low", "close", "volume"), ("double", False)),
    }
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (row["time"], *candle(minute)[1:]) for minute, row in enumerate(table.to_pylist())
    ]
    assert json.loads(table.schema.metadata[b"tickfold"]) == {
        "format": 1,
        "exchange": "x",
        "symbol": "BTC/USDT",
        "asked": [[at(0), at(3)]],
        "sha256": digest(minutes(0, 1)),
    }


def test_the_layout_is_one_that_other_programs_take_for_columns(tmp_path: Path) -> None:
    shelf_in(tmp_path, "a", "BTC/USDT").add(minutes(0, 1))
    shelf_in(tmp_path, "b", "ETH").add(minutes(2))
    (tmp_path / "exchange=b" / "symbol=ETH" / ".2024-01.parquet.tmp").write_bytes(b"half")
    table = pq.read_table(tmp_path, partitioning="hive")
    assert sorted(zip(table["exchange"].to_pylist(), table["symbol"].to_pylist(), strict=True)) == [
        ("a", "BTC/USDT"),
        ("a", "BTC/USDT"),
        ("b", "ETH"),
    ]


def test_equal_candles_have_equal_digests_and_others_have_not() -> None:
    assert digest(minutes(0, 1)) == digest(minutes(0, 1, 2)[:2])
    assert digest(minutes(0, 1)) != digest(minutes(0, 2))


def test_what_is_kept_stands_and_what_differs_is_told(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0, 1, 2))
    other = (*candle(1)[:5], 99.0)
    assert shelf.add(of_rows([other, candle(3)])) == Added(1, ((Candle(*candle(1)), Candle(*other)),))
    assert shelf.kept(JANUARY).candles == minutes(0, 1, 2, 3)
    assert shelf.add(of_rows([other]), replace=True) == Added(0, ((Candle(*candle(1)), Candle(*other)),))
    assert shelf.kept(JANUARY).candles == of_rows([candle(0), other, candle(2), candle(3)])


def test_adding_what_is_there_writes_nothing(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0, 1), [(at(0), at(2))])
    before = shelf.path_of(JANUARY).stat()
    assert shelf.add(minutes(0, 1), [(at(0), at(2))]) == Added()
    assert shelf.path_of(JANUARY).stat() == before


numbers = st.sets(st.integers(0, 12))


@given(numbers, numbers, st.booleans())
def test_merging_is_a_union_by_minute(kept: set[int], given_: set[int], replace: bool) -> None:
    mine = {minute: candle(minute) for minute in kept}
    theirs = {minute: (*candle(minute)[:5], float(minute % 2)) for minute in given_}
    union = mine | theirs if replace else theirs | mine
    merged, added = merge(
        of_rows([mine[minute] for minute in sorted(mine)]),
        of_rows([theirs[minute] for minute in sorted(theirs)]),
        replace=replace,
    )
    assert merged == of_rows([union[minute] for minute in sorted(union)])
    assert added.new == len(given_ - kept)
    assert [old.time for old, _ in added.differing] == [at(minute) for minute in sorted(kept & given_)]


def test_minutes_that_were_asked_for_and_have_no_candle_are_gaps(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(2, 3, 5), [(at(1), at(4)), (at(5), at(7))])
    assert gaps(shelf.kept(JANUARY)) == [(at(1), at(2)), (at(6), at(7))]
    assert shelf.missing(at(0), at(9)) == [(at(0), at(1)), (at(4), at(5)), (at(7), at(9))]
    assert shelf.missing(at(1), at(3)) == []


def test_spans_that_touch_are_one() -> None:
    assert apart([(5, 7), (1, 2), (2, 3), (6, 9), (4, 4)]) == ((1, 3), (5, 9))


# Files that are not what was written.

BAD: dict[str, Any] = {
    "empty": (lambda path: path.write_bytes(b""), "it is no whole Parquet file"),
    "cut short": (lambda path: os.truncate(path, path.stat().st_size - 9), "it is no whole Parquet file"),
    "text": (lambda path: path.write_text("timestamp,open\n"), "it is no whole Parquet file"),
    "of nobody": (
        lambda path: pq.write_table(pa.table({"time": [1]}), path),
        "no archive wrote it: its metadata has no 'tickfold'",
    ),
    "newer": (
        lambda path: relabel(path, {"format": 2}),
        "it has format 2, and this Tickfold knows 1: pip install --upgrade tickfold",
    ),
    "unreadable label": (lambda path: relabel(path, {"asked": "x"}), "its metadata cannot be read"),
    "of another symbol": (
        lambda path: relabel(path, {"symbol": "ETH"}),
        "it holds ETH of x, and lies in the folder of BTC/USDT of x",
    ),
    "another value": (lambda path: relabel(path, {}, close=1.0), "it has rotted"),
    "another column": (lambda path: relabel(path, {}, name="price"), "it has the columns"),
}


def relabel(path: Path, changes: dict[str, Any], *, close: float | None = None, name: str | None = None) -> None:
    """Write a file again with something else in it."""
    table = pq.read_table(path, partitioning=None)  # pyright: ignore[reportArgumentType]  # it may be None
    label = json.loads(table.schema.metadata[b"tickfold"]) | changes
    if close is not None:
        place = table.schema.get_field_index("close")
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array([close] * len(table)))
    if name is not None:
        table = table.rename_columns([name if each == "close" else each for each in table.column_names])
    pq.write_table(table.replace_schema_metadata({b"tickfold": json.dumps(label).encode()}), path)


@pytest.mark.parametrize(("harm", "what"), BAD.values(), ids=BAD)
def test_a_file_that_is_not_what_was_written_is_refused_in_words(tmp_path: Path, harm: Any, what: str) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0, 1, 2))
    harm(shelf.path_of(JANUARY))
    with pytest.raises(BadCandleFile) as caught:
        shelf.kept(JANUARY)
    assert what in str(caught.value)
    assert str(shelf.path_of(JANUARY)) in str(caught.value)
    (verdict,) = verify(shelf)
    assert what in str(verdict.fault)


def test_a_flipped_bit_is_never_read_as_other_candles(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    given = minutes(*range(20))
    shelf.add(given)
    path = shelf.path_of(JANUARY)
    content = path.read_bytes()
    refused = 0
    for place in range(0, len(content), 23):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        try:
            assert shelf.kept(JANUARY).candles == given
        except (BadCandleFile, OSError):
            refused += 1
    assert refused > len(content) // 23 // 3


def test_verify_finds_candles_that_cannot_be_true_in_a_file_that_is_whole(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(of_rows([candle(0), (at(1), 100.0, 99.0, 98.0, 98.5, 1.0)]))
    (shelf.folder / "notes.parquet").write_bytes(b"")
    assert [(each.month, each.fault) for each in verify(shelf)] == [
        ("notes", "its name is no month, such as 2022-01.parquet: move it elsewhere"),
        ("2024-01", "the candle at 2024-01-01T00:01:00.000Z: high 99.0 is below open 100.0 or close 98.5"),
    ]


# Killed and parallel writers.


def test_what_a_killed_writer_left_is_swept_away_and_harms_nobody(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0))
    left = shelf.folder / ".2024-01.parquet.tmp"
    left.write_bytes(b"half")
    assert shelf.kept(JANUARY).candles == minutes(0)
    shelf.add(minutes(1))
    assert not left.exists()


def _add_each(folder: Path, first: int, step: int) -> None:
    for minute in range(first, 10, step):
        shelf_in(folder).add(minutes(minute))


def test_writers_take_turns(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_each, args=(tmp_path, first, 2)) for first in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert shelf_in(tmp_path).kept(JANUARY).candles == minutes(*range(10))


def _add_for_ever(folder: Path) -> None:
    minute = 0
    while True:
        shelf_in(folder).add(minutes(minute), [(at(minute), at(minute + 1))])
        minute += 1


def test_a_writer_that_is_killed_leaves_whole_months(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_add_for_ever, args=(tmp_path,))
    writer.start()
    shelf = shelf_in(tmp_path)
    while len(shelf.kept(JANUARY).candles) < 5:
        assert writer.is_alive()
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    kept = shelf.kept(JANUARY)
    assert kept.candles == minutes(*range(len(kept.candles)))
    assert kept.asked == ((at(0), at(len(kept.candles))),)


# Without the extra.


def test_without_pyarrow_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def refusing(
        name: str,
        outside: Mapping[str, object] | None = None,
        inside: Mapping[str, object] | None = None,
        names: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return imported(name, outside, inside, names, level)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(ExtraMissing) as caught:
        shelf_in(tmp_path).add(Candles.empty())
    assert str(caught.value) == (
        "An archive of candles needs pyarrow, which is not installed: pip install 'tickfold[archive]'"
    )
    assert list(tmp_path.iterdir()) == []


def test_pyarrow_is_imported_only_when_a_file_is_met() -> None:
    import subprocess

    ask = "import tickfold.cli.candles, tickfold.exchanges.archive, tickfold.live, sys; print('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_arrays_of_a_month_are_read_only(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add(minutes(0, 1))
    for column in shelf.kept(JANUARY).candles.arrays:
        assert not column.flags.writeable
        assert column.dtype in {np.dtype(np.int64), np.dtype(np.float64)}


def test_a_shelf_is_where_its_archive_says(tmp_path: Path) -> None:
    assert isinstance(Archive(tmp_path).shelf("x", "A"), Shelf)
    assert Archive(tmp_path).shelf("x", "A").folder == tmp_path / "exchange=x" / "symbol=A"
