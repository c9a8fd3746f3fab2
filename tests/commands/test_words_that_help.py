"""What a command says where a newcomer goes wrong: it names what was asked for, and what to write instead."""

from __future__ import annotations

from pathlib import Path

from tests.commands.typing_commands import Files, Typed

STRATEGY = """
from tickfold import strategy

@strategy("quiet")
def quiet(ctx):
    return None
"""


def test_an_exchange_without_its_kind_is_told_how_to_write_it(type_: Typed, files: Files, tmp_path: Path) -> None:
    (tmp_path / "quiet.py").write_text(STRATEGY)
    said = type_("live", "quiet.py", "--symbol", "A", "--exchange", "binance")
    assert said.code == 2
    assert "written ccxt:binance" in said.err


def test_a_replay_over_an_exchange_without_a_span_is_told_what_a_replay_needs(
    type_: Typed, files: Files, tmp_path: Path
) -> None:
    (tmp_path / "quiet.py").write_text(STRATEGY)
    said = type_("live", "quiet.py", "--symbol", "BTC/USD", "--exchange", "ccxt:kraken", "--clock", "replay")
    assert said.code == 2
    assert "give csv:PATH or sim:SEED" in said.err
    assert "--from" not in said.err


def test_a_report_that_cannot_be_written_names_the_file_that_was_asked_for(type_: Typed, journals: Path) -> None:
    said = type_("report", "ups", "--data-dir", journals, "--out", "/nowhere/x.csv", "--format", "csv")
    assert said.code == 1
    assert "/nowhere/x.csv: there is no such file or directory" in said.err
