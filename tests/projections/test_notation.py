"""Times, numbers and text from outside, as people read them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickfold_projections.notation import instant, number, shown


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_640_995_200_000, "2022-01-01T00:00:00Z"),
        (1_640_995_199_999, "2021-12-31T23:59:59.999Z"),
        (1_640_995_200_040, "2022-01-01T00:00:00.040Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "@253402300800000"),
        (-62_135_596_800_001, "@-62135596800001"),
        (2**63, "@9223372036854775808"),
    ],
)
def test_an_instant_is_iso_8601_in_utc(at: int, text: str) -> None:
    assert instant(at) == text


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_an_instant_reads_back_as_the_time_it_tells(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    at = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
    assert dt.datetime.fromisoformat(instant(at)) == moment


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (100.5, "100.5"), (0.1 + 0.2, "0.30000000000000004"), (-0.0, "-0"), (1e22, "1e+22"), (1e-7, "1e-07")],
)
def test_a_number_is_the_shortest_text_that_reads_back(value: float, text: str) -> None:
    assert number(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("plain", "plain"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028\u2029\u2066\ufeff", r"\u2028\u2029\u2066\ufeff"),
        ("half \ud83d", r"half \ud83d"),
        ("🚀 naïve 漢字", "🚀 naïve 漢字"),
    ],
)
def test_control_characters_are_shown_and_all_else_stays(text: str, visible: str) -> None:
    assert shown(text) == visible


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_what_is_shown_is_one_line_that_can_be_encoded(text: str) -> None:
    assert shown(text).encode().decode().splitlines() in ([], [shown(text)])
