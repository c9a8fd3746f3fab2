"""What the drawings of a page (SVG) share: scales, levels, days, and the frame with its title and its words.

A drawing is as wide as the page lets it be: what stands at a time has its place in percent of the width, what stands at
a value has it in pixels. So a browser stretches no text and no mark. What is drawn as a path stands in a field of a
thousand by a thousand that is stretched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import attrs

from .equity import DAY_MS
from .notation import instant
from .render_html_page import Html, text

COLUMNS = 1000
"""Columns of a field."""

TOP, FOOT = 10, 26
"""Room above a field and, for what stands below it, under it, in pixels."""


@attrs.frozen
class Scale:
    """From times to columns and from values to rows of a thousand, 0 at the top. `first` < `last`, `low` < `high`."""

    first: float
    last: float
    low: float
    high: float

    def x(self, at: float) -> float:
        return COLUMNS * (at - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        return 1000 * (self.high - value) / (self.high - self.low)


@attrs.frozen
class Field:
    """A scale and the height, in pixels, that it is drawn to."""

    scale: Scale
    height: int

    def x(self, at: float) -> str:
        """Where a time stands, for an attribute."""
        return f"{self.scale.x(at) / 10:.2f}%"

    def wide(self, begin: float, end: float) -> str:
        """How wide a time is."""
        return f"{(self.scale.x(end) - self.scale.x(begin)) / 10:.2f}%"

    def y(self, value: float) -> float:
        """Where a value stands; what lies outside of the field stands at its edge."""
        return TOP + self.height * min(max(self.scale.y(value), 0.0), 1000.0) / 1000


def drawing(name: str, title: str, said: str, field: Field, inside: Iterable[str], *, kind: str = "") -> Html:
    """A figure whose title and words are told to who does not see it, and stand under it for who does."""
    told = text(said)
    return Html(
        f"<figure{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>\n"
        f'<svg role="img" aria-labelledby="{name}-name {name}-said" height="{TOP + field.height + FOOT}">\n'
        f'<title id="{name}-name">{text(title)}</title>\n<desc id="{name}-said">{told}</desc>\n'
        f"{''.join(inside)}</svg>\n"
        f"<figcaption><b>{text(title)}.</b> {told}</figcaption>\n</figure>\n"
    )


def stretched(field: Field, paths: str) -> str:
    """Paths in a field of a thousand by a thousand."""
    return (
        f'<svg y="{TOP}" height="{field.height}" viewBox="0 0 {COLUMNS} 1000" preserveAspectRatio="none">'
        f"{paths}</svg>\n"
    )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values from `low` to `high`, at most `count` steps of 1, 2, 2.5 or 5 times a power of ten."""
    step = _step((high - low) / count)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def levels(field: Field, named: Sequence[tuple[float, str]]) -> str:
    """A line with its name for each value; that of nothing stands out."""
    lines: list[str] = []
    for value, name in named:
        y = field.y(value)
        kind = "zero" if name == percent(0) else "grid"
        lines.append(f'<line class="{kind}" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="2" y="{y - 4:.1f}">{name}</text>\n')
    return "".join(lines)


def days(field: Field) -> str:
    """At most six midnights; where there is none, the first and the last minute."""
    scale = field.scale
    first, last = int(scale.first), int(scale.last)
    midnights = range(-(-first // DAY_MS) * DAY_MS, last + 1, DAY_MS)
    shown = midnights[:: -(-len(midnights) // 6)] if midnights else (first, last)
    named = [(at, day(at)[:10] if midnights else day(at)) for at in shown]
    return below(field, named)


def below(field: Field, named: Sequence[tuple[float, str]]) -> str:
    """Names under their places; a narrow page leaves out each second one."""
    lines: list[str] = []
    for place, (at, name) in enumerate(named):
        x = field.scale.x(at) / 10
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        kind = ' class="between"' if place % 2 else ""
        y = TOP + field.height + 18
        lines.append(f'<text{kind} x="{x:.2f}%" y="{y}" text-anchor="{anchor}">{text(name)}</text>\n')
    return "".join(lines)


def percent(level: float) -> str:
    """A level of a drawing."""
    return f"{level:+.10g} %" if abs(level) > 1e-9 else "0 %"


def day(at: int) -> str:
    """A time in the words of a drawing."""
    return instant(at).replace("T", " ").removesuffix(":00Z")


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= least * (1 - 1e-9))
