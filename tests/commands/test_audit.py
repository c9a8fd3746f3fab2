"""`tickfold audit`: honest strategies pass, those that look ahead, remember or ask the world are named, exit 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.typing_commands import Typed

HEAD = """
import builtins, itertools, random, time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from tickfold import Context, Proposals, Signal, Slots, strategy

def buy(ctx, take_profit=1.02):
    return Signal.long(take_profit=ctx.price * take_profit, stop_loss=ctx.price * 0.99, lifetime=600)
"""
OVER_THREE_DAYS = ("--exchange", "sim:7", "--symbol", "A", "--from", "2020-01-02", "--to", "2020-01-05")

ASKED_TWICE = "asked twice in a row"
OPPOSITE = "asked in the opposite order"
OTHER_FUTURE = "asked with other candles after the slot"
NO_PAST = "asked without the candles before its windows"
OTHER_YEAR = "asked about the same candles in another year"
ALONE = "asked alone, freshly loaded"

CHEATS = {
    "looks a candle ahead through what is behind the context": (
        """
@strategy("s", interval="1h")
def s(ctx):
    candles = ctx._view.candles.close
    return buy(ctx) if candles[min(ctx._end, len(candles) - 1)] > ctx.price else None
""",
        {OTHER_FUTURE},
    ),
    "knows the last candle there is": (
        """
@strategy("s", interval="1h")
def s(ctx):
    return buy(ctx, 1 + ctx._view.candles.close[-1] / 100)
""",
        {OTHER_FUTURE},
    ),
    "reads candles from before its windows": (
        """
@strategy("s", interval="1h", lookback={"1m": 30})
def s(ctx):
    return buy(ctx) if ctx.price > ctx._view.candles.close[0] else None
""",
        {NO_PAST},
    ),
    "loaded the future from a file": (
        """
FUTURE = {int(at): price for at, price in np.loadtxt(Path(__file__).with_name("future.csv"), delimiter=",")}

@strategy("s", interval="1h")
def s(ctx):
    return buy(ctx) if FUTURE.get(ctx.now, 0) > ctx.price else None
""",
        {OTHER_YEAR},
    ),
    "reads the future from a file when it is asked": (
        """
@strategy("s", interval="1h")
def s(ctx):
    future = dict(np.loadtxt(Path(__file__).with_name("future.csv"), delimiter=","))
    return buy(ctx) if future.get(ctx.now, 0) > ctx.price else None
""",
        {OTHER_YEAR, "file"},
    ),
    "keeps prices in a global list": (
        """
SEEN = []

@strategy("s", interval="1h")
def s(ctx):
    SEEN.append(ctx.price)
    return buy(ctx) if ctx.price > SEEN[0] else None
""",
        {OPPOSITE, ALONE},
    ),
    "remembers in a default": (
        """
@strategy("s", interval="1h")
def s(ctx, last=[0.0]):
    last.append(ctx.price)
    return buy(ctx) if last[-1] > last[-2] else None
""",
        {ASKED_TWICE, OPPOSITE, ALONE},
    ),
    "counts in a closure": (
        """
def counting():
    count = itertools.count()
    def ask(ctx):
        return buy(ctx) if next(count) % 3 == 0 else None
    return ask

s = strategy("s", interval="1h")(counting())
""",
        {ASKED_TWICE, ALONE},
    ),
    "remembers on the builtins, where no loading clears it": (
        """
@strategy("s", interval="1h")
def s(ctx):
    builtins.asked = getattr(builtins, "asked", 0) + 1
    return buy(ctx, 1.02 + builtins.asked / 1e6)
""",
        {ASKED_TWICE, OPPOSITE},
    ),
    "throws dice": (
        """
@strategy("s", interval="1h")
def s(ctx):
    return buy(ctx) if random.random() < 0.5 else None
""",
        {ASKED_TWICE},
    ),
    "asks for the time": (
        """
@strategy("s", interval="1h")
def s(ctx):
    return buy(ctx) if datetime.now().year > 2000 else None
""",
        {"time"},
    ),
    "asks for the time of the machine, in seconds": (
        """
@strategy("s", interval="1h")
def s(ctx):
    return buy(ctx) if time.time() > 0 else None
""",
        {"time"},
    ),
    "asks for the time while it waits for its answer": (
        """
@strategy("s", interval="1h")
async def s(ctx):
    return buy(ctx) if date.today().year > 2000 else None
""",
        {"time"},
    ),
}

HONEST = {
    "windows of three intervals": """
@strategy("s", interval="1h", lookback={"1m": 30, "1h": 5, "1d": 1})
def s(ctx):
    if ctx.candles("1m").close.mean() > ctx.candles("1h").close.mean():
        return buy(ctx, 1.02 + float(ctx.candles("1d").volume[0]) / 1e9)
""",
    "the average price": """
@strategy("s", interval="7m")
def s(ctx):
    return buy(ctx) if ctx.average_price > ctx.price else None
""",
    "the hour, the weekday, the month and the day of the month": """
@strategy("s", interval="1h")
def s(ctx):
    now = datetime(1970, 1, 1) + timedelta(milliseconds=ctx.now)
    return buy(ctx) if (now.hour + now.weekday() + 2 * now.month + 5 * now.day) % 7 < 3 else None
""",
    "an answer that takes its time": """
@strategy("s", interval="1h", lookback={"1h": 2})
async def s(ctx):
    return buy(ctx) if ctx.candles("1h").close[0] < ctx.price else None
""",
    "what it worked out before, kept under all that it comes from": """
KNOWN = {}

@strategy("s", interval="1h", lookback={"1m": 30})
def s(ctx):
    key = ctx.candles("1m").close.tobytes()
    if key not in KNOWN:
        KNOWN[key] = ctx.candles("1m").close.mean()
    return buy(ctx) if ctx.price > KNOWN[key] else None
""",
    "a log of what it does": """
import logging

@strategy("s", interval="1h")
def s(ctx):
    logging.getLogger("s").warning("asked at %d", ctx.now)
    return buy(ctx)
""",
    "wrong answers, always the same": """
@strategy("s", interval="1h")
def s(ctx):
    return Signal.long(take_profit=float("nan"), stop_loss=0.0, lifetime=-1)
""",
    "an exception, always the same": """
@strategy("s", interval="1h")
def s(ctx):
    raise ValueError("no")
""",
}


def file_of(folder: Path, body: str) -> Path:
    file = folder / "audited.py"
    file.write_text(HEAD + body)
    first = 1_577_923_200_000
    (folder / "future.csv").write_text(
        "".join(f"{first + hour * 3_600_000},{1e6 * (hour % 2)}\n" for hour in range(96))
    )
    return file


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_named(tmp_path: Path, type_: Typed, cheat: str) -> None:
    body, ways = CHEATS[cheat]
    said = type_("audit", "lookahead", file_of(tmp_path, body), *OVER_THREE_DAYS, "--json")
    (audit,) = said.document["audits"]
    named = {change["way"] for change in audit["changes"]}
    named |= {word for word in ("time", "file") for asked in audit["asks_for"] if f"the {word} " in asked}
    assert (said.code, ways - named, audit["asked"]) == (1, set(), 72)


@pytest.mark.parametrize("way", [OTHER_FUTURE, NO_PAST])
def test_looking_where_one_must_not_is_told_from_remembering(tmp_path: Path, type_: Typed, way: str) -> None:
    body = next(body for body, ways in CHEATS.values() if ways == {way})
    said = type_("audit", "lookahead", file_of(tmp_path, body), *OVER_THREE_DAYS, "--json")
    (audit,) = said.document["audits"]
    assert [change["way"] for change in audit["changes"]] == [way]


@pytest.mark.parametrize("honest", HONEST)
def test_an_honest_strategy_passes(tmp_path: Path, type_: Typed, honest: str) -> None:
    said = type_("audit", "lookahead", file_of(tmp_path, HONEST[honest]), *OVER_THREE_DAYS, "--slots", 60)
    assert (said.code, said.out.splitlines()[0].partition(": ")[2]) == (0, "in order")


def test_the_first_decision_that_changes_is_told_with_both_answers(tmp_path: Path, type_: Typed) -> None:
    body, _ = CHEATS["counts in a closure"]
    said = type_("audit", "lookahead", file_of(tmp_path, body), *OVER_THREE_DAYS, "--slots", 4)
    lines = said.out.splitlines()
    assert lines[0] == "s on A, asked at 4 of 72 slots: NOT in order"
    assert lines[1] == "  asked twice in a row: 3 of 8 decisions change"
    assert lines[2].startswith("    first at 2020-01-02T00:00:00Z: long at market, target ")
    assert lines[3].endswith(" then: no proposal")


BOTH_FORMS = """
@strategy("s", interval="{interval}", lookback={{"1m": 20, "1h": 3}})
def s(ctx):
    close, hours = ctx.candles("1m").close, ctx.candles("1h")
    if close[-1] > close[0] * 1.0005 and hours.high[0] > 0:
        return Signal.long(take_profit=ctx.price * 1.02, stop_loss=ctx.price * 0.99, lifetime=600, note="up")
    if close[-1] < close[0] * 0.9995:
        entry = ctx.average_price * 1.001
        return Signal.short(take_profit=entry * 0.98, stop_loss=entry * 1.01, lifetime=60, entry=entry)
    return None

@s.vectorized
def at_once(slots):
    close, hours = slots.candles("1m").close, slots.candles("1h")
    up = (close[:, -1] > close[:, 0] * 1.0005) & (hours.high[:, 0] > 0)
    down = close[:, -1] < close[:, 0] * 0.9995
    entry = slots.average_price * 1.001
    return Proposals(
        long=up,
        short=~up & down,
        take_profit=np.where(up, slots.price * 1.02, entry * 0.98),
        stop_loss=np.where(up, slots.price * {stop}, entry * 1.01),
        lifetime=np.where(up, 600, 60),
        entry=np.where(up, np.nan, entry),
        note=["up" if each else "" for each in up],
    )
"""


@pytest.mark.parametrize("interval", ["1m", "15m", "7m", "2h"])
def test_two_forms_that_agree_are_in_order(tmp_path: Path, type_: Typed, interval: str) -> None:
    file = file_of(tmp_path, BOTH_FORMS.format(interval=interval, stop="0.99"))
    said = type_("audit", "forms", file, *OVER_THREE_DAYS, "--json")
    (audit,) = said.document["audits"]
    assert (said.code, audit["changes"], audit["asked"]) == (0, [], audit["slots"])


def test_the_first_slot_at_which_two_forms_differ_is_named(tmp_path: Path, type_: Typed) -> None:
    file = file_of(tmp_path, BOTH_FORMS.format(interval="15m", stop="0.98"))
    said = type_("audit", "forms", file, *OVER_THREE_DAYS)
    lines = said.out.splitlines()
    assert said.code == 1
    assert lines[0] == "s on A, asked at 288 of 288 slots: NOT in order"
    assert lines[1].startswith("  asked in the vectorised form: ")
    assert lines[2].startswith("    first at 2020-01-02T")


def test_a_strategy_with_one_form_has_none_to_compare(tmp_path: Path, type_: Typed) -> None:
    file = file_of(tmp_path, HONEST["the average price"])
    said = type_("audit", "forms", file, *OVER_THREE_DAYS)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"tickfold: {file}: s has no vectorised form to compare with\n"


def test_a_form_that_does_not_return_proposals_is_an_error_in_words(tmp_path: Path, type_: Typed) -> None:
    body = HONEST["the average price"] + "\n@s.vectorized\ndef at_once(slots):\n    return slots.price\n"
    said = type_("audit", "forms", file_of(tmp_path, body), *OVER_THREE_DAYS)
    assert said.code == 1
    assert "returned ndarray; a vectorised form returns Proposals(...)" in said.err


def test_too_few_candles_to_ask_even_once_is_said(tmp_path: Path, type_: Typed) -> None:
    file = file_of(tmp_path, HONEST["windows of three intervals"])
    said = type_(
        "audit",
        "lookahead",
        file,
        "--exchange",
        "sim:7",
        "--symbol",
        "A",
        "--from",
        "2020-01-01",
        "--to",
        "2020-01-01T01:00",
    )
    assert said.code == 0
    assert "too few candles in this range to ask it even once" in said.err
    assert said.out == "s on A, asked at 0 of 0 slots: in order\n"
