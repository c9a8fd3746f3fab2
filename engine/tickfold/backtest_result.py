"""What a backtest gives: every event of every stream, and what is open at the end."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from tickfold_eventstore.events import Closed, Event
from tickfold_eventstore.signals import Stream, Ticks
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report, report
from tickfold_projections.statistics import Statistics, statistics

from .candles import Candles
from .config import Config
from .reports import configuration, made_with
from .simulation import OpenSignal, Simulation
from .strategy import Strategy


@attrs.frozen
class BacktestResult:
    """All that a backtest gives: every event of every stream, in the order of symbols, and what is open at the end."""

    strategy: str
    events: tuple[Event, ...]
    open: tuple[OpenSignal, ...]
    boundaries: Ticks
    config: Config
    candles: dict[Stream, Candles] = attrs.field(factory=dict[Stream, Candles], eq=False, repr=False)
    """What each stream was run over, those that served as lookback too."""
    strategies: dict[Stream, Strategy] = attrs.field(factory=dict[Stream, Strategy], eq=False, repr=False)
    """What each stream was run with."""

    @property
    def closed(self) -> tuple[Closed, ...]:
        """The signals that ended."""
        return tuple(event for event in self.events if isinstance(event, Closed))

    @property
    def statistics(self) -> Statistics:
        """Every number that the report gives."""
        return statistics(self.events, boundaries=self.boundaries)

    def report(self) -> str:
        """What came of it, as Markdown."""
        return render_markdown(self.as_report())

    def as_report(self) -> Report:
        """What came of it, to be rendered in any form; what is open with what closing it would give."""
        return report(
            self.strategy,
            self.events,
            kind="backtest",
            boundaries=self.boundaries,
            prices={each.stream: each.price for each in self.open},
            costs=self.config.costs,
            made={stream: made_with(strategy, self.config) for stream, strategy in self.strategies.items()},
            configurations={self.config.hash: configuration(self.config)},
        )


def result_of(strategy: str, simulations: Sequence[Simulation], config: Config) -> BacktestResult:
    """What came of these streams until now."""
    found = (simulation.open_signal() for simulation in simulations)
    sessions = [simulation.session for simulation in simulations]
    return BacktestResult(
        strategy=strategy,
        events=tuple(event for simulation in simulations for event in simulation.log.read()),
        open=tuple(each for each in found if each is not None),
        boundaries=Ticks(
            idle=sum(each.idle for each in sessions),
            waiting=sum(each.waiting for each in sessions),
            active=sum(each.active for each in sessions),
        ),
        config=config,
        candles={each.stream: each.candles for each in simulations},
        strategies={each.stream: each.strategy for each in simulations},
    )
