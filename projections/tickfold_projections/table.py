"""Heat, schedule and performance as one kind of table: a line a symbol, a figure a column, and what each column means.

heat_table(heat) -> Table
schedule_table(schedule) -> Table
performance_table(performance) -> Table
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from . import heat as heats
from . import performance as performances
from . import schedule as schedules
from .figures import DEFINITIONS, Definition, Figure
from .wording import Placed, naming

TOGETHER = "All"
"""What the line is called that adds up the others."""


@attrs.frozen
class Table:
    """`lines` in order; `together` is the last. A line's figures stand in the order of `columns`."""

    title: str
    strategy: str
    columns: tuple[Definition, ...]
    lines: tuple[tuple[str, tuple[Figure, ...]], ...]
    together: tuple[Figure, ...]
    none: str
    """What is said where there is no line."""


def heat_table(heat: heats.Heat) -> Table:
    """Closed signals by symbol."""
    definitions = {name: DEFINITIONS[name] for name in heats.COLUMNS}
    return _table("Heat", heat.strategy, definitions, heat.symbols, heat.together, none="No closed signals.")


def schedule_table(schedule: schedules.Schedule) -> Table:
    """Limit entries by symbol."""
    definitions = schedules.DEFINITIONS
    return _table(
        "Schedule", schedule.strategy, definitions, schedule.symbols, schedule.together, none="No limit entries."
    )


def performance_table(performance: performances.Performance) -> Table:
    """How quick it was, by symbol."""
    definitions = performances.DEFINITIONS
    return _table(
        "Performance",
        performance.strategy,
        definitions,
        performance.symbols,
        performance.together,
        none="No events, and no ticks that were timed.",
    )


def _table(
    title: str,
    strategy: str,
    definitions: Mapping[str, Definition],
    lines: Sequence[Placed],
    together: Mapping[str, Figure],
    *,
    none: str,
) -> Table:
    named = naming(lines)
    return Table(
        title=title,
        strategy=strategy,
        columns=tuple(definitions.values()),
        lines=tuple((named(line), tuple(getattr(line, name) for name in definitions)) for line in lines),
        together=tuple(together[name] for name in definitions),
        none=none,
    )
