"""What stands in the pages and is made from the code is the code's own: nothing in it is stale."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import tickfold
from tests.docs import generated, pages
from tests.docs.reference import every_command, reference

ANEW = "run: python -m tests.docs.generated"


def test_the_reference_is_what_the_code_says() -> None:
    assert generated.REFERENCE.read_text(encoding="utf-8") == reference(), ANEW


@pytest.mark.parametrize("path", generated.WITH_TRANSCRIPTS, ids=lambda path: path.name)
def test_the_transcripts_in_a_page_are_those_that_the_engine_is_held_to(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == generated.with_transcripts(text), ANEW
    assert "<!-- transcript: " in text


def test_a_transcript_is_shown_whole_but_for_the_line_that_names_its_rule() -> None:
    assert generated.with_transcripts("<!-- transcript: active-long-stop-gap -->\n```text\nold\n```\n") == (
        "<!-- transcript: active-long-stop-gap -->\n```text\n"
        "# A candle opens beyond the stop: it fills at the open, though the target is reached later in the candle.\n"
        "\n"
        "00:00 x5  100 100 100 100  1\n"
        "  ask long take_profit=110 stop_loss=95 lifetime=60\n"
        "  00:05 opened price=100\n"
        "00:05     93 112 92 111  1\n"
        "  00:06 closed stop_loss price=93 pnl=-7.385814\n"
        "end: nothing alive\n"
        "```\n"
    )


def test_every_public_name_of_the_engine_stands_in_the_reference() -> None:
    spoken = reference()
    names = [name.removesuffix("_once") for name in tickfold.__all__]
    assert [name for name in names if f"### {name}\n" not in spoken and f"`{name}`" not in spoken] == ["TickfoldError"]
    assert "TickfoldError\n├──" in spoken


@pytest.mark.parametrize("words", [words for words, _ in every_command()], ids=" ".join)
def test_every_command_stands_in_the_reference_with_its_options(words: tuple[str, ...]) -> None:
    command = dict(every_command())[words]
    _, _, told = pages.text_of("docs/reference.md").partition(f"### {' '.join(words)}\n")
    told = told.partition("### ")[0]
    options = [option for each in command.params if isinstance(each, click.Option) for option in each.opts]
    assert [option for option in options if option not in told] == []
