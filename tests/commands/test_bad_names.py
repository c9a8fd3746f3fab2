"""A name that nothing has is a usage error that lists those that exist; any name that is text makes a stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.typing_commands import REPLAYED, TWO, Files, Typed

FRAMED = TWO + '\nfrom tickfold import Frame\nFrame("first week", "2020-01-01", "2020-01-08")\n'
BACKTEST = ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-03")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strategy", "up"), "no strategy is named 'up'; did you mean 'ups'? (there are: downs, ups)"),
        (("--exchange", "binance"), "no exchange is named 'binance' (there are: none)"),
        (("--exchange", "live=binance"), "no exchange is named 'binance' (there are: none)"),
        (("--exchange", "parquet:x"), "'parquet:x' is no source of candles: there is no kind 'parquet'"),
        (("--exchange", "sim:"), "'sim:' is no source of candles: nothing follows sim:"),
        (("--frame", "second week"), "--frame is a whole range: give it, or --from and --to"),
        (("--from", "2020-01-03"), "--to must lie after --from"),
        (("--from", "2020-01-02", "--to", "yesterday"), "'yesterday' is no time: write ISO 8601"),
        (("--policy", "kind"), "'kind' is not one of"),
        (("--symbol", ""), "a name needs at least one character"),
        (("--symbol", "\udcff"), "'\\udcff' is no text in UTF-8"),
    ],
)
def test_an_unknown_name_is_a_usage_error(files: Files, type_: Typed, words: tuple[str, ...], said: str) -> None:
    files.write(FRAMED)
    found = type_(*BACKTEST, *words)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_a_frame_is_found_by_its_name_and_no_other(files: Files, type_: Typed) -> None:
    files.write(FRAMED)
    words = BACKTEST[:-2]
    week = type_(*words, "--frame", "first week", "--json")
    assert (week.code, week) == (0, type_(*words, "--from", "2020-01-01", "--to", "2020-01-08", "--json"))
    assert type_(*words, "--frame", "first weak") == (
        2,
        "",
        "tickfold: no frame is named 'first weak'; did you mean 'first week'? (there are: first week)\n",
    )


def test_without_an_exchange_the_one_of_the_file_is_meant(files: Files, type_: Typed) -> None:
    files.write(TWO)
    said = type_("backtest", "ups.py", "--symbol", "A", "--to", "2020-01-03")
    assert (said.code, said.err) == (
        2,
        "tickfold: which exchange? FILE registers none; give --exchange, such as csv:PATH, sim:SEED or ccxt:binance\n",
    )
    files.write(TWO + '\nfrom tickfold import exchange\nexchange("mine", "sim:7")\n')
    mine = type_("backtest", "ups.py", "--symbol", "A", "--to", "2020-01-03", "--json")
    other = type_("backtest", "ups.py", "--symbol", "A", "--to", "2020-01-03", "--json", "--exchange", "other=mine")
    sim = type_(*BACKTEST, "--json", "--exchange", "other=sim:7")
    assert {event["exchange"] for event in mine.events} == {"mine"}
    assert {event["exchange"] for event in other.events} == {"other"}
    assert other == sim


def test_an_endless_exchange_needs_an_end(files: Files, type_: Typed) -> None:
    files.write()
    for words in (("backtest",), ("live", "--clock", "replay")):
        said = type_(words[0], "ups.py", "--exchange", "sim:7", "--symbol", "A", *words[1:])
        assert (said.code, said.out) == (2, "")
        assert "sim-7 has no end of its own: say where to stop (a frame, or --to)" in said.err
    assert not files.data.exists()


def test_a_live_run_has_no_end_on_the_wall_clock(files: Files, type_: Typed) -> None:
    files.write()
    said = type_("live", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-03")
    assert (said.code, said.out) == (2, "")
    assert "--to ends a replay" in said.err


def test_a_symbol_is_needed_to_run_and_not_to_read(files: Files, type_: Typed, journals: Path) -> None:
    files.write()
    for command in ("live", "backtest"):
        said = type_(command, "ups.py", "--exchange", "sim:7")
        assert (said.code, said.out) == (2, "")
        assert "Missing option '--symbol'" in said.err
    assert type_("journal", "show", "--data-dir", journals).code == 0


@pytest.mark.parametrize("command", [("replay",), ("journal", "ls"), ("journal", "show"), ("journal", "verify")])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--symbol", "C"), "no journal here has the symbol 'C' (there are: A, B)"),
        (("--strategy", "up"), "no journal here has the strategy 'up' (there are: downs, ups)"),
        (("--exchange", "sim"), "no journal here has the exchange 'sim' (there are: sim-7)"),
        (
            ("--strategy", "downs", "--symbol", "B"),
            "no journal here has all of these together; there are: sim-7/downs/A, sim-7/ups/A, sim-7/ups/B",
        ),
    ],
)
def test_who_reads_is_told_what_there_is(
    type_: Typed, journals: Path, command: tuple[str, ...], words: tuple[str, ...], said: str
) -> None:
    assert type_(*command, *words, "--data-dir", journals) == (2, "", f"tickfold: {said}\n")


def test_a_report_of_an_unknown_strategy_lists_the_known(type_: Typed, journals: Path) -> None:
    said = type_("report", "sideways", "--data-dir", journals)
    assert said == (2, "", "tickfold: no journal here has the strategy 'sideways' (there are: downs, ups)\n")


STRANGE = ["BTC/USDT", "..", ".", "A\0B", "🚀", "x" * 300, "a b", "-", "A\n\x1b[2J", "%2F", "ups.py", "é" * 200]


@pytest.mark.parametrize("symbol", STRANGE, ids=ascii)
def test_a_strange_name_is_a_name_like_any_other(files: Files, type_: Typed, symbol: str) -> None:
    files.write()
    live = type_("live", "ups.py", *REPLAYED, "--symbol", symbol, "--json")
    assert live.code == 0
    assert {event["symbol"] for event in live.events} == {symbol}
    assert type_("journal", "show", "--symbol", symbol, "--json") == live
    assert type_("journal", "verify", "--symbol", symbol).code == 0
    assert type_("report", "ups", "--symbol", symbol).code == 0
    assert {path.name for path in files.folder.iterdir()} - {"__pycache__"} == {"data", "ups.py"}
    assert [len(list(files.data.glob(depth))) for depth in ("*", "*/*", "*/*/*", "*/*/*/*")] == [1, 1, 1, 1]


@pytest.mark.parametrize("command", [("journal", "show"), ("journal", "ls"), ("journal", "verify"), ("replay",)])
def test_no_text_from_outside_is_obeyed_by_a_terminal(files: Files, type_: Typed, command: tuple[str, ...]) -> None:
    hostile = "\x1b]0;owned\x07\u202e\x9b2J"
    files.write(TWO.replace("up | we go", ascii(hostile)[1:-1]).replace('"ups"', f'"{ascii(hostile)[1:-1]}"'))
    symbol = f"A{hostile}"
    assert type_("live", "ups.py", *REPLAYED, "--symbol", symbol).code == 0
    for words in (command, (*command, "--json"), ("live", "ups.py", *REPLAYED, "--symbol", symbol)):
        said = type_(*words)
        assert said.code == 0
        assert said.out
        assert not set(said.out + said.err) & set("\x1b\x07\u202e\x9b")
    refused = type_(*command, "--symbol", hostile)
    assert refused.code == 2
    assert not set(refused.err) & set("\x1b\x07\u202e\x9b")


def test_without_a_journal_a_reader_says_so_and_is_done(files: Files, type_: Typed) -> None:
    files.data.mkdir()
    for command in (("replay",), ("journal", "ls"), ("journal", "show"), ("journal", "verify")):
        assert type_(*command) == (0, "", "tickfold: there is no journal in data yet\n")
    assert type_("journal", "ls", "--json").document == {"streams": []}
    assert type_("replay", "--json").document == {"events": []}
