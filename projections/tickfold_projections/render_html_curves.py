"""Equity and drawdown as drawings in the page (SVG), which a browser stretches to any width without stretching text.

A drawing has a thousand columns. Where more points fall into one, the first, the lowest, the highest and the last of it
are drawn, so no peak and no trough is lost. Between two closes the equity is not known: the line goes in steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import attrs

from .equity import DAY_MS, Drawdown, Point, deepest_drawdown
from .notation import instant
from .render_html_page import Html, join, text

COLUMNS = 1000
"""Columns of a drawing."""

LARGEST = 1e12
"""How many times its start the equity may reach in a drawing, or, on a logarithmic scale, what part of it."""

_CHOICE = Html(
    '<fieldset class="filter"><legend>Scale</legend>'
    '<label><input type="radio" name="scale" id="scale-linear" checked> Linear</label>'
    '<label><input type="radio" name="scale" id="scale-logarithmic"> Logarithmic</label></fieldset>\n'
)

_TOP, _FOOT = 10, 26
"""Room above the drawing and, for the days, under it, in pixels."""


@attrs.frozen
class Scale:
    """From times to columns and from values to rows of a thousand, 0 at the top."""

    first: int
    last: int
    low: float
    high: float

    def x(self, at: int) -> float:
        return COLUMNS * (at - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        return 1000 * (self.high - value) / (self.high - self.low)


@attrs.frozen
class _Drawing:
    """A curve, the scale that it is drawn to, and the levels that are named; `kind` says how it looks."""

    name: str
    kind: str
    title: str
    said: str
    points: Sequence[Point]
    scale: Scale
    levels: Sequence[tuple[float, str]]
    height: int


def curves(curve: Sequence[Point]) -> Html:
    """Both drawings, or why there is none."""
    if len(curve) == 1:
        return Html("<p>No curve: no signal closed.</p>\n")
    if curve[0].at == curve[-1].at:
        return Html("<p>No curve: no time passed from the first opening to the last closing.</p>\n")
    if max(point.equity for point in curve) > LARGEST:
        return Html("<p>No curve: the equity is too large to be drawn.</p>\n")
    fall = deepest_drawdown(curve)
    equity = [Point(point.at, 100 * (point.equity - 1)) for point in curve]
    parts = [_drawing(_equity(equity), fall), _drawing(_drawdown(depths(curve), fall), fall)]
    if min(point.equity for point in curve) > 1 / LARGEST:
        parts = [_CHOICE, parts[0], _drawing(_logarithm(curve, equity), fall), parts[1]]
    return join(parts)


def depths(curve: Sequence[Point]) -> list[Point]:
    """How far under its highest so far the equity is at each point, in percent, 0 or less."""
    peaks = itertools.accumulate((point.equity for point in curve), max)
    return [
        Point(point.at, 100 * (point.equity / peak - 1) if peak else 0.0)
        for point, peak in zip(curve, peaks, strict=True)
    ]


def thinned(points: Sequence[Point], scale: Scale) -> Iterator[Point]:
    """Of the points in one column the first, the lowest, the highest and the last, in the order of time."""
    for _, column in itertools.groupby(points, key=lambda point: round(scale.x(point.at))):
        inside = list(column)
        places = range(len(inside))
        kept = {
            0,
            min(places, key=lambda place: inside[place].equity),
            max(places, key=lambda place: inside[place].equity),
            len(inside) - 1,
        }
        yield from (inside[place] for place in sorted(kept))


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values from `low` to `high`, at most `count` steps of 1, 2, 2.5 or 5 times a power of ten."""
    step = _step((high - low) / count)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def growths(low: float, high: float) -> list[float]:
    """Levels for a logarithmic scale from `low` to `high` times the start: 1, 2 and 5 times powers of ten, or round
    percentages where so few of those would lie in between.
    """
    if high < 5 * low:
        return [1 + level / 100 for level in ticks(100 * (low - 1), 100 * (high - 1))]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [times * 10.0**power for power in powers for times in (1, 2, 5)]
    return [level for level in found if low <= level <= high]


def _equity(points: Sequence[Point]) -> _Drawing:
    scale = _scale(points)
    levels = [(level, _level(level)) for level in ticks(scale.low, scale.high)]
    return _Drawing("equity", "linear", "Equity, in percent", _summary(points), points, scale, levels, 240)


def _logarithm(curve: Sequence[Point], percents: Sequence[Point]) -> _Drawing:
    """The same on a scale on which equal shares are equally high."""
    points = [Point(point.at, math.log(point.equity)) for point in curve]
    scale = _scale(points)
    levels = [
        (math.log(level), _level(round(100 * (level - 1), 9)))
        for level in growths(math.exp(scale.low), math.exp(scale.high))
    ]
    title = "Equity, in percent, on a logarithmic scale"
    return _Drawing("logarithm", "logarithmic", title, _summary(percents), points, scale, levels, 240)


def _drawdown(points: Sequence[Point], fall: Drawdown | None) -> _Drawing:
    said = "The equity never fell."
    if fall is not None:
        end = f"made good at {_day(fall.end_at)}" if fall.recovered else "not made good yet"
        said = (
            f"Deepest fall {100 * fall.depth:.2f} %, from the peak at {_day(fall.peak_at)} "
            f"to the trough at {_day(fall.trough_at)}; {end}."
        )
    scale = _scale(points)
    levels = [(level, _level(level)) for level in ticks(scale.low, scale.high, 2)]
    return _Drawing("drawdown", "sunk", "Drawdown, in percent", said, points, scale, levels, 130)


def _summary(points: Sequence[Point]) -> str:
    top, bottom = max(points, key=lambda point: point.equity), min(points, key=lambda point: point.equity)
    return (
        f"Change of the equity: {_percent(points[-1].equity)} at {_day(points[-1].at)}, "
        f"highest {_percent(top.equity)} at {_day(top.at)}, lowest {_percent(bottom.equity)} at {_day(bottom.at)}."
    )


def _drawing(told: _Drawing, fall: Drawdown | None) -> Html:
    name, scale, height = told.name, told.scale, told.height
    path = _path(told.points, scale)
    band, trough = _marks(told, fall)
    return Html(
        f'<figure class="{told.kind}">\n'
        f'<svg role="img" aria-labelledby="{name}-name {name}-said" height="{_TOP + height + _FOOT}">\n'
        f'<title id="{name}-name">{told.title}</title>\n<desc id="{name}-said">{text(told.said)}</desc>\n'
        f"{band}{_levels(told)}"
        f'<svg y="{_TOP}" height="{height}" viewBox="0 0 {COLUMNS} 1000" preserveAspectRatio="none">'
        f'<path class="area" d="{path}V{scale.y(0):.1f}H0Z"/><path class="curve" d="{path}"/></svg>\n'
        f"{trough}{_days(scale, height)}</svg>\n"
        f"<figcaption>{told.title}. {text(told.said)}</figcaption>\n</figure>\n"
    )


def _scale(points: Sequence[Point]) -> Scale:
    low = min(0.0, *(point.equity for point in points))
    high = max(0.0, *(point.equity for point in points))
    room = 0.04 * (high - low) or 1.0
    return Scale(points[0].at, points[-1].at, low - room if low else low, high + room if high else high + room / 4)


def _path(points: Sequence[Point], scale: Scale) -> str:
    first, *rest = thinned(points, scale)
    steps = [f"M0 {scale.y(first.equity):.1f}"]
    before = 0
    for point in rest:
        x = round(scale.x(point.at))
        steps.append(f"{f'H{x}' if x != before else ''}V{scale.y(point.equity):.1f}")
        before = x
    return "".join(steps)


def _marks(told: _Drawing, fall: Drawdown | None) -> tuple[str, str]:
    """The deepest fall: a band behind the curve, and a circle at its trough."""
    if fall is None:
        return "", ""
    scale, height = told.scale, told.height
    begin, end = scale.x(fall.peak_at) / 10, scale.x(fall.end_at) / 10
    trough = min(point.equity for point in told.points if point.at == fall.trough_at)
    x, y = scale.x(fall.trough_at) / 10, _TOP + height * scale.y(trough) / 1000
    return (
        f'<rect class="band" x="{begin:.2f}%" width="{end - begin:.2f}%" y="{_TOP}" height="{height}"/>\n',
        f'<circle class="mark" cx="{x:.2f}%" cy="{y:.1f}" r="4"/>\n',
    )


def _levels(told: _Drawing) -> str:
    lines: list[str] = []
    for level, name in told.levels:
        y = _TOP + told.height * told.scale.y(level) / 1000
        kind = "zero" if name == _level(0) else "grid"
        lines.append(f'<line class="{kind}" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="2" y="{y - 4:.1f}">{name}</text>\n')
    return "".join(lines)


def _days(scale: Scale, height: int) -> str:
    """At most six midnights; where there is none, the first and the last minute."""
    midnights = range(-(-scale.first // DAY_MS) * DAY_MS, scale.last + 1, DAY_MS)
    shown = midnights[:: -(-len(midnights) // 6)] if midnights else (scale.first, scale.last)
    lines: list[str] = []
    for place, at in enumerate(shown):
        x = scale.x(at) / 10
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        told = _day(at)[:10] if midnights else _day(at)
        kind = ' class="between"' if place % 2 else ""
        lines.append(f'<text{kind} x="{x:.2f}%" y="{_TOP + height + 18}" text-anchor="{anchor}">{text(told)}</text>\n')
    return "".join(lines)


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= least * (1 - 1e-9))


def _level(level: float) -> str:
    return f"{level:+.10g} %" if abs(level) > 1e-9 else "0 %"


def _percent(value: float) -> str:
    return f"{value:+.2f} %"


def _day(at: int) -> str:
    return instant(at).replace("T", " ").removesuffix(":00Z")
