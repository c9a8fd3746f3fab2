"""Long random markets on a grid, and strategies that go through a plan of levels which such a market meets exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.markets import START_AT
from tickfold import Candles

Proposal = tuple[str, int, int, int, int | None] | None
"""Side, target, stop and entry in steps from the price, lifetime in minutes; None: no proposal."""


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    if draw(st.integers(0, 5)) == 0:
        return None
    distance = st.integers(1, 12)
    lifetime = draw(st.one_of(st.integers(1, 20), st.integers(1, 3000)))
    entry = draw(st.one_of(st.none(), st.integers(-2, 9)))
    return draw(st.sampled_from(["long", "short"])), draw(distance), draw(distance), lifetime, entry


def following(plan: list[Proposal]) -> Any:
    """A strategy that goes through the plan, one proposal a minute of market time, on levels that are met exactly."""

    def maker(proposing: Any) -> Any:
        def ask(ctx: Any) -> Any:
            chosen = plan[ctx.now // 60_000 % len(plan)]
            if chosen is None:
                return None
            position, gain, risk, lifetime, entry = chosen
            side = 1 if position == "long" else -1
            near = float(round(ctx.price))
            level = near if entry is None else near - side * entry
            return getattr(proposing, position)(
                take_profit=level + side * gain,
                stop_loss=level - side * risk,
                lifetime=lifetime,
                entry=None if entry is None else level,
            )

        return ask

    return maker


def on_a_grid(seed: int, minutes: int) -> Candles:
    """Prices in whole steps around 100, so that levels are touched exactly; with gaps, flat candles and no trade."""
    dice = np.random.default_rng(seed)
    flat = dice.random(minutes) < dice.choice([0.1, 0.6, 0.95])
    change = np.where(flat, 0, dice.integers(-2, 3, minutes))
    gap = np.where(dice.random(minutes) < dice.choice([0.0, 0.05, 0.3]), dice.integers(-3, 4, minutes), 0)
    # A triangle folds the walk back, so that it stays between 80 and 120 and passes every level again and again.
    folded = np.abs((np.cumsum(change + gap) + 20) % 80 - 40) + 80.0
    close, opened = folded, np.concatenate(([100.0], folded[:-1])) + np.where(flat, 0, gap)
    reach = np.where(flat, 0, dice.integers(0, 3, (2, minutes)))
    return Candles(
        time=START_AT + 60_000 * np.arange(minutes),
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.minimum(opened, close) - reach[1],
        close=close,
        volume=np.where(flat, 0, dice.integers(0, 3, minutes)),
    )
