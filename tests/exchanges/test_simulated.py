"""`sim:SEED`: any minute by itself, the same for ever, valid, and within bounds."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickfold.candles import Candle, Candles
from tickfold.exchanges import as_exchange
from tickfold.exchanges.checks import check, holes
from tickfold.exchanges.simulated import LEVELS, START_AT, STEP_A_MINUTE, SimulatedExchange, character_of

MINUTE = 60_000
YEAR = 365 * 1440


def candles_of(first: int, last: int, seed: int | str = 7, symbol: str = "BTCUSDT") -> Candles:
    """The minutes [first, last), counted from the start of the market."""
    steps = SimulatedExchange(seed).candles(symbol, START_AT + first * MINUTE, START_AT + last * MINUTE)
    with pytest.raises(StopIteration) as stopped:
        steps.send(None)
    candles: Candles = stopped.value.value
    return candles


def bits(candles: Candles) -> str:
    return hashlib.sha256(b"".join(column.tobytes() for column in candles.arrays)).hexdigest()


def same(one: Candles, other: Candles) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.arrays, other.arrays, strict=True))


def test_it_is_the_same_on_every_machine() -> None:
    candles = candles_of(1_000_000, 1_010_000)
    assert candles.at(0) == Candle(1_637_836_800_000, 8.507315, 8.507408, 8.502339, 8.502836, 213.885)
    assert bits(candles) == "4fc3e4c531c9c4e2bd854ed399e4d2d95403666b373075412a06a0684a497fa8"


@settings(deadline=None)
@given(st.integers(0, 3_000_000), st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_a_window_asked_for_in_pieces_is_the_window_asked_for_at_once(first: int, sizes: list[int]) -> None:
    ends = [first + sum(sizes[: number + 1]) for number in range(len(sizes))]
    whole = candles_of(first, ends[-1])
    for start, end in zip([first, *ends], ends, strict=False):
        assert same(candles_of(start, end), whole[start - first : end - first])


def test_a_long_window_is_that_of_its_minutes() -> None:
    whole = candles_of(0, 200_000)
    for minute in (0, 1, 65_535, 65_536, 131_071, 131_072, 199_999):
        assert same(candles_of(minute, minute + 1), whole[minute : minute + 1])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**40), st.text(max_size=20), st.integers(0, 50_000_000))
def test_every_candle_of_every_market_is_valid(seed: int, symbol: str, first: int) -> None:
    candles = candles_of(first, first + 500, seed, symbol)
    assert len(candles) == 500
    check(candles, symbol)
    assert holes(candles) == []
    assert np.array_equal(candles.open[1:], candles.close[:-1])
    assert float(candles.volume.min()) > 0


def test_another_symbol_and_another_seed_are_another_market() -> None:
    markets = [candles_of(5000, 6000, seed, symbol) for seed in (1, 2) for symbol in ("A", "B")]
    changes = [np.diff(np.log(market.close)) for market in markets]
    correlation = np.corrcoef(changes) - np.eye(len(changes))
    assert float(np.abs(correlation).max()) < 0.2
    assert len({character_of(seed, symbol) for seed in (1, 2) for symbol in ("A", "B")}) == 4


def test_it_moves_as_a_market_does() -> None:
    close = candles_of(0, YEAR).close
    for minutes in (1, 5, 60, 1440):
        changes = np.diff(np.log(close[::minutes]))
        assert 0.9 < float(changes.std()) / (STEP_A_MINUTE * minutes**0.5) < 1.1
    minute = np.diff(np.log(close))
    assert abs(float(np.corrcoef(minute[1:], minute[:-1])[0, 1])) < 0.01


def test_it_never_leaves_its_bounds_over_sixteen_years() -> None:
    base = character_of(7, "BTCUSDT").base
    for year in range(16):
        candles = candles_of(year * YEAR, (year + 1) * YEAR)
        assert base / 67 < float(candles.low.min()) <= float(candles.high.max()) < base * 67


def test_it_comes_back_to_its_base() -> None:
    base = character_of(7, "BTCUSDT").base
    for turn in range(1, 4):
        assert float(candles_of(turn << LEVELS, (turn << LEVELS) + 1).open[0]) == base


def test_it_begins_in_2020_and_has_no_end() -> None:
    assert START_AT == 1_577_836_800_000
    assert len(candles_of(-10, 5)) == 5
    assert len(candles_of(-10, 0)) == 0
    assert len(candles_of(5, 5)) == 0
    assert int(candles_of(10**9, 10**9 + 1).time[0]) == START_AT + 10**9 * MINUTE
    steps = SimulatedExchange(7).span("A")
    with pytest.raises(StopIteration) as stopped:
        steps.send(None)
    assert stopped.value.value == (START_AT, None)


def test_a_seed_is_the_same_seed_as_text_and_as_a_number() -> None:
    assert same(candles_of(0, 10, "7"), candles_of(0, 10, 7))
    assert as_exchange("sim:7").name == "sim-7"
