"""An engine's backtest seen as the plain facts of the reference: run it, and compare its events as dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from tests.support.markets import Candle
from tickfold import Candles
from tickfold.strategy import Strategy

Facts = dict[str, Any]

SPOKEN = {
    "entry": ("entry",),
    "take_profit": ("take profit", "take_profit"),
    "stop_loss": ("stop loss", "stop_loss"),
    "lifetime": ("lifetime",),
    "note": ("note",),
}
"""The words by which a reason names the field that is wrong."""


def in_memory(candles: Sequence[Candle]) -> Candles:
    time, opened, high, low, close, volume = zip(*candles, strict=True)
    return Candles(
        time=np.array(time, dtype=np.int64),
        open=np.array(opened),
        high=np.array(high),
        low=np.array(low),
        close=np.array(close),
        volume=np.array(volume),
    )


def strategy_of(name: str, interval: str, lookback: Mapping[str, int], function: Any) -> Strategy:
    """A strategy that no registry knows of."""
    return Strategy(name, function, interval, dict(lookback))


def facts_of(event: msgspec.Struct) -> Facts:
    """What the reference says of an event; what it leaves out must be as a backtest has it."""
    facts: Facts = msgspec.to_builtins(event)
    assert facts.pop("recorded_at") == facts["at"]
    assert facts.pop("ticks", None) is None
    for name in ("exchange", "strategy", "symbol"):
        assert facts.pop(name)
    if "signal" in facts:
        assert facts["signal"].pop("id")
    return facts


def fitting(expected: Iterable[Facts], actual: Sequence[Facts]) -> list[Facts]:
    """The expected events, each refusal told in the words of the actual one where those words fit its faults."""
    told = list(expected)
    for place, (here, there) in enumerate(zip(told, actual, strict=False)):
        if "faults" in here and "reasons" in there and reasons_fit(here["faults"], there["reasons"]):
            told[place] = {name: value for name, value in here.items() if name != "faults"}
            told[place]["reasons"] = there["reasons"]
    return told


def reasons_fit(faults: Iterable[str], reasons: Sequence[str]) -> bool:
    """Every fault is spoken of, and every reason speaks of a fault."""
    words = {fault: SPOKEN.get(fault, (f"risk rule {fault}:",)) for fault in faults}
    spoken = [{fault for fault in faults if any(word in reason for word in words[fault])} for reason in reasons]
    return all(spoken) and set().union(*spoken) == set(faults)
