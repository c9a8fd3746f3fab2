"""Strategies of several symbols under shared risk rules, for the engine and for the plain backtest alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs

from tests.reference.prices import minutes_of
from tests.reference.simple import Proposal
from tests.reference.together import Lane, Rule
from tests.support.facts import in_memory
from tests.support.markets import Market
from tests.support.strategies import Case
from tickfold import Candles, Event, Risk, RiskGroup, Signal
from tickfold.strategy import Strategy

EXCHANGE = "memory"


class SeveralMarkets:
    """An exchange in memory with a market for each symbol."""

    name = EXCHANGE

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self._candles = {symbol: in_memory(market.candles) for symbol, market in markets.items()}

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        return self._candles[symbol].between(start, end)

    async def span(self, symbol: str) -> tuple[int, int]:
        time = self._candles[symbol].time
        return int(time[0]), int(time[-1]) + 60_000


@attrs.frozen
class Company:
    """Markets by symbol, and strategies with the rules that each names."""

    markets: Mapping[str, Market]
    cases: Sequence[tuple[Case, Sequence[str]]]
    rules: Mapping[str, Rule]

    def lanes(self) -> list[Lane]:
        return [
            Lane(
                (EXCHANGE, case.name, symbol),
                market.candles,
                case.plain(Proposal),
                minutes_of(case.interval),
                case.lookback,
                names,
            )
            for case, names in self.cases
            for symbol, market in self.markets.items()
        ]

    def strategies(self) -> list[Strategy]:
        """As the engine gets them; each call makes rules of their own, which no registry keeps."""
        risks = {name: risk_of(name, rule) for name, rule in self.rules.items()}
        return [
            Strategy(
                case.name,
                case.function(Signal),
                case.interval,
                dict(case.lookback),
                {},
                [risks[name] for name in names],
            )
            for case, names in self.cases
        ]

    def exchange(self) -> SeveralMarkets:
        return SeveralMarkets(self.markets)


def risk_of(name: str, rule: Rule) -> Risk:
    groups = {str(sorted(symbols)): RiskGroup(symbols, most) for symbols, most in rule.groups}
    return unregistered(
        name,
        max_open=rule.max_open,
        max_per_symbol=rule.max_per_symbol,
        max_daily_loss=rule.max_daily_loss,
        cooldown=timedelta(minutes=rule.cooldown_minutes),
        groups=groups,
    )


def unregistered(name: str, **limits: Any) -> Risk:
    """A rule that takes no name from another."""
    from tickfold.risk import RISKS  # beside its only use

    risk = Risk(name, **limits)
    vars(RISKS)["_things"].pop(name)
    return risk


def by_stream(events: Sequence[Event]) -> dict[tuple[str, str, str], list[Event]]:
    """The events of each stream, in order."""
    found: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        found.setdefault((event.exchange, event.strategy, event.symbol), []).append(event)
    return found
