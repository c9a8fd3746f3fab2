"""What is seen in an answer before ccxt has made something of it."""

from __future__ import annotations

from typing import Any

import pytest

from tickfold.errors import TryAgain
from tickfold.exchanges.answers import LONGEST_EXCERPT, OtherShape, excerpt, hearing, judge, listen

NOW = {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}


class Client:
    """Stands for a ccxt client: three methods, whose own answers can be told from those of the wrappers."""

    def handle_errors(self, *arguments: Any) -> str:
        return "judged by ccxt"

    def parse_ohlcv(self, row: Any, market: Any = None) -> list[Any]:
        return list(row)

    def parse_ohlcvs(self, rows: Any, market: Any = None, *rest: Any) -> Any:
        return [self.parse_ohlcv(row, market) for row in rows], rest


def test_rows_are_given_as_they_came_whatever_is_asked_for() -> None:
    client = Client()
    listen(client)
    rows, rest = client.parse_ohlcvs([[1, 2], [0, 1]], None, "1m", 5, 1)
    assert (rows, rest) == ([[1, 2], [0, 1]], ())


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ({"a": 1}, "{'a': 1} is no list of candles"),
        ("text", "'text' is no list of candles"),
        ([[1, None]], "[1, None] is no candle"),
    ],
)
def test_rows_of_another_shape_are_refused(rows: object, what: str) -> None:
    client = Client()
    listen(client)
    with pytest.raises(OtherShape) as caught:
        client.parse_ohlcvs(rows)
    assert str(caught.value) == what


def test_what_is_no_fault_is_left_to_ccxt() -> None:
    client = Client()
    listen(client)
    assert client.handle_errors(400, "Bad Request", "", "GET", NOW, "{}", {}, {}, None) == "judged by ccxt"


@pytest.mark.parametrize(
    ("code", "header", "after"),
    [
        (429, "7", 7000),
        (418, "0", 0),
        (503, "Mon, 01 Jan 2024 00:00:30 GMT", 30_000),
        (503, "Sun, 31 Dec 2023 00:00:00 GMT", 0),
        (500, "a while", None),
        (500, "-3", None),
    ],
)
def test_a_pause_is_in_seconds_or_up_to_a_date(code: int, header: str, after: int | None) -> None:
    with pytest.raises(TryAgain, match=f"HTTP {code} No: body") as caught:
        judge(code, "No", {**NOW, "retry-after": header}, "body", None)
    assert caught.value.after == after


def test_the_clock_of_the_exchange_is_heard_where_it_is_told() -> None:
    with hearing() as heard:
        judge(200, "OK", {}, "[]", [])
        assert [heard.at, heard.newest] == [None, []]
        judge(200, "OK", {"date": NOW["Date"]}, "[1]", [1])
        assert [heard.at, heard.newest] == [1_704_067_200_000, [1]]
        judge(200, "OK", {"Date": "once"}, "[2]", [2])
        assert [heard.at, heard.newest] == [1_704_067_200_000, [2]]
    judge(200, "OK", {"Date": "Mon, 01 Jan 2024 01:00:00 GMT"}, "[3]", [3])
    assert heard.newest == [2]


@pytest.mark.parametrize("parsed", [[], None, {"data": []}, {"data": None}, {"a": {"b": [[]]}}, {"x": 1, "y": []}])
def test_an_answer_may_say_that_there_is_nothing(parsed: object) -> None:
    with hearing() as heard:
        judge(200, "OK", {}, "x", parsed if parsed is not None else {"data": None})
    heard.check_emptiness()


@pytest.mark.parametrize("parsed", [{}, {"a": 1}, [1], [[1, 2]], "text", {"error": [], "result": {}}, {"errors": None}])
def test_an_answer_that_does_not_say_so_is_of_another_shape(parsed: object) -> None:
    with hearing() as heard:
        judge(200, "OK", {}, "x", parsed)
    with pytest.raises(OtherShape, match="holds neither candles nor an empty list of them"):
        heard.check_emptiness()


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\n  b\tc ") == "a b c"
    assert excerpt("x" * 1000) == "x" * LONGEST_EXCERPT + "…"
