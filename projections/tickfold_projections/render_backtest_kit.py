"""A report in the shape of backtest-kit's own: its table with its columns, then its statistics, a line each.

The same report gives the same bytes. Facts alone: what a value is stands below, whether it is a good one does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .figures import Figure
from .kit import KIT_DEFINITIONS, kit_figures
from .notation import instant
from .render_markdown import escaped, heading
from .report import COLUMNS, Level, Report, Row
from .told import opened_at
from .wording import TITLES, naming

BACKTEST_COLUMNS = (
    "Signal ID",
    "Symbol",
    "Position",
    "Note",
    "Open Price",
    "Close Price",
    "Take Profit",
    "Stop Loss",
    "PNL (net)",
    "Close Reason",
    "Duration (min)",
    "Open Time",
    "Close Time",
)
"""What its table of a backtest is headed with; that of a live run has the columns of ours."""

_DIGITS = {"result": 2, "share": 2, "percent": 3, "ratio": 3, "minutes": 1, "count": 0, "days": 1}


def render_backtest_kit(report: Report) -> str:
    """Newest first, as there. A rejected proposal has no row, for there it has none either."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {TITLES[report.kind]}: {heading(report.strategy)}"
    yield ""
    live = report.kind == "live"
    told = [row for row in reversed(report.rows) if row.action == "closed" or (live and row.action != "rejected")]
    if not told:
        yield "No events." if live else "No closed signals."
        return
    named = naming(told)
    columns = COLUMNS if live else BACKTEST_COLUMNS
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join(['---'] * len(columns))} |"
    for row in told:
        yield f"| {' | '.join((_live_row if live else _backtest_row)(row, escaped(named(row))))} |"
    yield ""
    figures = {"events": Figure(float(len(told))), **kit_figures(report)}
    for name, definition in KIT_DEFINITIONS.items():
        yield f"**{definition.title}:** {_said(name, figures[name], report)}"
    yield ""
    for definition in KIT_DEFINITIONS.values():
        yield f"*{definition.title}: {escaped(definition.text)}*"


def _live_row(row: Row, symbol: str) -> Sequence[str]:
    return (
        _time(row.at),
        row.action.upper(),
        symbol,
        escaped(row.signal_id or "N/A"),
        escaped(row.position.upper()),
        escaped(row.note or "N/A"),
        _price(row.price),
        _price(row.entry),
        _price(row.take_profit),
        _price(row.stop_loss),
        _result(row.percentage),
        row.reason or "N/A",
        _minutes(row.minutes),
    )


def _backtest_row(row: Row, symbol: str) -> Sequence[str]:
    return (
        escaped(row.signal_id or "N/A"),
        symbol,
        escaped(row.position.upper()),
        escaped(row.note or "N/A"),
        _price(row.entry),
        _price(row.price),
        _price(row.take_profit),
        _price(row.stop_loss),
        _result(row.percentage),
        row.reason or "N/A",
        _minutes(row.minutes),
        _time(opened_at(row)),
        _time(row.at),
    )


def _said(name: str, figure: Figure, report: Report) -> str:
    if figure.value is None:
        return f"N/A ({figure.reason})"
    unit = KIT_DEFINITIONS[name].unit
    sign = "+" if unit == "result" and figure.value > 0 else ""
    told = f"{sign}{figure.value:.{_DIGITS[unit]}f}"
    if name == "win_rate":
        return f"{told}% ({report.statistics.wins}W / {report.statistics.losses}L)"
    return told + {"result": "%", "share": "%", "percent": "%", "minutes": " min"}.get(unit, "")


def _time(at: int) -> str:
    told = instant(at)
    return told if "." in told else told.replace("Z", ".000Z")


def _price(level: Level) -> str:
    """In eight digits, as there; the currency is that of the symbol and is not said."""
    return f"{level:.8f}" if isinstance(level, float | int) else "N/A"


def _result(percentage: float | None) -> str:
    if percentage is None:
        return "N/A"
    return f"{'+' if percentage > 0 else ''}{percentage:.2f}%"


def _minutes(minutes: float | None) -> str:
    return "N/A" if minutes is None else f"{minutes:g}"
