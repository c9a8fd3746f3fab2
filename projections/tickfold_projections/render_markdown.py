"""A report as Markdown: tables that read well as plain text too. The same report gives the same bytes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from .diagnoses import diagnoses
from .figures import DEFINITIONS, TOTAL_EVENTS
from .notation import instant, number, shown
from .report import COLUMNS, OpenSignal, Provenance, Report, Row
from .statistics import Outcomes, Statistics
from .wording import TITLES, counts_text, figure_text, naming, result_text
from .wording_provenance import PROVENANCE, configurations, made_texts, setting_text

_MARKS = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINKS = re.compile(r"(?i)(?<=[a-z])(:)(?=//)|(?<=www)(\.)|(@)")


def render_markdown(report: Report, *, provenance: bool = True) -> str:
    """The report as Markdown; `provenance`: with the block at its foot."""
    return "\n".join(_lines(report, provenance=provenance)) + "\n"


@functools.lru_cache(maxsize=4096)
def escaped(text: str) -> str:
    """Text from outside, for a table cell: nothing in it is markup, a link, or a line end.

    An underscore inside a word is none in Markdown and stays as it is.
    """
    plain = "".join(_ENTITIES.get(character, character) for character in shown(text))
    marked = _MARKS.sub(lambda found: "\\" + found[0], plain)
    return _LINKS.sub(lambda found: f"&#{ord(found[0])};", marked)


def _lines(report: Report, *, provenance: bool) -> Iterator[str]:
    yield f"# {TITLES[report.kind]}: {heading(report.strategy)}"
    yield ""
    named = naming([*report.rows, *report.open])
    yield from _table(COLUMNS, (_row(row, escaped(named(row))) for row in report.rows), none="No events.")
    yield from _section("Statistics", ("Statistic", "Value", "Definition"), _figures(report.statistics))
    for title, column, groups in (
        ("By close reason", "Close Reason", report.statistics.by_reason),
        ("By side", "Position", report.statistics.by_side),
        ("By symbol", "Symbol", report.statistics.by_symbol),
    ):
        columns: Sequence[str] = (column, "Closed", "W / L / draws", "Win rate", "Average PNL", "Total PNL")
        yield from _section(title, columns, map(_outcomes, groups), none="No closed signals.")
    yield from ("", "## What stands out", "", *_notable(report))
    columns = ("Symbol", "Signal ID", "Position", "State", "Since", "Note", *COLUMNS[7:10], "Price", "Unrealised PNL")
    yield from _section(
        "Open signals", columns, (_open_signal(found, escaped(named(found))) for found in report.open), none="None."
    )
    if provenance and report.provenance is not None:
        yield from _section("Provenance", PROVENANCE, map(_provenance, report.provenance), none="No events.")
        yield from _configurations(report.provenance)


def _notable(report: Report) -> list[str]:
    return [f"- {escaped(each)}" for each in diagnoses(report)] or ["Nothing that the rules look for."]


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, none: str = "") -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from _table(columns, rows, none=none)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, none: str) -> Iterator[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        yield none
        return
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    yield from lines


def heading(text: str) -> str:
    """A heading may end in number signs, and they are no part of it."""
    return re.sub(r"#+\Z", lambda found: "\\#" * len(found[0]), escaped(text))


def _row(row: Row, symbol: str) -> Sequence[str]:
    return (
        instant(row.at),
        row.action,
        symbol,
        _text(row.signal_id),
        escaped(row.position),
        _text(row.note),
        _level(row.price),
        _level(row.entry),
        _level(row.take_profit),
        _level(row.stop_loss),
        result_text(row.percentage),
        _text(row.reason),
        _level(row.minutes),
    )


def _figures(statistics: Statistics) -> Iterator[Sequence[str]]:
    yield TOTAL_EVENTS.title, counts_text(statistics.counts), TOTAL_EVENTS.text
    for name, definition in DEFINITIONS.items():
        value = figure_text(getattr(statistics, name), definition.unit)
        if name == "win_rate":
            value += f" (W {statistics.wins} / L {statistics.losses} / draws {statistics.draws})"
        yield definition.title, value, definition.text


def _outcomes(group: Outcomes) -> Sequence[str]:
    return (
        escaped(group.name),
        str(group.closed),
        f"{group.wins} / {group.losses} / {group.draws}",
        figure_text(group.win_rate, "share"),
        figure_text(group.average_pnl, "result"),
        figure_text(group.total_pnl, "result"),
    )


def _open_signal(found: OpenSignal, symbol: str) -> Sequence[str]:
    signal = found.signal
    return (
        symbol,
        escaped(signal.id),
        signal.position,
        found.state,
        instant(found.since),
        _text(signal.note),
        _level(signal.entry),
        _level(signal.take_profit),
        _level(signal.stop_loss),
        _level(found.price) + ("" if found.price_at is None else f" ({instant(found.price_at)})"),
        result_text(found.percentage),
    )


def _provenance(found: Provenance) -> Sequence[str]:
    return (
        escaped(f"{found.exchange}/{found.strategy}/{found.symbol}"),
        f"{found.first_seq} to {found.last_seq}" if found.last_seq else "none",
        _text(found.head_hash),
        str(found.starts),
        *(escaped(said) for said in made_texts(found.made)),
    )


def _configurations(streams: Sequence[Provenance]) -> Iterator[str]:
    for config_hash, values in configurations(streams).items():
        yield ""
        said = ", ".join(f"{name} {setting_text(value)}" for name, value in values.items())
        yield f"Configuration {escaped(config_hash)}: {escaped(said)}"


def _text(text: str | None) -> str:
    return "N/A" if text is None else escaped(text)


def _level(level: float | str | None) -> str:
    if level is None:
        return "N/A"
    return escaped(level) if isinstance(level, str) else number(level)
