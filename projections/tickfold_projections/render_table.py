"""A heat, a schedule or a performance as Markdown, JSON and CSV. The same journal gives the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from .heat import Heat
from .notation import json_shown, number
from .performance import Performance
from .render_csv import harmless
from .render_markdown import escaped, heading
from .schedule import Schedule
from .table import TOGETHER, Table
from .wording import figure_text


def render_table_markdown(table: Table) -> str:
    """The table, then what each of its columns means."""
    return "\n".join(_lines(table)) + "\n"


def render_table_csv(table: Table) -> str:
    """A line a symbol and one for all, numbers in full; what is not known is empty (RFC 4180)."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow(("Symbol", *(column.title for column in table.columns)))
    for name, figures in (*table.lines, (TOGETHER, table.together)):
        values = (figure.value for figure in figures)
        lines.writerow((harmless(name), *("" if value is None else number(value) for value in values)))
    return written.getvalue()


def render_table_json(told: Heat | Schedule | Performance) -> str:
    """Indented JSON: the fields of the projection; a figure is its `value`, or null and the `reason`."""
    return json_shown(msgspec.json.format(msgspec.json.encode(told), indent=2).decode()) + "\n"


def _lines(table: Table) -> Iterator[str]:
    yield f"# {table.title}: {heading(table.strategy)}"
    yield ""
    if not table.lines:
        yield table.none
        return
    yield f"| Symbol | {' | '.join(column.title for column in table.columns)} |"
    yield f"|{' --- |' * (1 + len(table.columns))}"
    for name, figures in (*table.lines, (TOGETHER, table.together)):
        told = zip(figures, table.columns, strict=True)
        yield f"| {escaped(name)} | {' | '.join(figure_text(figure, column.unit) for figure, column in told)} |"
    yield ""
    yield "## Definitions"
    yield ""
    yield "| Statistic | Definition |"
    yield "| --- | --- |"
    yield from (f"| {column.title} | {column.text} |" for column in table.columns)
