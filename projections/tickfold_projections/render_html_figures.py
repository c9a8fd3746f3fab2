"""The figures of a report in the page: the headline, the groups, months, heat, and every statistic with what it is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from .figures import DEFINITIONS, TOTAL_EVENTS, Definition, Figure, figure
from .periods import Month, Share
from .render_html_page import Html, cell, join, row, table, text
from .render_html_style import STEPS
from .statistics import Outcomes, Statistics
from .table import TOGETHER, Table
from .wording import counts_text, figure_text, value_text

HEADLINE = (
    "closed",
    "win_rate",
    "total_pnl",
    "compounded_return",
    "max_drawdown",
    "profit_factor",
    "sharpe",
    "average_minutes",
)

COMPARED = (*HEADLINE, "average_pnl", "standard_deviation", "payoff_ratio", "sharpe_per_trade", "exposure")
"""What is set beside a backtest's."""

_RESULT = DEFINITIONS["total_pnl"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def headline(statistics: Statistics) -> Html:
    """The few figures that are asked for first."""
    cards = (_card(name, getattr(statistics, name)) for name in HEADLINE)
    return Html(f'<dl class="cards">\n{join(cards)}</dl>\n')


def every_figure(statistics: Statistics) -> Html:
    """Each statistic; what it is opens at a click, or with the keys, on its name."""
    lines = [row(_defined("counts", TOTAL_EVENTS), [text(counts_text(statistics.counts))])]
    for name, definition in DEFINITIONS.items():
        told = figure_text(getattr(statistics, name), definition.unit)
        if name == "win_rate":
            told += f" (W {statistics.wins} / L {statistics.losses} / draws {statistics.draws})"
        lines.append(row(_defined(name, definition), [text(told)]))
    return table("figures", "Every statistic; its name opens what it means", ("Statistic", "Value"), lines)


def figures_table(caption: str, definitions: Mapping[str, Definition], figures: Mapping[str, Figure]) -> Html:
    """Figures by the names of their definitions, each with what it is behind its name."""
    lines = [
        row(_defined(name, definition), [text(figure_text(figures[name], definition.unit))])
        for name, definition in definitions.items()
    ]
    return table("figures", f"{caption}; the name of a figure opens what it means", ("Figure", "Value"), lines)


def outcomes(caption: str, column: str, groups: Sequence[Outcomes]) -> Html:
    """Closed signals by what they have in common."""
    columns = (column, "Closed", "W / L / draws", "Win rate", "Average PNL", "Total PNL")
    averages, totals = (digits(figures) for figures in ([g.average_pnl for g in groups], [g.total_pnl for g in groups]))
    lines = (
        row(
            text(group.name),
            [
                text(str(group.closed)),
                text(f"{group.wins} / {group.losses} / {group.draws}"),
                text(figure_text(group.win_rate, "share")),
                _result(group.average_pnl, averages),
                _result(group.total_pnl, totals),
            ],
        )
        for group in groups
    )
    return table("groups", caption, columns, lines, none="No closed signals.")


def shares(caption: str, column: str, groups: Sequence[Share]) -> Html:
    """Closed signals by when or how long, with a bar for how many."""
    most = max((group.closed for group in groups), default=0)
    if not most:
        return Html("<p>No closed signals.</p>\n")
    lines = (
        row(
            text(group.name),
            [
                text(str(group.closed)),
                text(f"{100 * group.wins / group.closed:.2f} %" if group.closed else "–"),
                _result(group.total, 2) if group.closed else text("–"),
                _bar(group.closed / most),
            ],
        )
        for group in groups
    )
    return table("bars", caption, (column, "Closed", "Win rate", "Total PNL", "Share of the most"), lines)


def side_by_side(here: Statistics, there: Statistics) -> Html:
    """The figures of a live run beside those of its backtest."""
    lines = (
        row(
            _linked(name),
            [text(figure_text(getattr(found, name), DEFINITIONS[name].unit)) for found in (here, there)],
        )
        for name in COMPARED
    )
    return table("figures", "Live beside its backtest", ("Statistic", "Live", "Backtest"), lines)


def parts_of_all(lines: Iterable[tuple[str, Sequence[Figure]]]) -> Html:
    """How many signals each symbol's account closed, what it made of itself and of the whole, and its deepest fall."""
    columns = ("Symbol", "Closed", "Change of its account", "Of the portfolio", "Max drawdown")
    rows = (
        row(
            text(name),
            [text(f"{closed.value:g}"), _result(change, 2), _result(share, 2), text(figure_text(fall, "share"))],
        )
        for name, (closed, change, share, fall) in lines
    )
    return table("groups", "Accounts, each with the same start; the changes of the portfolio add up", columns, rows)


def months(told: Sequence[Month]) -> Html:
    """The change of the equity: a line a year, a column a month."""
    largest = max((abs(month.change.value or 0) for month in told), default=0)
    lines: list[str] = []
    for year, inside in itertools.groupby(told, key=lambda month: month.name[:4]):
        by_number = {int(month.name[5:]): month for month in inside}
        cells = (_month(by_number.get(number), largest) for number in range(1, 13))
        lines.append(row(text(year), [*cells, text(_year(list(by_number.values())))]))
    columns = ("Year", *_MONTHS, "Year's total")
    caption = "Change of the equity by month (UTC), in percent; at the end of the line that of the year"
    return table("heat months", caption, columns, lines, none="No closed signals.")


def month_figures(told: Sequence[Month]) -> Html:
    """Each month in numbers."""
    lines = (
        row(
            text(month.name),
            [
                text(str(month.closed)),
                text(f"{100 * month.wins / month.closed:.2f} %" if month.closed else "–"),
                _result(month.total, 2),
                _result(month.change, 2),
            ],
        )
        for month in told
    )
    columns = ("Month", "Closed", "Win rate", "Total PNL", "Change of the equity")
    return table("groups", "Months in numbers", columns, lines, none="No closed signals.")


def heat_map(told: Table) -> Html:
    """Lines × figures; results are shaded by how large they are in their column, where there is another to compare."""
    several = told.lines if len(told.lines) > 1 else ()
    largest = [
        max((abs(figures[place].value or 0) for _, figures in several), default=0) for place in range(len(told.columns))
    ]
    places = [digits([*figures]) for figures in zip(*(figures for _, figures in told.lines), strict=True)]
    lines = [row(text(name), map(_shaded, figures, told.columns, places, largest)) for name, figures in told.lines]
    if len(told.lines) > 1:
        plain = map(_shaded, told.together, told.columns, places, [0.0] * len(places))
        lines.append(row(text(TOGETHER), plain, kind="last"))
    columns = ("Symbol", *(column.title for column in told.columns))
    return table("heat", f"{told.title} by symbol", columns, lines, none=told.none)


def definitions(columns: Iterable[Definition]) -> Html:
    """What columns mean, one click away."""
    told = "".join(f"<dt>{text(column.title)}</dt><dd>{text(column.text)}</dd>\n" for column in columns)
    return Html(f"<details><summary>What the columns mean</summary>\n<dl>\n{told}</dl>\n</details>\n")


def digits(figures: Sequence[Figure]) -> int:
    """How many digits after the point a column of percentages needs to tell its values apart."""
    largest = max((abs(figure.value or 0) for figure in figures), default=0)
    return 4 if largest < 1 else 3 if largest < 10 else 2


def shade(value: float | None, largest: float, *, bad: bool = False) -> str:
    """The shade of a value among those up to `largest`; `bad`: the larger, the worse."""
    if not value or not largest:
        return ""
    step = next(step for step in range(1, STEPS + 1) if abs(value) <= largest * step / STEPS)
    return f"{'down' if (value < 0) != bad else 'up'}{step}"


def _card(name: str, figure: Figure) -> str:
    definition = DEFINITIONS[name]
    kind = ""
    if definition.unit == "result" and figure.value:
        kind = ' class="won"' if figure.value > 0 else ' class="lost"'
    if figure.value is None:
        said = f"N/A<small>{text(figure.reason or '')}</small>"
    else:
        said = text(_rounded(figure, definition, 2))
    return f"<div><dt>{_linked(name)}</dt><dd{kind}>{said}</dd></div>\n"


def _linked(name: str) -> Html:
    """The name of a statistic, which leads to what it means."""
    definition = DEFINITIONS[name]
    return Html(f'<a href="#is-{name}" title="{text(definition.text)}">{text(definition.title)}</a>')


def _defined(name: str, definition: Definition) -> Html:
    """What links to the words inside opens them."""
    told = f'<p id="is-{name}">{text(definition.text)}</p>'
    return Html(f"<details><summary>{text(definition.title)}</summary>{told}</details>")


def _result(figure: Figure, places: int) -> Html:
    kind = "" if not figure.value else "won" if figure.value > 0 else "lost"
    return cell(_rounded(figure, _RESULT, places), kind=kind)


def _rounded(figure: Figure, column: Definition, places: int) -> str:
    """The figure with so many digits after the point, where its unit has any."""
    value = figure.value
    if value is None:
        return figure_text(figure, column.unit)
    match column.unit:
        case "result":
            return f"{value:+.{places}f} %"
        case "percent":
            return f"{value:.{places}f} %"
        case "ratio":
            return f"{value:.2f}"
        case unit:
            return value_text(value, unit)


def _bar(share: float) -> Html:
    told = f"{100 * share:.0f}%"
    return Html(f'<svg class="bar" role="img" aria-label="{told}"><rect width="{told}" height="10"/></svg>')


def _month(month: Month | None, largest: float) -> Html:
    if month is None:
        return text("")
    return cell(_change(month.change), kind=shade(month.change.value, largest))


def _year(inside: Sequence[Month]) -> str:
    """The changes of its months, one after the other."""
    grown = math.prod(1 + (month.change.value or 0) / 100 for month in inside)
    lacks = (month.change.reason for month in inside)
    return _change(figure(lambda: 100 * (grown - 1), *lacks))


def _change(change: Figure) -> str:
    return "N/A" if change.value is None else f"{change.value:+.2f}"


def _shaded(figure: Figure, column: Definition, places: int, largest: float) -> Html:
    told = _rounded(figure, column, places)
    if figure.value is None:
        return cell(told, kind="lack")
    match column.unit:
        case "result":
            return cell(told, kind=shade(figure.value, largest))
        case "percent":
            return cell(told, kind=shade(figure.value, largest, bad=True))
        case _:
            return cell(told)
