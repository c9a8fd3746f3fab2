"""One report with a row of every kind in it. `python -m tests.projections.sample` rewrites its golden renderings."""

from __future__ import annotations

from pathlib import Path

from tests.projections.stories import DAY_MINUTES, Story
from tickfold_eventstore.events import CloseReason
from tickfold_eventstore.signals import Ticks
from tickfold_projections.render_csv import render_csv
from tickfold_projections.render_html import render_html
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report, report

GOLDEN = Path(__file__).parent / "golden"


def stories() -> tuple[Story, Story]:
    """A fortnight of A, which ends with a signal open, and an entry of B that waits."""
    first, second = Story("A"), Story("B/USDT")
    first.start(0, ticks=Ticks())
    for day, result in enumerate([1.5998, -1.3992, 1.5998, 0.0, 1.5998, -1.3992, 1.5998] * 2):
        first.open(day * DAY_MINUTES + 15, "short" if day % 3 else "long", note="sma cross", ticks=Ticks(idle=14))
        reason: CloseReason = "take_profit" if result > 0 else "stop_loss" if result < 0 else "time_expired"
        first.close(day * DAY_MINUTES + 60 + day, result, reason, ticks=Ticks(active=45 + day))
    first.reject(14 * DAY_MINUTES, "stop loss 90 | is above", "take profit inf is no price", note="a|b", entry="nan")
    first.open(14 * DAY_MINUTES + 15, note="last", entry=46_306.5)
    first.stop(14 * DAY_MINUTES + 30, price=46_500.25, state_seq=len(first.events), ticks=Ticks(active=15))
    second.schedule(30, "short", note="=1+1 <b>", entry=250.0)
    second.cancel(150)
    second.schedule(14 * DAY_MINUTES, "short", entry=251.5)
    return first, second


def sample() -> Report:
    first, second = stories()
    hashes = {first.stream: "e865bc97cd9b7fad", second.stream: "78baed294120e23b"}
    return report("w", [*first.events, *second.events], hashes=hashes)


RENDERINGS = {
    "report.md": render_markdown,
    "report.html": render_html,
    "report.json": render_json,
    "report.csv": render_csv,
}


if __name__ == "__main__":
    for name, render in RENDERINGS.items():
        (GOLDEN / name).write_bytes(render(sample()).encode())
