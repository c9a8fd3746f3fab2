"""`sim:SEED`: an endless seeded market from 2020-01-01, of which any minute can be computed by itself.

The price is a random walk built from its ends, not from its start. At the ends of `2^LEVELS` minutes it stands at its
base; halfway between them it is moved by a random step; halfway between those by a smaller one; and so on down to the
minute (Lévy's construction of Brownian motion). A minute is thus the sum of one step for each level, each drawn by the
number of its own stretch of time. Steps are drawn evenly from a bounded range, so the sum is bounded.

Every machine gives the same bits: integers from Philox by their number, then sums, products, quotients and square roots
alone, whose every bit IEEE 754 prescribes. (exp, log and sin are not used: they differ from one processor to another.)
"""

from __future__ import annotations

import hashlib

import attrs
import numpy as np
from numpy.typing import NDArray

from ..candles import Candles, Floats
from ..market import MINUTE_MS

START_AT = 1_577_836_800_000
"""2020-01-01, ms."""

LEVELS = 22
"""The walk comes back to its base every 2^22 minutes: in eight years, short of a few days."""

STEP_A_MINUTE = 0.0007
"""The standard deviation of the change in a minute, as a fraction of the price."""

_CHUNK = 1 << 16  # minutes computed at once: what is at work stays in the processor's cache
_WICKS, _VOLUMES = LEVELS + 1, LEVELS + 2  # what else is drawn by the minute, beside the levels


@attrs.frozen
class Character:
    """What tells one symbol's market from another's."""

    key: int
    base: float
    ticks_in_one: float
    """Prices are whole numbers of ticks: a power of ten of them make 1."""
    traded: float
    """What a quiet minute trades."""


class SimulatedExchange:
    """Answers for every symbol, each with a market of its own; named `sim-SEED` unless told otherwise."""

    waits = False
    piece: int | None = None

    def __init__(self, seed: int | str, name: str | None = None) -> None:
        self.name = name or f"sim-{seed}"
        self._seed = seed

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        first, last = (max(0, -(-(at - START_AT) // MINUTE_MS)) for at in (start, end))
        if first >= last:
            return Candles.empty()
        character = character_of(self._seed, symbol)
        chunks = [_columns(character, begin, min(last, begin + _CHUNK)) for begin in range(first, last, _CHUNK)]
        times = START_AT + MINUTE_MS * np.arange(first, last, dtype=np.int64)
        columns = (np.concatenate(column) for column in zip(*chunks, strict=True))
        return Candles.of_arrays(times, *columns, name=self.name)

    async def span(self, symbol: str) -> tuple[int, int | None]:
        return START_AT, None

    async def aclose(self) -> None:
        """Nothing is held."""


def character_of(seed: int | str, symbol: str) -> Character:
    """The market of a symbol: a base between 1 and 100,000, ticks of about a millionth of it."""
    digest = hashlib.sha256(f"{seed}\0{symbol}".encode("utf-8", "surrogatepass")).digest()
    key, digits, size, traded = (int.from_bytes(digest[place : place + 8], "big") for place in range(0, 32, 8))
    magnitude = size % 5
    return Character(
        key=key,
        base=float((1000 + digits % 9000) * 10**magnitude) / 1000,
        ticks_in_one=10.0 ** (6 - magnitude),
        traded=float(1 + traded % 1000) / 10,
    )


def _columns(character: Character, first: int, last: int) -> tuple[Floats, ...]:
    """Open, high, low, close and volume of the minutes [first, last), counted from the start."""
    prices = _prices(character, first, last + 1)
    opening, close = prices[:-1], prices[1:]
    upper, lower = np.maximum(opening, close), np.minimum(opening, close)
    above, below = _drawn(character, _WICKS, 2 * first, 2 * last).reshape(-1, 2).T
    high = _in_ticks(character, upper * (1 + STEP_A_MINUTE * above * above))
    low = _in_ticks(character, lower * (1 - STEP_A_MINUTE * below * below))
    # A minute trades more the further the price goes in it.
    busy = 1 + (high - low) / (lower * STEP_A_MINUTE)
    volume = np.rint(character.traded * busy * busy * (0.2 + _drawn(character, _VOLUMES, first, last)) * 1000) / 1000
    return opening, high, low, close, volume


def _prices(character: Character, first: int, last: int) -> Floats:
    """The price at the beginning of each minute in [first, last)."""
    walk = np.zeros(last - first)
    minutes = np.arange(first, last, dtype=np.int64)
    for level in range(LEVELS, 0, -1):
        walk += _tent(minutes, level) * _steps(character, level, minutes)
    # (1 + x/1024)^1024: as good as exp for this, above 0 wherever the walk can be, and the same on every machine.
    grown = 1 + walk / 1024
    for _ in range(10):
        grown *= grown
    return _in_ticks(character, character.base * grown)


def _tent(minutes: NDArray[np.int64], level: int) -> Floats:
    """0 at the ends of each stretch of 2^level minutes, 1 halfway between them, straight in between."""
    half = 1 << level - 1
    within = minutes & ((1 << level) - 1)
    tent: Floats = (half - np.abs(within - half)) * (1 / half)
    return tent


def _steps(character: Character, level: int, minutes: NDArray[np.int64]) -> Floats:
    """How far the middle of each minute's stretch is moved: evenly drawn, its variance a quarter of the stretch's."""
    stretches = minutes >> level
    first, last = int(stretches[0]), int(stretches[-1]) + 1
    widest = STEP_A_MINUTE * np.sqrt(3.0) * np.sqrt(float(1 << level)) / 2
    moved = (2 * _drawn(character, level, first, last) - 1) * widest
    chosen: Floats = moved[stretches - first]
    return chosen


def _in_ticks(character: Character, prices: Floats) -> Floats:
    rounded: Floats = np.rint(prices * character.ticks_in_one) / character.ticks_in_one
    return rounded


def _drawn(character: Character, kind: int, first: int, last: int) -> Floats:
    """Numbers in [0, 1), number `first` to `last` of their kind. Philox gives four for each value of its counter."""
    # numpy imports its random numbers when they are first used, and so `import tickfold` does not.
    block = first // 4
    philox = np.random.Philox(key=np.array([character.key, kind], np.uint64), counter=block)
    words = philox.random_raw(4 * (-(-last // 4) - block))[first - 4 * block : last - 4 * block]
    drawn: Floats = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn
