"""MARK names one record in a line of fixed length, or nothing that is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickfold_eventstore import Head
from tickfold_eventstore.mark import BLANK, LENGTH, mark_of, parse_mark

EXAMPLE = b'{"seq":          13,"h":"78baed294120e23b","c":"deb30cab"}\n'
HEAD = Head(13, "78baed294120e23b")


def test_the_worked_example_is_written_and_read_byte_for_byte() -> None:
    assert mark_of(HEAD) == EXAMPLE
    assert parse_mark(EXAMPLE) == HEAD
    assert len(EXAMPLE) == len(BLANK) == LENGTH


@given(st.integers(1, 999_999_999_999), st.binary(min_size=8, max_size=8).map(bytes.hex))
def test_every_head_round_trips_at_the_same_length(seq: int, digest: str) -> None:
    raw = mark_of(Head(seq, digest))
    assert len(raw) == LENGTH
    assert parse_mark(raw) == Head(seq, digest)


def test_a_changed_bit_makes_it_absent() -> None:
    for place in range(LENGTH):
        for bit in range(8):
            flipped = bytearray(EXAMPLE)
            flipped[place] ^= 1 << bit
            assert parse_mark(bytes(flipped)) is None, (place, bit)


@pytest.mark.parametrize("raw", [b"", BLANK, EXAMPLE[:-1], EXAMPLE + b"\n", EXAMPLE + EXAMPLE, b"\0" * LENGTH])
def test_another_length_or_form_is_absent(raw: bytes) -> None:
    assert parse_mark(raw) is None


def test_any_cut_is_absent() -> None:
    assert [length for length in range(LENGTH) if parse_mark(EXAMPLE[:length]) is not None] == []
