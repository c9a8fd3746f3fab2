"""Markdown, JSON and CSV: the whole of a report as bytes, and nothing in it that its reader obeys."""

from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.projections.sample import GOLDEN, RENDERINGS, sample
from tests.projections.stories import Story, trades
from tickfold_eventstore.signals import Ticks
from tickfold_projections.figures import DEFINITIONS, TOTAL_EVENTS
from tickfold_projections.notation import shown
from tickfold_projections.render_csv import harmless, render_csv
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import escaped, render_markdown
from tickfold_projections.report import COLUMNS, report

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


def cells(text: str) -> list[str]:
    """The cells of the rows of the first table, as a reader of the rendered page sees them."""
    inline = (token.children or () for token in MARKDOWN.parse(text) if token.type == "inline")
    return ["".join(each.content if each.type == "text" else f"<{each.type}>" for each in line) for line in inline]


def hostile(note: str, *, strategy: str = "w", symbol: str = "A") -> Story:
    story = Story(symbol, strategy=strategy)
    story.open(0, note=note)
    return story


HOSTILE = [
    "a | b || c",
    "`code` ``",
    "<script>alert(1)</script><!--",
    "&lt;b&gt; & &amp;",
    "[link](javascript:alert) ![image](x)",
    "*bold* _thin_ __both__ ~~gone~~",
    "trailing backslash \\",
    "escaped pipe \\| and \\\\|",
    "https://example.org www.example.org me@example.org ftp://x",
    "line\nbreak\r\nand\ttab",
    "\x1b[2J\x07\x00\x7f\x9b",
    "\u202eright to left\u2066",
    "$x^2$ and $$",
    "# 1. - + > ===",
    "snake_case stays",
    "🚀 naïve 漢字",
    "   ",
    "",
]


@pytest.mark.parametrize("name", RENDERINGS)
def test_the_sample_report_is_the_golden_one_byte_for_byte(name: str) -> None:
    expected = (GOLDEN / name).read_bytes()
    assert RENDERINGS[name](sample()).encode() == expected, "run: python -m tests.projections.sample"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_seen_in_markdown_as_it_is_and_is_no_markup(text: str) -> None:
    seen = cells(render_markdown(report("w", hostile(text).events)))
    row = seen[seen.index(COLUMNS[0]) + len(COLUMNS) :][: len(COLUMNS)]
    assert row[4:7] == ["long", shown(text).strip(), "100"]


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_whatever_a_note_is_it_is_one_cell(text: str) -> None:
    seen = cells(f"| a | b |\n| --- | --- |\n| {escaped(text)} | end |\n")
    assert [seen[0], seen[1], seen[3]] == ["a", "b", "end"]
    assert seen[2].split() == shown(text).split()
    assert "<" not in seen[2].replace("<", "", text.count("<"))


@pytest.mark.parametrize("name", ["plain", "a #", "a ##", "# b", "*x*", "<i>", "x\ny", "a_b"])
def test_a_strategy_is_named_in_the_heading_as_it_is(name: str) -> None:
    text = render_markdown(report(name, []))
    assert cells(text)[0] == f"Live Trading Report: {shown(name)}"


def test_no_link_is_made_of_text_by_those_who_make_links_of_plain_text() -> None:
    plain = escaped("see https://example.org/x?y=1 or www.example.org or me@example.org")
    assert all(found not in plain for found in ("://", "www.", "@"))


def test_a_report_of_nothing_says_so() -> None:
    lines = render_markdown(report("w", [])).splitlines()
    assert lines[:3] == ["# Live Trading Report: w", "", "No events."]
    assert lines[-15:] == [
        *("## By symbol", "", "No closed signals.", ""),
        *("## What stands out", "", "Nothing that the rules look for.", ""),
        *("## Open signals", "", "None.", ""),
        *("## Provenance", "", "No events."),
    ]
    assert render_csv(report("w", [])) == ",".join((*COLUMNS, "Exchange")) + "\r\n"


def test_a_backtest_is_titled_as_one() -> None:
    assert render_markdown(report("w", [], kind="backtest")).startswith("# Backtest Report: w\n")


def test_every_figure_stands_with_its_definition() -> None:
    text = render_markdown(sample())
    for definition in (TOTAL_EVENTS, *DEFINITIONS.values()):
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {definition.title} |"))
        assert line.endswith(f" | {definition.text} |")


def test_counts_that_a_crash_took_are_told_as_at_least() -> None:
    story = Story()
    story.start(0, ticks=Ticks())
    story.trade(10, 15, 1.0)
    story.start(60, ticks=Ticks())
    story.stop(70, price=1.0, ticks=Ticks(idle=10, missed=2))
    (line,) = (line for line in render_markdown(report("w", story.events)).splitlines() if "Total events" in line)
    assert line.split(" | ")[1] == (
        "at least 12 (at least idle 10, waiting 0, active 0, scheduled 0, opened 1, cancelled 0, closed 1, rejected 0; "
        "missed slots: at least 2)"
    )


def test_without_counts_of_boundaries_the_events_are_told_alone() -> None:
    (line,) = (line for line in render_markdown(report("w", trades([1.0]))).splitlines() if "Total events" in line)
    assert line.split(" | ")[1] == (
        "2 (scheduled 0, opened 1, cancelled 0, closed 1, rejected 0; boundaries were not counted)"
    )


def test_a_symbol_at_two_exchanges_is_told_with_its_exchange() -> None:
    here, there = Story("A", exchange="here"), Story("A", exchange="there")
    here.open(0)
    there.open(0)
    text = render_markdown(report("w", [*here.events, *there.events]))
    assert text.count("| here/A |") == text.count("| there/A |") == 2
    table = list(csv.reader(io.StringIO(render_csv(report("w", [*here.events, *there.events])), newline="")))
    assert [(row[2], row[-1]) for row in table[1:]] == [("A", "here"), ("A", "there")]


def test_the_provenance_is_the_foot_and_can_be_left_out() -> None:
    whole, bare = render_markdown(sample()), render_markdown(sample(), provenance=False)
    assert whole.startswith(bare)
    assert whole[len(bare) :].startswith("\n## Provenance\n")
    document = json.loads(render_json(sample(), provenance=False))
    assert document.pop("provenance") is None
    assert document == {key: value for key, value in json.loads(render_json(sample())).items() if key != "provenance"}


def test_json_is_one_document_that_a_terminal_may_print() -> None:
    note = "\x1b[2J \x7f \x9b \u2028 \u202e \ufeff é 🚀"
    text = render_json(report("w", hostile(note).events))
    assert all(character == "\n" or character.isprintable() for character in text)
    assert json.loads(text)["rows"][0]["note"] == note
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t=1", r"\t=1"),  # what is shown begins with a backslash
        ("\r\n=1", r"\r\n=1"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_compute_is_text(text: str, cell: str) -> None:
    assert harmless(text) == cell


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_csv_reads_back_as_the_cells_that_were_written(note: str) -> None:
    text = render_csv(report("w", hostile(note, symbol='A,"B"').events))
    header, row = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == [*COLUMNS, "Exchange"]
    assert (row[2], row[5]) == ('A,"B"', harmless(note))
    assert text.count("\r\n") == 2
    assert text.count("\n") == 2


def test_numbers_in_csv_and_json_are_told_in_full() -> None:
    story = Story()
    story.trade(0, 1, 0.1 + 0.2)
    told = report("w", story.events)
    row = list(csv.DictReader(io.StringIO(render_csv(told), newline="")))[1]
    assert float(row["PNL (net)"]) == 0.1 + 0.2
    assert json.loads(render_json(told))["rows"][1]["percentage"] == 0.1 + 0.2


def test_the_same_report_gives_the_same_bytes_twice() -> None:
    again = msgspec.json.decode(render_json(sample()), type=type(sample()))
    assert {name: render(again) for name, render in RENDERINGS.items()} == {
        name: render(sample()) for name, render in RENDERINGS.items()
    }
