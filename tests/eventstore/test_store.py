"""The streams of a data directory: any name is safe, what exists is listed truly, and errors name it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.eventstore.samples import STREAM, contents, event, opened, segments, written
from tickfold_eventstore import Store, StoreError, Stream, StreamNotFound, UnusableName
from tickfold_eventstore.store import LONGEST_NAME, encoded

SAFE = re.compile(r"[A-Za-z0-9_.%~-]+")
NAMES = [
    "A",
    "BTC/USDT:USDT",
    "..",
    ".",
    "...",
    "a\0b",
    "\U0001f680",
    "x" * 300,
    "é" * 300,
    "a b",
    "100%",
    "%2E",
    "a%2Fb",
    "a/b",
    "con",
    "A~",
    ".hidden",
    "line\nfeed",
    "-rf",
    "*",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_every_name_is_a_stream_of_its_own_that_is_found_again(name: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    streams = [Stream(name, "w", "A"), Stream("x", name, "A"), Stream("x", "w", name)]
    for stream in streams:
        folder = written(store, 1, stream)
        assert folder.resolve().is_relative_to(tmp_path.resolve() / "journal")
        assert len(folder.relative_to(tmp_path / "journal").parts) == 3
    assert store.streams() == sorted(streams)
    for stream in streams:
        assert list(store.reader(stream).read()) == [event(1, stream)]


@given(st.text(min_size=1))
def test_a_name_as_part_of_a_path_is_plain_and_short_enough(name: str) -> None:
    part = encoded(name)
    assert SAFE.fullmatch(part)
    assert len(part) <= LONGEST_NAME
    assert part.strip(".")


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_names_are_two_parts(one: str, other: str) -> None:
    assert (encoded(one) == encoded(other)) is (one == other)


def test_a_part_says_the_name_where_it_can() -> None:
    assert [encoded(name) for name in ["BTC/USDT", "..", "a b", "100%", "é", "x_y-1.2"]] == [
        "BTC%2FUSDT",
        "%2E%2E",
        "a%20b",
        "100%25",
        "%C3%A9",
        "x_y-1.2",
    ]


@pytest.mark.parametrize("length", [254, 255, 256, 257])
def test_a_long_name_is_cut_and_hashed_only_where_it_must_be(length: int) -> None:
    part = encoded("x" * length)
    assert len(part) == min(length, 255)
    assert ("~" in part) is (length > 255)
    assert encoded("x" * length + "y") != part


@pytest.mark.parametrize(
    ("name", "why"), [("", "it is empty"), ("\ud83d", "it holds half of a character"), ("a\udcffb", "it holds half of")]
)
def test_what_is_no_text_is_no_name(name: str, why: str, tmp_path: Path) -> None:
    for stream in [Stream(name, "w", "A"), Stream("x", name, "A"), Stream("x", "w", name)]:
        with pytest.raises(UnusableName, match=why) as raised:
            opened(Store(tmp_path), stream)
        assert raised.value.name == name
        assert isinstance(raised.value, StoreError | ValueError)
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_is_not_there_has_no_streams_and_is_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    assert store.streams() == []
    with pytest.raises(StreamNotFound, match="streams that exist: none"):
        store.reader(STREAM)
    assert list(tmp_path.iterdir()) == []


def test_streams_are_sorted_by_part_and_empty_ones_are_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    streams = [Stream("b", "w", "A"), Stream("a", "z", "A"), Stream("a-b", "w", "A"), Stream("a", "w", "B")]
    for stream in streams:
        written(store, 1, stream)
    opened(store, Stream("a", "w", "opened, and nothing appended")).close()
    (tmp_path / "journal" / "a" / "w" / "nobody").mkdir()
    assert store.streams() == [
        Stream("a", "w", "B"),
        Stream("a", "z", "A"),
        Stream("a-b", "w", "A"),
        Stream("b", "w", "A"),
    ]


def test_a_stream_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 1)
    with pytest.raises(StreamNotFound) as raised:
        store.reader(Stream("sim-3", "w", "B"))
    assert str(raised.value) == "no journal for sim-3/w/B; streams that exist: sim-3/w/A"
    assert (raised.value.stream, raised.value.known) == ("sim-3/w/B", ("sim-3/w/A",))
    with pytest.raises(StreamNotFound):
        opened(store, Stream("sim-3", "w", "C")).close()
        store.reader(Stream("sim-3", "w", "C"))


def test_a_damaged_header_hides_no_stream(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 1)
    segments(store)[0].write_bytes(b"nothing of the sort\n")
    assert store.streams() == [STREAM]


def test_stray_files_are_no_streams(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written(store, 1)
    (tmp_path / "journal" / ".DS_Store").write_text("")
    (tmp_path / "journal" / "sim-3" / "notes.txt").write_text("")
    (tmp_path / "journal" / "sim-3" / "w" / "notes.txt").write_text("")
    before = contents(tmp_path)
    assert store.streams() == [STREAM]
    assert contents(tmp_path) == before
    opened(store).close()
