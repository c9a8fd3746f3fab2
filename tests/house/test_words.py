"""One word for one thing, and none for rooms that take anything."""

from __future__ import annotations

import ast

import pytest

from tests.house import rules, tree


def test_names_use_the_words_of_the_vocabulary() -> None:
    assert {name: faults for name, code in tree.parsed() if (faults := rules.foreign_words(code))} == {}


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("def load_candlesticks(): ...", ["line 1: load_candlesticks: say candles"]),
        ("class TickerFeed: ...", ["line 1: TickerFeed: say symbol"]),
        ("def f(tp): ...", ["line 1: tp: say take_profit"]),
        ("x = 1\nsl = 2", ["line 2: sl: say stop_loss"]),
        ("self.created_timestamp = 1", ["line 1: created_timestamp: say a name that ends in at"]),
        ("class OHLCVRow: ...", ["line 1: OHLCVRow: say candle"]),
        ("candles = await_(client.fetch_ohlcv(symbol))", []),
        ("stop_signal = 'the ticker'", []),
    ],
)
def test_a_foreign_word_is_found_where_a_name_is_given_not_where_it_is_used(code: str, faults: list[str]) -> None:
    assert rules.foreign_words(ast.parse(code)) == faults


def test_modules_and_classes_are_named_with_nouns_of_the_field() -> None:
    roots = tree.PACKAGES.values()
    named = {path.relative_to(root.parent) for root in roots for path in root.rglob("*") if "__" not in path.name}
    assert [str(path) for path in named if rules.shapeless_module(path.stem)] == []
    assert {name: faults for name, code in tree.parsed() if (faults := rules.shapeless_classes(code))} == {}


@pytest.mark.parametrize("name", ["utils", "test_helpers", "common", "file_manager", "StringUtils"])
def test_a_room_that_takes_anything_is_found(name: str) -> None:
    assert rules.shapeless_module(name)
    assert rules.shapeless_classes(ast.parse(f"class {name}: ...")) == [f"line 1: {name}"]


@pytest.mark.parametrize("name", ["candles", "active_signal", "Utilisation", "commonplace"])
def test_a_noun_is_not_taken_for_one(name: str) -> None:
    assert not rules.shapeless_module(name)
