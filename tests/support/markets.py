"""Small random markets, each with a habit that rules may trip over: ties, gaps, wicks, silence, round levels.

A market is a list of one-minute candles (open time in ms, open, high, low, close, volume), the same for ever for one
name. `random_markets` draws short ones for a property.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import attrs
from hypothesis import strategies as st

MINUTE = 60_000
START_AT = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""

Candle = tuple[int, float, float, float, float, float]
Body = Callable[[random.Random, int, float], tuple[float, float, float, float, float]]
"""(randomness, minute, last close) → open, high, low, close, volume."""


@attrs.frozen
class Market:
    """One-minute candles without holes, oldest first, under a name."""

    name: str
    candles: tuple[Candle, ...] = attrs.field(repr=False)


def make(name: str, body: Body, *, seed: int, minutes: int, price: float = 100.0, first_minute: int = 0) -> Market:
    """The market that `body` makes minute by minute; `first_minute` is counted from START_AT."""
    dice = random.Random(seed)
    rows: list[Candle] = []
    for minute in range(minutes):
        row = body(dice, minute, price)
        rows.append((START_AT + (first_minute + minute) * MINUTE, *row))
        price = row[3]
    return Market(name, tuple(rows))


def within(low: float, value: float, high: float) -> float:
    return min(high, max(low, value))


def walk(step: float, *, drift: float = 0.0, digits: int = 8, gap: float = 0.0, quiet: float = 0.0) -> Body:
    """A random walk: `step` and `drift` a minute and `gap` at an open are fractions, `quiet` a chance of no trade."""

    def body(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
        opened = last * math.exp(dice.gauss(0, gap)) if gap and dice.random() < 0.15 else last
        close = opened * math.exp(dice.gauss(drift, step))
        high = max(opened, close) * (1 + abs(dice.gauss(0, step / 2)))
        low = min(opened, close) * (1 - abs(dice.gauss(0, step / 2)))
        prices = [round(value, digits) for value in (opened, high, low, close)]
        volume = 0.0 if dice.random() < quiet else round(dice.expovariate(0.1), 3)
        return (*within_range(*prices), volume)

    return body


def within_range(opened: float, high: float, low: float, close: float) -> tuple[float, float, float, float]:
    return opened, max(opened, high, close), min(opened, low, close), close


def steps(size: float, *, reach: int, centre: float, still: float = 0.3) -> Body:
    """Prices on a grid, pulled to `centre`, so that levels are touched exactly and many prices are equal."""

    def body(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
        if dice.random() < still:
            return last, last, last, last, float(dice.randrange(3))
        at = round(last / size)
        pull = 1 if at * size < centre - 8 * size else -1 if at * size > centre + 8 * size else 0
        opened = max(1, at + (dice.randint(-reach, reach) if dice.random() < 0.2 else 0))
        close = max(1, opened + dice.randint(-reach, reach) + pull)
        high = max(opened, close) + dice.randrange(reach)
        low = max(1, min(opened, close) - dice.randrange(reach))
        return opened * size, high * size, low * size, close * size, float(dice.randrange(1, 6))

    return body


def wicks(step: float, wick: float) -> Body:
    """A walk with rare long wicks to one side or to both."""
    calm = walk(step)

    def body(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
        opened, high, low, close, volume = calm(dice, minute, last)
        if dice.random() < 0.02:
            high *= 1 + dice.random() * wick
        if dice.random() < 0.02:
            low *= 1 - dice.random() * wick
        return opened, high, low, close, volume

    return body


def wave(period: int, height: float, centre: float) -> Body:
    """A sine with a little noise: targets and stops are reached in turn."""
    noise = walk(0.0008)

    def body(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
        close = centre * (1 + height * math.sin(2 * math.pi * minute / period))
        _, high, low, shaken, volume = noise(dice, minute, close)
        return (*within_range(last, max(high, last), min(low, last), shaken), volume)

    return body


def saw(rise: float, fall_every: int, fall: float) -> Body:
    """It climbs evenly and drops at an open."""

    def body(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
        opened = last * (1 - fall) if minute % fall_every == fall_every - 1 else last
        close = opened * (1 + rise)
        return opened, close, opened, close, float(minute % 4)

    return body


def still(dice: random.Random, minute: int, last: float) -> tuple[float, float, float, float, float]:
    """Nothing moves, and mostly nothing is traded."""
    return last, last, last, last, float(minute % 7 == 0)


def all_markets() -> tuple[Market, ...]:
    """Twenty-four markets of 1,500 to 4,000 minutes."""
    return (
        make("walk", walk(0.001), seed=1, minutes=3000),
        make("walk in cents", walk(0.002, digits=2), seed=2, minutes=2000),
        make("walk in whole numbers", walk(0.004, digits=0), seed=3, minutes=2000),
        make("violent walk", walk(0.01), seed=4, minutes=1500),
        make("calm walk", walk(0.0002), seed=5, minutes=2500),
        make("rising", walk(0.001, drift=0.0003), seed=6, minutes=4000),
        make("falling", walk(0.001, drift=-0.0003), seed=7, minutes=4000),
        make("gaps at the open", walk(0.001, gap=0.01), seed=8, minutes=2500),
        make("wide gaps", walk(0.002, gap=0.05), seed=9, minutes=1500),
        make("gaps in whole numbers", walk(0.002, gap=0.02, digits=0), seed=10, minutes=2000),
        make("often not traded", walk(0.0015, quiet=0.8), seed=11, minutes=2000),
        make("never traded", walk(0.0015, quiet=1.0), seed=12, minutes=1500),
        make("steps of one", steps(1.0, reach=2, centre=100.0), seed=13, minutes=3000),
        make("steps of a half", steps(0.5, reach=3, centre=50.0), seed=14, minutes=2000, price=50.0),
        make("wide steps", steps(1.0, reach=6, centre=100.0, still=0.1), seed=15, minutes=2000),
        make("mostly flat", steps(1.0, reach=2, centre=100.0, still=0.9), seed=16, minutes=2500),
        make("wicks", wicks(0.0008, 0.04), seed=17, minutes=2000),
        make("long wicks", wicks(0.0008, 0.15), seed=18, minutes=1500),
        make("slow wave", wave(300, 0.03, 100.0), seed=19, minutes=2000),
        make("fast wave", wave(40, 0.015, 100.0), seed=20, minutes=1500),
        make("saw", saw(0.0006, 90, 0.05), seed=21, minutes=2000),
        make("still", still, seed=22, minutes=1500),
        make("tiny prices", walk(0.002, digits=10), seed=23, minutes=1500, price=0.00001234, first_minute=7),
        make("great prices, odd start", walk(0.0012, digits=1), seed=24, minutes=1700, price=67_890.1, first_minute=43),
    )


@st.composite
def random_markets(draw: st.DrawFn, *, max_minutes: int = 90) -> Market:
    """A short market around 100 on a coarse grid, so that every level is met and every tie happens."""
    minutes = draw(st.integers(min_value=1, max_value=max_minutes))
    first_minute = draw(st.integers(min_value=0, max_value=9))
    move = st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
    moves = draw(st.lists(move, min_size=minutes, max_size=minutes))
    rows: list[Candle] = []
    last = 100
    for minute, (gap, change, above, below, volume) in enumerate(moves):
        opened = max(last + gap, 20)
        close = max(opened + change, 20)
        high, low = max(opened, close) + above, min(opened, close) - below
        time = START_AT + (first_minute + minute) * MINUTE
        rows.append((time, float(opened), float(high), float(low), float(close), float(volume)))
        last = close
    return Market("random", tuple(rows))
