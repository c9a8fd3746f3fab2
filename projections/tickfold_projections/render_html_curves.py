"""Equity and drawdown as drawings in the page, and the accounts of several symbols beside what they make together.

A drawing has a thousand columns. Where more points fall into one, the first, the lowest, the highest and the last of it
are drawn, so no peak and no trough is lost. Between two closes the equity is not known: the line goes in steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import attrs

from .equity import Drawdown, Point, deepest_drawdown
from .render_html_drawing import TOP, Field, Scale, day, days, drawing, levels, percent, stretched, ticks
from .render_html_page import Html, join, text

LARGEST = 1e12
"""How many times its start the equity may reach in a drawing, or, on a logarithmic scale, what part of it."""

LINES = 8
"""So many lines can be told apart in one drawing."""


@attrs.frozen
class _Curve:
    """A curve, the field that it is drawn in, and the levels that are named; `kind` says how it looks."""

    name: str
    kind: str
    title: str
    said: str
    points: Sequence[Point]
    field: Field
    levels: Sequence[tuple[float, str]]


def curves(curve: Sequence[Point], *, log: bool = False) -> Html:
    """Equity and drawdown, or why there is none; `log`: the logarithmic scale is seen first."""
    lack = undrawn(curve)
    if lack is not None:
        return Html(f"<p>No curve: {lack}.</p>\n")
    fall = deepest_drawdown(curve)
    equity = _percents(curve)
    parts = [_drawn(_equity(equity), fall), _drawn(_drawdown(depths(curve), fall), fall)]
    if min(point.equity for point in curve) > 1 / LARGEST:
        parts = [_choice(log=log), parts[0], _drawn(_logarithm(curve, equity), fall), parts[1]]
    return join(parts)


def undrawn(curve: Sequence[Point]) -> str | None:
    """Why a curve cannot be drawn; None where it can."""
    if len(curve) == 1:
        return "no signal closed"
    if curve[0].at == curve[-1].at:
        return "no time passed from the first opening to the last closing"
    if max(point.equity for point in curve) > LARGEST:
        return "the equity is too large to be drawn"
    return None


def accounts(together: Sequence[Point], apart: Sequence[tuple[str, Sequence[Point]]]) -> Html:
    """The equity of several accounts, and what they make together; of more than `LINES` those that ended furthest from
    where they began.
    """
    lack = undrawn(together) or next((lack for _, curve in apart if (lack := undrawn(curve))), None)
    if lack is not None:
        return Html(f"<p>No curves: {lack}.</p>\n")
    furthest = sorted(apart, key=lambda each: -abs(each[1][-1].equity - 1))[:LINES]
    shown = [(name, _percents(curve)) for name, curve in apart if (name, curve) in furthest]
    whole = _percents(together)
    scale = _scale([*whole, *(point for _, curve in shown for point in curve)])
    field = Field(attrs.evolve(scale, first=whole[0].at, last=whole[-1].at), 260)
    lines = [f'<path class="curve line{n}" d="{_path(curve, field.scale)}"/>' for n, (_, curve) in enumerate(shown, 1)]
    lines.append(f'<path class="curve whole" d="{_path(whole, field.scale)}"/>')
    named = [(level, percent(level)) for level in ticks(scale.low, scale.high)]
    said = "The thick line is all of them together; each symbol's line ends where its last signal closed."
    if len(shown) < len(apart):
        said += f" Drawn are the {len(shown)} of {len(apart)} that ended furthest from where they began."
    inside = (levels(field, named), stretched(field, "".join(lines)), days(field))
    keys = "".join(
        f'<li><svg class="key" aria-hidden="true"><line class="curve line{n}" x2="26" y1="6" y2="6"/></svg>'
        f"{text(name)} {_percent(curve[-1].equity)}</li>"
        for n, (name, curve) in enumerate(shown, 1)
    )
    return join(
        (drawing("accounts", "Equity by symbol, in percent", said, field, inside), f'<ul class="keys">{keys}</ul>\n')
    )


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


def growths(low: float, high: float) -> list[float]:
    """Levels for a logarithmic scale from `low` to `high` times the start: 1, 2 and 5 times powers of ten, or round
    percentages where so few of those would lie in between.
    """
    if high < 5 * low:
        return [1 + level / 100 for level in ticks(100 * (low - 1), 100 * (high - 1))]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [times * 10.0**power for power in powers for times in (1, 2, 5)]
    return [level for level in found if low <= level <= high]


def _choice(*, log: bool) -> Html:
    buttons = "".join(
        f'<label><input type="radio" name="scale" id="scale-{name}"{" checked" if first else ""}> {name.capitalize()}'
        "</label>"
        for name, first in (("linear", not log), ("logarithmic", log))
    )
    return Html(f'<fieldset class="filter"><legend>Scale</legend>{buttons}</fieldset>\n')


def _percents(curve: Sequence[Point]) -> list[Point]:
    return [Point(point.at, 100 * (point.equity - 1)) for point in curve]


def _equity(points: Sequence[Point]) -> _Curve:
    scale = _scale(points)
    named = [(level, percent(level)) for level in ticks(scale.low, scale.high)]
    return _Curve("equity", "linear", "Equity, in percent", _summary(points), points, Field(scale, 260), named)


def _logarithm(curve: Sequence[Point], percents: Sequence[Point]) -> _Curve:
    """The same on a scale on which equal shares are equally high."""
    points = [Point(point.at, math.log(point.equity)) for point in curve]
    scale = _scale(points)
    named = [
        (math.log(level), percent(round(100 * (level - 1), 9)))
        for level in growths(math.exp(scale.low), math.exp(scale.high))
    ]
    title = "Equity, in percent, on a logarithmic scale"
    return _Curve("logarithm", "logarithmic", title, _summary(percents), points, Field(scale, 260), named)


def _drawdown(points: Sequence[Point], fall: Drawdown | None) -> _Curve:
    said = "The equity never fell."
    if fall is not None:
        end = f"made good at {day(fall.end_at)}" if fall.recovered else "not made good yet"
        said = (
            f"Deepest fall {100 * fall.depth:.2f} %, from the peak at {day(fall.peak_at)} "
            f"to the trough at {day(fall.trough_at)}; {end}."
        )
    scale = _scale(points)
    named = [(level, percent(level)) for level in ticks(scale.low, scale.high, 2)]
    return _Curve("drawdown", "sunk", "Drawdown, in percent", said, points, Field(scale, 120), named)


def _summary(points: Sequence[Point]) -> str:
    top, bottom = max(points, key=lambda point: point.equity), min(points, key=lambda point: point.equity)
    return (
        f"Change of the equity: {_percent(points[-1].equity)} at {day(points[-1].at)}, "
        f"highest {_percent(top.equity)} at {day(top.at)}, lowest {_percent(bottom.equity)} at {day(bottom.at)}."
    )


def _drawn(told: _Curve, fall: Drawdown | None) -> Html:
    field = told.field
    path = _path(told.points, field.scale)
    band, trough = _marks(told, fall)
    inside = (
        levels(field, told.levels),
        stretched(
            field,
            f'<path class="area" d="{path}V{field.scale.y(0):.1f}H0Z"/><path class="curve" d="{path}"/>',
        ),
        band if told.kind != "sunk" else "",
        trough,
        days(field),
    )
    return drawing(told.name, told.title, told.said, field, inside, kind=told.kind)


def _scale(points: Sequence[Point]) -> Scale:
    low = min(0.0, *(point.equity for point in points))
    high = max(0.0, *(point.equity for point in points))
    room = 0.04 * (high - low) or 1.0
    return Scale(points[0].at, points[-1].at, low - room if low else low, high + room if high else high + room / 4)


def _path(points: Sequence[Point], scale: Scale) -> str:
    first, *rest = thinned(points, scale)
    steps = [f"M{round(scale.x(first.at))} {scale.y(first.equity):.1f}"]
    before = round(scale.x(first.at))
    for point in rest:
        x = round(scale.x(point.at))
        steps.append(f"{f'H{x}' if x != before else ''}V{scale.y(point.equity):.1f}")
        before = x
    return "".join(steps)


def _marks(told: _Curve, fall: Drawdown | None) -> tuple[str, str]:
    """The deepest fall: a bar at the foot of the field, from the peak to its end, and a circle at its trough."""
    if fall is None:
        return "", ""
    field = told.field
    trough = min(point.equity for point in told.points if point.at == fall.trough_at)
    wide = field.wide(fall.peak_at, fall.end_at)
    return (
        f'<rect class="band" x="{field.x(fall.peak_at)}" width="{wide}" y="{TOP + field.height - 4}" height="4"/>\n',
        f'<circle class="mark" cx="{field.x(fall.trough_at)}" cy="{field.y(trough):.1f}" r="4"/>\n',
    )


def _percent(value: float) -> str:
    return f"{value:+.2f} %"
