"""`tickfold live --clock replay`: the events as they are journalled, several streams at once, what keeps one out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.commands import damage
from tests.commands.typing_commands import REPLAYED, STRATEGY, TWO, Files, Typed
from tickfold_eventstore import Store, Stream
from tickfold_projections.active_signal import recover

LIVE = ("live", "ups.py", *REPLAYED)
UPS, UPS_B = "sim-7/ups/A", "sim-7/ups/B"


def streams(said: list[dict[str, object]]) -> set[str]:
    return {f"{event['exchange']}/{event['strategy']}/{event['symbol']}" for event in said}


def test_it_tells_every_event_of_this_run_and_no_other_as_the_journal_has_it(files: Files, type_: Typed) -> None:
    files.write(TWO)
    words = (*LIVE, "--symbol", "A", "--symbol", "B", "--json")
    first = type_(*words[:-3], *words[-1:])
    assert (first.code, first.err) == (0, "")
    assert first.events == sorted(type_("journal", "show", "--json").events, key=first.events.index)
    second = type_(*words)
    assert second.code == 0
    shown = type_("journal", "show", "--json").events
    assert len(first.events) + len(second.events) == len(shown)
    for stream in streams(shown):
        mine = [event for event in [*first.events, *second.events] if streams([event]) == {stream}]
        assert mine == [event for event in shown if streams([event]) == {stream}]
    assert [event["action"] for event in second.events if event["symbol"] == "A"] == ["started"] * 2 + ["stopped"] * 2


def test_a_symbol_that_is_given_twice_is_one_stream(files: Files, type_: Typed) -> None:
    files.write()
    said = type_(*LIVE, "--symbol", "A", "--symbol", "A", "--strategy", "ups", "--strategy", "ups", "--json")
    assert said.code == 0
    assert type_("journal", "show", "--json").events == said.events


@pytest.mark.parametrize(
    ("presses", "code", "actions", "reason"),
    [
        ("signal.SIGINT,", 0, ["started", "opened", "closed", "stopped"], "stopped"),
        ("signal.SIGINT, signal.SIGINT", 130, ["started", "opened", "stopped"], "stopped now"),
        ("signal.SIGTERM,", 0, ["started", "opened", "stopped"], "stopped now"),
        ("signal.SIGINT, signal.SIGTERM", 0, ["started", "opened", "stopped"], "stopped now"),
    ],
)
def test_ctrl_c_watches_what_is_open_to_its_close_and_what_asks_for_more_does_not(
    files: Files, type_: Typed, presses: str, code: int, actions: list[str], reason: str
) -> None:
    pressing = f"""
import signal
async def press(event):
    for number in ({presses}):
        signal.raise_signal(number)
"""
    files.write(pressing + STRATEGY.replace("lookback=", "on_open=press, lookback=").replace("* 0.99", "* 0.9"))
    said = type_(*LIVE, "--symbol", "A", "--json")
    assert (said.code, [event["action"] for event in said.events]) == (code, actions)
    assert said.events[-1]["reason"] == reason
    assert said.events == type_("journal", "show", "--json").events


def test_in_words_each_event_is_a_line(files: Files, type_: Typed) -> None:
    files.write()
    said = type_(*LIVE, "--symbol", "A")
    assert said.code == 0
    assert said.out == type_("journal", "show").out
    started, *_, stopped = said.out.splitlines()
    assert started.startswith("2020-01-01T00:29:00Z      1  started    sim-7/ups/A  version ")
    assert stopped.split("  ")[0] == "2020-01-03T23:59:00Z"


def test_a_replay_and_a_backtest_tell_the_same(files: Files, type_: Typed) -> None:
    files.write(TWO)
    live = type_(*LIVE, "--symbol", "A", "--json", "--policy", "backtest_kit").events
    backtest = type_(
        *("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-04"),
        *("--json", "--policy", "backtest_kit"),
    ).events

    def trading(events: list[dict[str, object]], strategy: str) -> list[dict[str, object]]:
        left_out = {"seq", "ticks", "recorded_at"}
        return [
            {key: value for key, value in event.items() if key not in left_out}
            for event in events
            if event["strategy"] == strategy and event["action"] not in {"started", "stopped"}
        ]

    for strategy in ("ups", "downs"):
        assert trading(live, strategy) == trading(backtest, strategy)
        assert trading(live, strategy)


def test_it_ends_with_the_candles_where_they_end_before_to(files: Files, type_: Typed) -> None:
    files.write()
    rows = [f"{1_600_000_020_000 + minute * 60_000},10,10,10,10,1" for minute in range(90)]
    Path("A.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    words = ("live", "ups.py", "--exchange", "csv:A.csv", "--clock", "replay", "--symbol", "A", "--json")
    said = type_(*words, "--to", "2020-10-01")
    assert (said.code, said.err) == (0, "")
    assert said.events[-1]["at"] == 1_600_000_020_000 + 90 * 60_000
    again = type_(*words)
    assert [event["action"] for event in again.events] == ["started", "stopped"]


def test_a_stream_that_is_held_keeps_all_from_starting(files: Files, type_: Typed) -> None:
    files.write()
    held, _ = Store(files.data).open(Stream("sim-7", "ups", "B"), recover)
    try:
        said = type_(*LIVE, "--symbol", "A", "--symbol", "B")
    finally:
        held.close()
    assert (said.code, said.out) == (4, "")
    assert f"{UPS_B} is held by another process (pid {os.getpid()} on " in said.err
    assert said.err.count("\n") == 1
    assert Store(files.data).streams() == []
    assert type_(*LIVE, "--symbol", "A", "--symbol", "B").code == 0


def test_a_stream_that_is_damaged_does_not_keep_the_others_from_running(
    files: Files, type_: Typed, journals: Path
) -> None:
    damage.copy_of(journals, files.data)
    files.write(TWO)
    damage.flip(damage.segment(files.data, UPS), -1)
    before = damage.segment(files.data, UPS).read_bytes()
    said = type_(*LIVE[:-1], "2020-01-05", "--symbol", "A", "--symbol", "B", "--strategy", "ups", "--json")
    assert said.code == 3
    assert streams(said.events) == {UPS_B}
    assert [event["action"] for event in said.events][0::1000] == ["started"]
    assert said.events[-1]["action"] == "stopped"
    assert f"{UPS} is damaged in 00000000000000000001.jsonl at byte " in said.err
    assert damage.segment(files.data, UPS).read_bytes() == before
    alone = type_(*LIVE, "--symbol", "A", "--strategy", "ups")
    assert (alone.code, alone.out) == (3, "")


def test_a_later_format_is_refused_and_the_others_run(files: Files, type_: Typed, journals: Path) -> None:
    damage.copy_of(journals, files.data)
    files.write(TWO)
    damage.of_a_later_version(damage.segment(files.data, UPS))
    said = type_(*LIVE, "--symbol", "A", "--symbol", "B", "--strategy", "ups", "--json")
    assert said.code == 1
    assert streams(said.events) == {UPS_B}
    assert "a journal of format version 99, which this version cannot read" in said.err


def test_one_symbol_without_candles_ends_the_start(files: Files, type_: Typed) -> None:
    files.write()
    Path("candles").mkdir()
    rows = [f"{1_600_000_020_000 + minute * 60_000},10,10,10,10,1" for minute in range(90)]
    Path("candles/A.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    words = ("live", "ups.py", "--exchange", "csv:candles", "--clock", "replay", "--symbol", "A")
    said = type_(*words, "--symbol", "B")
    assert (said.code, said.out) == (2, "")
    assert said.err == "tickfold: no symbol of candles is named 'B' (there are: A)\n"
    assert type_(*words).code == 0


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("ConnectionError('no route')", 5, "mine gave no candles of A in 3 attempts: no route"),
        (r"ValueError('odd\x1b[2J')", 1, r"tickfold: mine/ups/A: ValueError: odd\x1b[2J (ups.py, line 15)"),
    ],
)
def test_an_exchange_that_cannot_be_reached_at_the_start_ends_the_command(
    files: Files, type_: Typed, monkeypatch: pytest.MonkeyPatch, fault: str, code: int, said: str
) -> None:
    import anyio

    from tickfold.clock import WallClock

    async def at_once(clock: WallClock, duration: int) -> None:
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(WallClock, "pause", at_once)
    source = (
        f"\nfrom tickfold import exchange\ndef mine(symbol, start, end):\n    raise {fault}\nexchange('mine', mine)\n"
    )
    files.write(TWO + source)
    found = type_("live", "ups.py", "--symbol", "A", "--symbol", "B", "--strategy", "ups")
    assert (found.code, found.out) == (code, "")
    assert said in found.err.replace(f"{files.folder}/", "")
    assert Store(files.data).streams() == []
