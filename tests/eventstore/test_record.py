"""A line says its length, its number, its time, what it holds and what it follows, byte for byte as the page has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickfold_eventstore.record import (
    TAIL,
    ZERO_HASH,
    Line,
    claimed_length,
    follows,
    hash_of,
    line_of,
    parse,
    stored_hash,
    verified,
)

BODY = b'[{"action":"opened","v":1}]'
EXAMPLE = (
    b'{"n":   116,"seq":         123,"t":"1730000000123456","events":[{"action":"opened","v":1}],'
    b' "h":"e865bc97cd9b7fad"}\n'
)


def changed(old: bytes, new: bytes) -> bytes:
    assert EXAMPLE.count(old) == 1
    return EXAMPLE.replace(old, new)


def test_the_worked_example_is_written_byte_for_byte() -> None:
    assert line_of(ZERO_HASH, 123, 1_730_000_000_123_456, b"events", BODY) == EXAMPLE


def test_the_worked_example_is_read() -> None:
    line = verified(ZERO_HASH, EXAMPLE, 1, 500)
    assert line == Line(segment=1, offset=500, seq=123, kind=b"events", raw=EXAMPLE, body_at=63)
    assert line is not None
    assert (line.body, line.hash, line.t, line.end) == (BODY, b"e865bc97cd9b7fad", 1_730_000_000_123_456, 616)


@given(
    st.binary(min_size=8, max_size=8).map(lambda raw: raw.hex().encode()),
    st.integers(0, 999_999_999_999),
    st.integers(0, 1 << 62),
    st.sampled_from([b"events", b"header", b"seal"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300).map(str.encode),
)
def test_what_was_written_is_read_and_follows_only_what_it_was_written_behind(
    previous: bytes, seq: int, t: int, kind: bytes, body: bytes
) -> None:
    raw = line_of(previous, seq, t, kind, body)
    line = verified(previous, raw)
    assert line is not None
    assert (line.seq, line.t, line.kind, line.body) == (seq, t, kind, body)
    assert claimed_length(raw) == len(raw)
    assert verified(hash_of(previous, b""), raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        changed(b"   116", b"   117"),
        changed(b"   116", b"000116"),
        changed(b"   116", b"116   "),
        changed(b"   116", b" 116"),
        changed(b"         123", b"000000000123"),
        changed(b"         123", b"        +123"),
        changed(b"         123", b"            "),
        changed(b'"t":"1730000000123456"', b'"t":"0730000000123456"'),
        changed(b'"t":"1730000000123456"', b'"t": 1730000000123456 '),
        changed(b'"events":', b'"evants":'),
        changed(b', "h"', b',\t"h"'),
        changed(b"e865bc97cd9b7fad", b"E865bc97cd9b7fad"),
        EXAMPLE[:-1],
        EXAMPLE[1:],
        EXAMPLE + b"\n",
        b" " + EXAMPLE,
        b"",
        b"\n",
    ],
)
def test_any_other_spelling_is_no_line(raw: bytes) -> None:
    assert parse(raw) is None
    assert verified(ZERO_HASH, raw) is None


def test_no_bit_of_a_line_may_change() -> None:
    for place in range(len(EXAMPLE)):
        for bit in range(8):
            flipped = bytearray(EXAMPLE)
            flipped[place] ^= 1 << bit
            assert verified(ZERO_HASH, bytes(flipped)) is None, (place, bit)


def test_a_line_that_is_whole_need_not_follow_anything() -> None:
    other = changed(b"e865bc97cd9b7fad", b"0000000000000000")
    line = parse(other)
    assert line is not None
    assert line.hash == b"0" * 16
    assert not follows(ZERO_HASH, other)


def test_the_tail_is_found_by_counting_from_the_end() -> None:
    assert len(EXAMPLE) - EXAMPLE.index(b', "h"') == TAIL
    decoy = b'["' + EXAMPLE[-TAIL:-1] + b'"]'
    raw = line_of(ZERO_HASH, 1, 0, b"events", decoy)
    line = verified(ZERO_HASH, raw)
    assert line is not None
    assert line.body == decoy
    assert stored_hash(raw) == hash_of(ZERO_HASH, raw[:-TAIL])


def test_a_torn_line_still_says_how_long_it_was_meant_to_be() -> None:
    assert claimed_length(EXAMPLE[:12]) == 116
    assert claimed_length(EXAMPLE[:11]) is None
    assert stored_hash(EXAMPLE[:-2]) is None
