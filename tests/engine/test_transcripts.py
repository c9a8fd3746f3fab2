"""Every golden transcript, told by hand from the rules, comes true in the reference and in the engine's backtest."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.reference import simple
from tests.reference.prices import minutes_of
from tests.support.facts import facts_of, fitting, in_memory, strategy_of
from tests.support.transcripts import Ask, Transcript, clock_of, read_transcript
from tickfold import Backtest, Config, Costs, Frame, Signal

HERE = Path(__file__).parent / "transcripts"
FILES = sorted(HERE.glob("*.txt"))

SWITCHED_OFF: dict[str, Any] = {
    "take_profit_covers_costs": False,
    "max_stop_loss_distance": None,
    "max_lifetime_minutes": None,
    "max_note_characters": 0,
}


@attrs.define
class Actor:
    """The strategy of a transcript: it answers what is written and remembers what it was shown."""

    story: Transcript
    proposing: Any
    asked: list[int] = attrs.field(factory=list)
    shown: list[object] = attrs.field(factory=list)

    def __call__(self, ctx: Any) -> Any:
        self.asked.append(ctx.now)
        self.shown += [self.look(ctx, sight.interval) for sight in self.story.sights if sight.at == ctx.now]
        ask = self.story.asks.get(ctx.now)
        return ask and self.propose(ask)

    def propose(self, ask: Ask) -> Any:
        make = self.proposing.long if ask.position == "long" else self.proposing.short
        return make(**attrs.asdict(ask, filter=lambda field, value: field.name != "position"))

    def look(self, ctx: Any, interval: str) -> object:
        if not interval:
            return {"price": round(ctx.price, 9), "average": round(ctx.average_price, 9)}
        window = ctx.candles(interval)
        columns = (window.time, window.open, window.high, window.low, window.close, window.volume)
        return tuple(zip(*(column.tolist() for column in columns), strict=True))


def check(story: Transcript, actor: Actor, events: list[dict[str, Any]], end: str) -> None:
    rounded = [rounded_result(event) for event in events]
    assert rounded == fitting(story.events, rounded)
    assert set(story.asks) <= set(actor.asked), "an ask of the transcript was never put to the strategy"
    assert story.asked is None or actor.asked == story.asked
    assert actor.shown == [
        sight.rows or {name: round(price, 9) for name, price in sight.prices.items()} for sight in story.sights
    ]
    assert end == story.end


def rounded_result(event: dict[str, Any]) -> dict[str, Any]:
    if "pnl" not in event:
        return event
    return {**event, "pnl": {**event["pnl"], "percentage": round(event["pnl"]["percentage"], 6)}}


def ending(signal: dict[str, Any] | None) -> str:
    match signal:
        case None:
            return "nothing alive"
        case {"opened_at": None, "scheduled_at": at}:
            return f"waiting since {clock_of(at)}"
        case {"opened_at": at}:
            return f"active since {clock_of(at)}"
        case _:
            raise AssertionError(signal)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_reference_agrees_with_the_transcript(path: Path) -> None:
    story = read_transcript(path)
    actor = Actor(story, simple.Proposal)
    events = simple.simulate(
        story.candles,
        actor,
        minutes_of(story.interval),
        story.lookback,
        policy=story.policy,
        costs=simple.Costs(**story.costs),
        limits=simple.Limits() if story.limits == "on" else simple.Limits(False, 0, 0, 0),
        entry_timeout_minutes=story.entry_timeout,
        start=story.frame[0] if story.frame else 0,
        end=story.frame[1] if story.frame else None,
    )
    check(story, actor, events, ending(simple.alive_after(events, None)))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_backtest_agrees_with_the_transcript(path: Path) -> None:
    story = read_transcript(path)
    actor = Actor(story, Signal)
    config = Config(
        policy=story.policy, costs=Costs(**story.costs), entry_timeout=timedelta(minutes=story.entry_timeout)
    )
    result = Backtest(config=config if story.limits == "on" else attrs.evolve(config, **SWITCHED_OFF)).execute(
        "BTCUSDT",
        strategy=strategy_of(story.name, story.interval, story.lookback, actor),
        exchange=in_memory(story.candles),
        frame=story.frame and Frame(f"of {story.name}", *story.frame),
    )
    events = [facts_of(event) for event in result.events]
    check(story, actor, events, ending(simple.alive_after(events, None)))


def test_the_transcripts_show_every_action_and_every_reason_of_a_backtest() -> None:
    seen = {(event["action"], event.get("reason")) for path in FILES for event in read_transcript(path).events}
    reasons = {("closed", reason) for reason in ("take_profit", "stop_loss", "time_expired")}
    reasons |= {("cancelled", "timeout"), ("cancelled", "price_rejected")}
    assert seen == {("scheduled", None), ("opened", None), ("rejected", None)} | reasons


def test_a_line_that_says_nothing_known_is_named(tmp_path: Path) -> None:
    file = tmp_path / "odd.txt"
    file.write_text("00:00 x5  100 100 100 100  1\n  00:04 opened price=100\nend: nothing alive\n")
    with pytest.raises(ValueError, match=r"odd\.txt, line 2: .*the candle above closes at 00:05"):
        read_transcript(file)
