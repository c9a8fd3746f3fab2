"""What was acknowledged, what was in flight, and what a journal may say afterwards. Knows nothing of the format."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

from tickfold_eventstore.events import Event, Rejected, Started, Stopped
from tickfold_eventstore.signals import RefusedProposal, Stream

STREAM = Stream("sim-3", "w", "A")
RECORDED_AT = 1_730_000_000_123

TEXTS = (
    "",
    "ordinary words",
    '"}], "h":"e865bc97cd9b7fad"}\n',
    '{"n":   116,"seq":         123,"t":"1730000000123456","events":[',
    "\n\n\n\x00\x7f\x1b",
    "é☃😀" * 5,
)
"""Texts that look like the format's own marks, or that no line may hold as they are."""

Events = tuple[Event, ...]


def events_of(rng: Random, after: int, longest: int = 1500) -> Events:
    """One to three events that follow event `after`, of very different lengths."""
    return tuple(_event(rng, after + 1 + place, longest) for place in range(rng.choice((1, 1, 1, 2, 3))))


def _event(rng: Random, seq: int, longest: int) -> Event:
    length = rng.choice((0, 10, rng.randrange(100), rng.randrange(longest)))
    filling = rng.choice(TEXTS) + rng.choice("abcdefgh") * length
    match rng.randrange(3):
        case 0:
            return Started(
                **_where(seq), version="1", config_hash="c", strategy_hash="s", state_seq=0, recovered=filling
            )
        case 1:
            return Stopped(**_where(seq), reason=filling, price=None, state_seq=0)
        case _:
            proposal = RefusedProposal(
                position="long", entry=None, take_profit="nan", stop_loss=1.5, lifetime_minutes=5, note=filling[:9]
            )
            return Rejected(**_where(seq), proposal=proposal, reasons=(filling,))


def _where(seq: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": 60_000 * seq,
        "recorded_at": RECORDED_AT,
        "exchange": STREAM.exchange,
        "strategy": STREAM.strategy,
        "symbol": STREAM.symbol,
    }


@attrs.frozen
class Promise:
    """What a journal that opens must hold: `kept`, and after it perhaps `open_question`, whole or not at all."""

    kept: Events = ()
    open_question: Events = ()

    def fault(self, told: Events) -> str:
        """Empty where `told` keeps the promise, else in words what is wrong with it."""
        if told == self.kept or (self.open_question and told == self.kept + self.open_question):
            return ""
        if told[: len(self.kept)] == self.kept:
            return f"{len(told) - len(self.kept)} events appear that were never acknowledged whole"
        if self.kept[: len(told)] == told:
            return f"{len(self.kept) - len(told)} acknowledged events are gone"
        return "an event differs from the one that was acknowledged"

    def asked(self, events: Events) -> Promise:
        return Promise(self.kept, events)

    def told(self, events: Events) -> Promise:
        """After these were handed out they are kept."""
        return Promise(events)
