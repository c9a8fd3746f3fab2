"""What stands behind the last valid record: free space, an append that was cut short, or damage. A fact for each rule.

The examples are bytes that one can read; a file is 256 bytes long, or what a test says.
"""

from __future__ import annotations

import pytest

from tickfold_eventstore.record import ZERO_HASH, line_of
from tickfold_eventstore.tail import Tail, judge_tail

UNIT = 256
LINE = line_of(ZERO_HASH, 7, 1_730_000_000_000_000, b"events", b'[{"action":"opened","v":1}]')
N = len(LINE)


def kind(text: bytes, *, size: int = UNIT, free: bytes = b"\n") -> str:
    """What the tail `text`, filled up to the file's size, is found to be."""
    rest = text.ljust(size, free)
    tail = judge_tail(rest, size, UNIT)
    if tail.damage is not None:
        assert not tail.torn
        return tail.damage[0]
    if tail.torn:
        assert tail.torn == rest.rstrip(b"\n")
        return "torn"
    return "clean"


def hole(start: int, end: int, text: bytes = LINE) -> bytes:
    """The line with what did not land: free space as it was."""
    return text[:start] + b"\n" * (end - start) + text[end:]


def swapped(place: int, byte: bytes, text: bytes = LINE) -> bytes:
    return text[:place] + byte + text[place + 1 :]


def test_the_example_is_what_it_is_taken_for() -> None:
    assert N == 116
    assert kind(LINE) == "rot", "a line that stands there whole, and is not the last valid one, has changed"


# 2. Only LF and NUL.


@pytest.mark.parametrize("text", [b"", b"\n", b"\0", b"\n\0\n\0"])
@pytest.mark.parametrize("free", [b"\n", b"\0"])
@pytest.mark.parametrize("size", [0, 1, UNIT, UNIT + 1])
def test_free_space_is_clean_whatever_the_size(text: bytes, free: bytes, size: int) -> None:
    assert kind(text, size=size, free=free) == "clean"


# 3. Bytes that no append writes, and a size that no extension leaves.


@pytest.mark.parametrize("byte", [b"\0", b"\x1f", b"\x7f", b"\x80", b"\xff", b"\t", b"\r"])
def test_a_byte_that_no_append_writes_is_damage(byte: bytes) -> None:
    assert kind(swapped(50, byte, LINE[:80])) == "foreign bytes"


@pytest.mark.parametrize("byte", [b" ", b"~"])
def test_the_borders_of_what_is_written_are_not(byte: bytes) -> None:
    assert kind(hole(60, 70, swapped(50, byte))) == "torn"


@pytest.mark.parametrize("size", [N - 20, UNIT - 1, UNIT + 1])
def test_text_in_a_file_that_was_cut_is_damage(size: int) -> None:
    assert kind(LINE[:40], size=size) == "cut"


@pytest.mark.parametrize("size", [UNIT, 2 * UNIT])
def test_text_in_a_file_of_a_whole_size_is_not(size: int) -> None:
    assert kind(LINE[:40], size=size) == "torn"


# 4. A whole line behind.


def test_a_whole_line_behind_one_that_is_not_is_damage() -> None:
    assert kind(b"\n" + LINE) == "chain"
    assert kind(b'{"n":   1\n' + LINE) == "chain"
    assert kind(swapped(70, b"X") + LINE) == "chain"


def test_its_hash_need_not_match() -> None:
    assert kind(b"\n" + LINE.replace(LINE[-19:-3], b"0" * 16)) == "chain"


def test_a_line_behind_that_is_not_whole_is_what_did_not_land() -> None:
    assert kind(b"\n" + LINE[1:]) == "torn"
    assert kind(b"\n" + swapped(8, b"9")) == "torn"


# 5. The first line was there from end to end.


def test_a_line_that_ends_in_its_tail_was_written_whole() -> None:
    assert kind(swapped(70, b"X")) == "rot"
    assert kind(swapped(2, b"m")) == "rot", "where it does not begin as a line does, the tail is asked"


def test_a_line_as_long_as_it_says_was_written_whole() -> None:
    assert kind(LINE[: N - 1]) == "rot", "its LF is that of the free space"
    assert kind(swapped(N - 2, b"X")) == "rot"
    assert kind(LINE[: N - 2]) == "torn", "one byte fewer did not land"


def test_a_text_longer_than_it_says_was_written_whole() -> None:
    assert kind(hole(90, 95)) == "torn", "as long as n says"
    assert kind(hole(90, 95)[:-1] + b"x") == "rot", "one byte longer"
    assert kind(hole(90, 95) + b'{"n":') == "rot", "an append behind it, cut short"


def test_a_line_of_which_no_length_is_left_is_asked_for_its_tail_alone() -> None:
    assert kind(swapped(2, b"m", LINE[:-4])) == "torn"
    assert kind(swapped(2, b"m", LINE[:-1])) == "rot"


# 6. One byte that became LF.


def test_one_byte_that_became_a_line_feed_is_damage() -> None:
    torn = LINE[:100]
    assert kind(swapped(60, b"\n", torn)) == "free space"
    assert kind(hole(60, 62, torn)) == "torn", "two are what did not land"


def test_a_line_feed_at_the_very_end_of_the_file_is_free_space() -> None:
    assert kind(b"x" * (UNIT - 1)) == "torn"
    assert kind(b"x" * UNIT) == "torn"


# 7. Torn.


@pytest.mark.parametrize("end", range(1, N - 1))
def test_every_prefix_of_a_line_is_torn(end: int) -> None:
    assert kind(LINE[:end]) == "torn"


@pytest.mark.parametrize("start", range(1, N))
def test_every_end_of_a_line_behind_free_space_is_torn(start: int) -> None:
    expected = "torn" if LINE[start:].strip(b"\n") else "clean"
    assert kind(hole(0, start)) == expected


def test_what_is_torn_is_all_of_the_text() -> None:
    text = hole(0, 64)
    assert judge_tail(text.ljust(UNIT, b"\n"), UNIT, UNIT) == Tail(torn=text.rstrip(b"\n"))


# The order in which the rules are asked.


def test_bytes_come_before_lines_and_lines_before_sizes() -> None:
    assert kind(b"\n" + LINE + b"\0x") == "foreign bytes"
    assert kind(b"\n" + LINE, size=UNIT + 1) == "chain"
    assert kind(LINE[:-1], size=UNIT + 1) == "rot"
    assert kind(swapped(60, b"\n", LINE[:100]), size=UNIT + 1) == "cut"
