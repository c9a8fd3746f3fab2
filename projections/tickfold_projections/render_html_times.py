"""When signals were opened and how long they were held, in the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .figures import figure
from .periods import WEEKDAYS, Bin, Share, by_hour, holding_bins
from .render_html_drawing import TOP, Field, Scale, below, drawing, levels, ticks
from .render_html_figures import shade
from .render_html_page import Html, cell, row, table, text
from .trades import Trade

HOURS = tuple(f"{hour:02}" for hour in range(24))


def hours(trades: Sequence[Trade]) -> Html:
    """The week, a line a day, a column an hour: the sum of the results of what was opened in it."""
    if not trades:
        return Html("<p>No closed signals.</p>\n")
    told = by_hour(trades)
    largest = max(abs(each.total.value or 0) for line in told for each in line)
    lines = (
        row(text(name[:3]), [*(_hour(each, largest) for each in line), text(_sum(line))])
        for name, line in zip(WEEKDAYS, told, strict=True)
    )
    caption = "Total PNL, in percent, by the day and the hour (UTC) of opening; empty: none was opened"
    return table("heat hours", caption, ("Day", *HOURS, "All"), lines)


def holding(trades: Sequence[Trade]) -> Html:
    """A histogram of how long signals were held, wins on losses."""
    bins = holding_bins(trades)
    if not bins:
        return Html("<p>No closed signals.</p>\n")
    most = max(each.closed for each in bins)
    field = Field(Scale(-0.04 * bins[-1].end, bins[-1].end, 0, most * 1.06), 150)
    named = [(level, f"{level:g}") for level in ticks(0, most) if level == int(level)]
    ends = bins[:: -(-len(bins) // 6)]
    inside = (
        levels(field, named),
        *_bars(field, bins),
        below(field, [(each.begin, _minutes(each.begin)) for each in ends]),
    )
    width = bins[0].end
    fullest = max(bins, key=lambda each: each.closed)
    said = (
        f"Closed signals by the time from opening to closing, in steps of {_minutes(width)}; the dark part won. "
        f"Most, {fullest.closed} of {len(trades)}, were held for {_minutes(fullest.begin)} to {_minutes(fullest.end)}."
    )
    return drawing("holding", "Holding time", said, field, inside)


def _bars(field: Field, bins: Sequence[Bin]) -> Iterator[str]:
    for each in bins:
        span = each.end - each.begin
        x, wide = field.x(each.begin + span * 0.06), field.wide(0, span * 0.88)
        split, top, foot = field.y(each.wins), field.y(each.closed), TOP + field.height
        said = (
            f"{_minutes(each.begin)} to {_minutes(each.end)}: {each.wins} won, {each.losses} lost, {each.draws} draws"
        )
        yield (
            f"<g><title>{text(said)}</title>"
            f'<rect class="some" x="{x}" width="{wide}" y="{top:.1f}" height="{split - top:.1f}"/>'
            f'<rect class="most" x="{x}" width="{wide}" y="{split:.1f}" height="{foot - split:.1f}"/></g>\n'
        )


def _hour(each: Share, largest: float) -> Html:
    if not each.closed:
        return text("")
    value = each.total.value
    said = f"{each.name}: {each.closed} closed, {each.wins} won"
    kind = shade(value, largest)
    told = cell("N/A" if value is None else _short(value), kind=kind)
    return Html(told.replace("<td", f'<td title="{text(said)}"', 1))


def _sum(line: Sequence[Share]) -> str:
    if not any(each.closed for each in line):
        return "–"
    total = figure(lambda: math.fsum(each.total.value or 0 for each in line))
    return "N/A" if total.value is None else _short(total.value)


def _short(value: float) -> str:
    return f"{value:+.1f}" if abs(value) < 100 else f"{value:+.4g}"


def _minutes(minutes: int) -> str:
    if minutes % 60 or not minutes:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes % 1440 or minutes < 2880 else f"{minutes // 1440} d"
