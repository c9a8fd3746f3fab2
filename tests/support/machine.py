"""Walks the product of states and events through `evolve`, and draws what is legal.

`python -m tests.support.machine` rewrites the drawing in docs/architecture.md.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import msgspec

from tickfold_eventstore.events import (
    Cancelled,
    Closed,
    Event,
    Opened,
    Rejected,
    Scheduled,
    Started,
    Stopped,
)
from tickfold_eventstore.signals import AcceptedSignal, ProfitAndLoss, RefusedProposal
from tickfold_projections.active_signal import FLAT, Flat, Holding, IllegalTransition, State, Waiting, evolve

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
_BLOCK = re.compile(r"(<!-- machine -->\n).*?(<!-- /machine -->)", re.DOTALL)

_SIGNAL = AcceptedSignal(
    id="a",
    position="long",
    entry=100.0,
    take_profit=110.0,
    stop_loss=90.0,
    lifetime_minutes=60,
    note="",
    scheduled_at=None,
    opened_at=None,
)
_WHERE: dict[str, Any] = {"at": 60_000, "recorded_at": 60_000, "exchange": "x", "strategy": "s", "symbol": "A"}
_OPEN_SIGNAL = msgspec.structs.replace(_SIGNAL, opened_at=60_000)
_WAITING_SIGNAL = msgspec.structs.replace(_SIGNAL, scheduled_at=60_000)
_FILLED_SIGNAL = msgspec.structs.replace(_WAITING_SIGNAL, opened_at=120_000)
_OTHER_SIGNAL = msgspec.structs.replace(_SIGNAL, id="b")

STATES: dict[str, State] = {
    "Flat": FLAT,
    "Waiting": Waiting(7, _WAITING_SIGNAL),
    "Holding": Holding(7, _OPEN_SIGNAL),
}


def _closed(signal: AcceptedSignal) -> Closed:
    pnl = ProfitAndLoss(percentage=1.0, entry=100.0, exit=101.0)
    return Closed(seq=8, **_WHERE, signal=signal, price=101.0, reason="time_expired", pnl=pnl)


def _started(state_seq: int) -> Started:
    return Started(
        seq=8, **_WHERE, version="1", config_hash="c", strategy_hash="s", state_seq=state_seq, recovered=None
    )


_REFUSED = RefusedProposal(position="long", entry=None, take_profit=1.0, stop_loss=2.0, lifetime_minutes=1.0, note="")
EVENTS: dict[str, Event] = {
    "started": _started(0),
    "started (signal alive)": _started(7),
    "scheduled": Scheduled(seq=8, **_WHERE, signal=_WAITING_SIGNAL),
    "opened (at market)": Opened(seq=8, **_WHERE, signal=_OPEN_SIGNAL, price=100.0),
    "opened (filled)": Opened(seq=8, **_WHERE, signal=_FILLED_SIGNAL, price=100.0),
    "cancelled": Cancelled(seq=8, **_WHERE, signal=_WAITING_SIGNAL, reason="timeout"),
    "cancelled (another signal)": Cancelled(seq=8, **_WHERE, signal=_OTHER_SIGNAL, reason="timeout"),
    "closed": _closed(_OPEN_SIGNAL),
    "closed (another signal)": _closed(_OTHER_SIGNAL),
    "rejected": Rejected(seq=8, **_WHERE, proposal=_REFUSED, reasons=("why",)),
    "stopped": Stopped(seq=8, **_WHERE, reason="stopped", price=None, state_seq=0),
    "stopped (signal alive)": Stopped(seq=8, **_WHERE, reason="stopped", price=None, state_seq=7),
}


def after(state: State, event: Event) -> str | None:
    """The name of the state that follows, None where the pair is illegal."""
    try:
        return type(evolve(state, event)).__name__
    except IllegalTransition:
        return None


def transitions() -> dict[tuple[str, str], str | None]:
    """Every pair of state and event, and what follows."""
    return {(state, event): after(STATES[state], EVENTS[event]) for state, event in itertools.product(STATES, EVENTS)}


def drawing() -> str:
    """The legal transitions as a Mermaid state diagram."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), then in transitions().items():
        if then is not None:
            arrows.setdefault((state, then), []).append(event)
    lines = [f"    {state} --> {then}: {', '.join(events)}" for (state, then), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {type(Flat()).__name__}", *lines, "```", ""])


def drawn() -> str:
    """The drawing that stands in the page."""
    found = _BLOCK.search(ARCHITECTURE.read_text())
    return found[0].split("\n", 1)[1].removesuffix("<!-- /machine -->") if found else ""


if __name__ == "__main__":
    ARCHITECTURE.write_text(_BLOCK.sub(lambda found: found[1] + drawing() + found[2], ARCHITECTURE.read_text()))
