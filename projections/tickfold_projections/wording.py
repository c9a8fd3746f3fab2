"""How figures, results and counts are said to people, the same in every rendering. Nothing here is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from .figures import Figure, Unit
from .notation import number
from .statistics import Counts

TITLES = {"live": "Live Trading Report", "backtest": "Backtest Report"}


class Placed(Protocol):
    """What happened in one symbol at one exchange."""

    @property
    def exchange(self) -> str: ...
    @property
    def symbol(self) -> str: ...


def naming(places: Iterable[Placed]) -> Callable[[Placed], str]:
    """The symbol is name enough, unless `places` are at several exchanges."""
    if len({place.exchange for place in places}) > 1:
        return lambda place: f"{place.exchange}/{place.symbol}"
    return lambda place: place.symbol


def figure_text(figure: Figure, unit: Unit) -> str:
    """The value with its unit, or N/A with the reason."""
    value = figure.value
    return f"N/A ({figure.reason})" if value is None else value_text(value, unit)


def value_text(value: float, unit: Unit) -> str:
    """A value with its unit, in as many digits as are read."""
    match unit:
        case "count":
            return number(value)
        case "share":
            return f"{value:.2f} %"
        case "percent":
            return f"{value:.4f} %"
        case "result":
            return result_text(value)
        case "ratio":
            return f"{value:.4f}"
        case "milliseconds":
            return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"
        case "minutes":
            return f"{value:.1f} min"
        case "days":
            return f"{value:.2f} days"


def result_text(percentage: float | None) -> str:
    """A net result with its sign."""
    return "N/A" if percentage is None else f"{percentage:+.4f} %"


def counts_text(counts: Counts) -> str:
    """Boundaries and events, in all and by kind; "at least" where a crash took some."""
    events = (
        f"scheduled {counts.scheduled}, opened {counts.opened}, cancelled {counts.cancelled}, closed {counts.closed}, "
        f"rejected {counts.rejected}"
    )
    if counts.idle is None:
        return f"{counts.total} ({events}; boundaries were not counted)"
    least = "at least " if counts.at_least else ""
    boundaries = f"{least}idle {counts.idle}, waiting {counts.waiting}, active {counts.active}"
    return f"{least}{counts.total} ({boundaries}, {events}; missed slots: {least}{counts.missed})"
