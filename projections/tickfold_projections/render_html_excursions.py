"""How far signals went against their results, in the page: two drawings with a mark a signal, and the figures of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from .excursion_figures import EXCURSION_DEFINITIONS, Reach, excursion_figures, reaches
from .render_html_drawing import COLUMNS, TOP, Field, Scale, below, day, drawing, levels, percent, ticks
from .render_html_figures import figures_table
from .render_html_page import Html, join, text
from .report import Report
from .wording import naming, result_text

MARKS = 1000
"""Of more signals than these the drawing shows how many lie where."""

_ACROSS, _DOWN, _SHADES = 50, 26, 4


def excursions(report: Report) -> Html:
    """Both drawings and the figures, or why there are none."""
    if report.market is None:
        return Html("<p>Not known: no candles were at hand.</p>\n")
    found = reaches(report)
    figures = figures_table("How far signals went", EXCURSION_DEFINITIONS, excursion_figures(report))
    if not found:
        return figures
    against = _scatter("mae", "Result and MAE, in percent", found, lambda each: each.adverse, "against")
    ahead = _scatter("mfe", "Result and MFE, in percent", found, lambda each: each.favourable, "in favour of")
    return join((Html(f'<div class="two">\n<div>{against}</div><div>{ahead}</div></div>\n'), figures))


def _scatter(name: str, title: str, found: Sequence[Reach], reach: Callable[[Reach], float], way: str) -> Html:
    values = [reach(each) for each in found]
    field = Field(_scale(values, [each.result for each in found]), 240)
    scale = field.scale
    named = [(level, percent(level)) for level in ticks(scale.low, scale.high)]
    across = [(level, percent(level)) for level in ticks(scale.first, scale.last)]
    said = (
        f"Across: how far the price went {way} each of {len(found)} signals while it was open; up: its net result. "
        f"Furthest {result_text(max(values, key=abs))}."
    )
    marks = _marks(field, found, values) if len(found) <= MARKS else _cells(field, found, values)
    return drawing(
        name, title, said, field, (levels(field, named), _lines(field, across), *marks, below(field, across))
    )


def _scale(values: Sequence[float], results: Sequence[float]) -> Scale:
    first, last = min(0.0, *values), max(0.0, *values)
    low, high = min(0.0, *results), max(0.0, *results)
    wide, high_room = 0.04 * (last - first) or 1.0, 0.06 * (high - low) or 1.0
    return Scale(first - wide, last + wide, low - high_room, high + high_room)


def _lines(field: Field, across: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<line class="{"grid" if level else "zero"}" x1="{field.x(level)}" x2="{field.x(level)}" '
        f'y1="{TOP}" y2="{TOP + field.height}"/>\n'
        for level, _ in across
    )


def _marks(field: Field, found: Sequence[Reach], values: Sequence[float]) -> Iterator[str]:
    named = naming(found)
    for each, value in zip(found, values, strict=True):
        kind = " won" if each.result > 0 else " lost" if each.result < 0 else ""
        said = f"{named(each)}, closed {day(each.closed_at)}: {percent_of(value)}, result {result_text(each.result)}"
        yield (
            f'<circle class="dot{kind}" cx="{field.x(value)}" cy="{field.y(each.result):.1f}" r="3.5">'
            f"<title>{text(said)}</title></circle>\n"
        )


def percent_of(value: float) -> str:
    """How far a price went."""
    return f"{value:+.2f} %"


def _cells(field: Field, found: Sequence[Reach], values: Sequence[float]) -> Iterator[str]:
    """The drawing in boxes, the darker the more signals lie in one."""
    places = (
        (int(field.scale.x(value) * _ACROSS / COLUMNS), int(field.scale.y(each.result) * _DOWN / 1000))
        for each, value in zip(found, values, strict=True)
    )
    counted = Counter(places)
    most = max(counted.values())
    for (column, line), count in sorted(counted.items()):
        shade = -(-_SHADES * count // most)
        yield (
            f'<rect class="dense{shade}" x="{100 * column / _ACROSS:.2f}%" width="{100 / _ACROSS:.2f}%" '
            f'y="{TOP + field.height * line / _DOWN:.1f}" height="{field.height / _DOWN:.1f}">'
            f"<title>{count}</title></rect>\n"
        )
