"""The price in the page, with each signal drawn on it: its entry, its target, its stop, and where and how it ended.

A signal is a box from its opening to its end: green from the entry to the target, red from the entry to the stop, a
line from the entry to the exit with a mark at either end. What it was is said in words where one points at it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import attrs

from .prices import PricePoint, Stretch
from .render_html_drawing import COLUMNS, Field, Scale, day, days, drawing, levels, stretched, ticks
from .render_html_page import Html, join, price, text
from .report import Level, Report, Row
from .told import opened_at
from .wording import naming, result_text

OPEN_STRETCHES = 3
"""So many drawings of a symbol stand open; of more than these only the last does."""

_REACH = 0.6
"""How far levels may stretch the scale of the price, as a part of it, on either side."""


@attrs.frozen
class _Drawn:
    """A signal as it is drawn; `leave` and `percentage` are None while it is open."""

    position: str
    begin_at: int
    end_at: int
    entry: float
    take_profit: float
    stop_loss: float
    leave: float | None
    percentage: float | None
    reason: str


def prices(report: Report) -> Html:
    """A drawing for each stretch of time, or why there is none."""
    market = report.market
    if market is None:
        return Html(
            "<p>No price: no candles were at hand. A backtest has them, and --exchange SOURCE gives them.</p>\n"
        )
    if not market.stretches:
        return Html("<p>No price: no signal was opened, or its candles are not there.</p>\n")
    named = naming(market.stretches)
    symbols = [
        (name, [(f"price{number}", stretch) for number, stretch in group])
        for name, group in itertools.groupby(enumerate(market.stretches, 1), key=lambda each: named(each[1]))
    ]
    if len(symbols) == 1:
        return join((_key(), *_symbol(report, *symbols[0])))
    parts = [
        Html(f"<details{' open' if not place else ''}><summary>{text(name)}</summary>\n{join(told)}</details>\n")
        for place, (name, told) in enumerate((name, list(_symbol(report, name, inside))) for name, inside in symbols)
    ]
    return join((_key(), *parts))


def _symbol(report: Report, symbol: str, stretches: Sequence[tuple[str, Stretch]]) -> Iterator[Html]:
    """The last stretch stands open; where there are many, those before it are folded."""
    for name, stretch in stretches:
        signals = list(_signals(report, stretch))
        title = f"{symbol}, {day(stretch.points[0].at)} to {day(stretch.points[-1].at)}"
        figure = _stretch(name, title, stretch, signals)
        counted = "1 signal" if len(signals) == 1 else f"{len(signals)} signals"
        if len(stretches) > OPEN_STRETCHES and stretch is not stretches[-1][1]:
            yield Html(f"<details><summary>{text(title)}: {counted}</summary>\n{figure}</details>\n")
        else:
            yield figure


def _key() -> str:
    said = (
        ("zone target", "entry to target"),
        ("zone stop", "entry to stop"),
    )
    boxes = "".join(
        f'<li><svg class="key" aria-hidden="true"><rect class="{kind}" width="26" height="12"/></svg>{name}</li>'
        for kind, name in said
    )
    marks = (
        '<li><svg class="key" aria-hidden="true"><path class="enter" d="M8 11L13 2L18 11Z"/></svg>opened long</li>'
        '<li><svg class="key" aria-hidden="true"><path class="enter" d="M8 2L13 11L18 2Z"/></svg>opened short</li>'
        '<li><svg class="key" aria-hidden="true"><circle class="leave won" cx="13" cy="6" r="4"/></svg>closed, won</li>'
        '<li><svg class="key" aria-hidden="true"><path class="leave lost" d="M9 2L17 10M9 10L17 2"/></svg>'
        "closed, lost</li>"
    )
    return f'<ul class="keys">{boxes}{marks}</ul>\n'


def _signals(report: Report, stretch: Stretch) -> Iterator[_Drawn]:
    for row in report.rows:
        if row.action == "closed" and (row.exchange, row.symbol) == (stretch.exchange, stretch.symbol):
            begin_at = opened_at(row)
            if stretch.first_at <= begin_at <= stretch.last_at:
                yield _closed(row, begin_at)
    for each in report.open:
        signal = each.signal
        here = (each.exchange, each.symbol) == (stretch.exchange, stretch.symbol)
        if here and each.state == "opened" and stretch.first_at <= each.since <= stretch.last_at:
            yield _Drawn(
                position=signal.position,
                begin_at=each.since,
                end_at=max(each.since, stretch.points[-1].at),
                entry=signal.entry,
                take_profit=signal.take_profit,
                stop_loss=signal.stop_loss,
                leave=None,
                percentage=None,
                reason="open",
            )


def _closed(row: Row, begin_at: int) -> _Drawn:
    return _Drawn(
        position=row.position,
        begin_at=begin_at,
        end_at=row.at,
        entry=_known(row.entry),
        take_profit=_known(row.take_profit),
        stop_loss=_known(row.stop_loss),
        leave=row.price,
        percentage=row.percentage,
        reason=row.reason or "",
    )


def _known(level: Level) -> float:
    assert isinstance(level, float | int), "a signal that was opened has its levels"
    return float(level)


def _stretch(name: str, title: str, stretch: Stretch, signals: Sequence[_Drawn]) -> Html:
    field = Field(_scale(stretch.points, signals), 320)
    named = [(level, f"{level:.10g}") for level in ticks(field.scale.low, field.scale.high, 5)]
    band, line = _price(stretch.points, field.scale)
    inside = (
        levels(field, named),
        *(_zones(field, each) for each in signals),
        stretched(field, f'<path class="range" d="{band}"/><path class="price" d="{line}"/>'),
        *(_signal(field, each) for each in signals),
        days(field),
    )
    return drawing(name, title, _said(stretch, signals), field, inside)


def _scale(points: Sequence[PricePoint], signals: Sequence[_Drawn]) -> Scale:
    """All of the price, and of the levels what is not too far from it."""
    low, high = min(point.low for point in points), max(point.high for point in points)
    reach = _REACH * (high - low) or 0.01 * high
    ends = [level for each in signals for level in (each.entry, each.take_profit, each.stop_loss)]
    low = min(low, max(low - reach, min(ends, default=low)))
    high = max(high, min(high + reach, max(ends, default=high)))
    room = 0.03 * (high - low) or 0.01 * high or 1.0
    step = points[1].at - points[0].at if len(points) > 1 else 60_000
    return Scale(points[0].at, points[-1].at + step, low - room, high + room)


def _price(points: Sequence[PricePoint], scale: Scale) -> tuple[str, str]:
    """The range in which the price was, as an area, and the last price of each point, as a line."""
    xs = [f"{min(scale.x(point.at), COLUMNS):.1f}" for point in points]
    highs = [f"{x} {scale.y(point.high):.1f}" for x, point in zip(xs, points, strict=True)]
    lows = [f"{x} {scale.y(point.low):.1f}" for x, point in zip(xs, points, strict=True)]
    closes = [f"{x} {scale.y(point.close):.1f}" for x, point in zip(xs, points, strict=True)]
    return f"M{'L'.join([*highs, *reversed(lows)])}Z", f"M{'L'.join(closes)}"


def _zones(field: Field, each: _Drawn) -> str:
    x, wide = field.x(each.begin_at), field.wide(each.begin_at, each.end_at)
    entry = field.y(each.entry)
    boxes = ""
    for kind, level in (("target", each.take_profit), ("stop", each.stop_loss)):
        top, foot = sorted((entry, field.y(level)))
        boxes += f'<rect class="zone {kind}" x="{x}" width="{wide}" y="{top:.1f}" height="{foot - top:.1f}"/>'
    return f"{boxes}\n"


def _signal(field: Field, each: _Drawn) -> str:
    begin, end = field.x(each.begin_at), field.x(each.end_at)
    entry, leave = field.y(each.entry), field.y(each.entry if each.leave is None else each.leave)
    arrow = "M-5 4L0 -5L5 4Z" if each.position == "long" else "M-5 -4L0 5L5 -4Z"
    parts = [
        f'<line class="way" x1="{begin}" x2="{end}" y1="{entry:.1f}" y2="{leave:.1f}"/>',
        f'<svg x="{begin}" y="{entry:.1f}"><path class="enter" d="{arrow}"/></svg>',
    ]
    if each.percentage is not None:
        parts.append(_end(end, leave, each.percentage))
    return f"<g><title>{text(_words(each))}</title>{''.join(parts)}</g>\n"


def _end(x: str, y: float, percentage: float) -> str:
    """A circle for a win, a cross for a loss: shape says what colour says."""
    if percentage < 0:
        return f'<svg x="{x}" y="{y:.1f}"><path class="leave lost" d="M-4 -4L4 4M-4 4L4 -4"/></svg>'
    return f'<circle class="leave{" won" if percentage else ""}" cx="{x}" cy="{y:.1f}" r="4"/>'


def _words(each: _Drawn) -> str:
    began = (
        f"{each.position}, opened {day(each.begin_at)} at {price(each.entry)}, target {price(each.take_profit)}, "
        f"stop {price(each.stop_loss)}"
    )
    if each.leave is None:
        return f"{began}; still open"
    return f"{began}; {each.reason} {day(each.end_at)} at {price(each.leave)}, {result_text(each.percentage)}"


def _said(stretch: Stretch, signals: Sequence[_Drawn]) -> str:
    points = stretch.points
    won = sum((each.percentage or 0) > 0 for each in signals)
    lost = sum((each.percentage or 0) < 0 for each in signals)
    still = sum(each.leave is None for each in signals)
    open_now = f", {still} still open" if still else ""
    return (
        f"From {price(points[0].close)} to {price(points[-1].close)}, lowest {price(min(p.low for p in points))}, "
        f"highest {price(max(p.high for p in points))}; of {len(signals)} signals {won} won and {lost} lost{open_now}. "
        "The line is the last price, the shade around it the range."
    )
