"""What a report says, as data: one row an event, the statistics, what is still open, and where it all comes from.

    report(strategy, events, *, kind="live", start=None, end=None, boundaries=None, prices=None, costs=Costs(),
           hashes=None, made=None, configurations=None) -> Report

`events`: of any number of streams, each stream's from its first on, in the order of its seq; other strategies' must be
left out by the caller. Rows are ordered by `at`, then stream, never against seq. With `start` or `end` (ms) only events
with an `at` in [start, end) are told, so that adjacent ranges split them exactly; what came before still says what is
open. `boundaries`: what a backtest counted. `prices`: the last price of a stream, for the unrealised result of what is
open; without one, that of the stream's last `stopped`. `hashes`: the hash of the record of each stream's last event;
looked up when the events have ended, so that whoever yields them may fill it. `made`: what made each stream of a
backtest, which has no starts that say so. `configurations`: values of configurations, by hash, where they are known.

Starts and stops are neither rows nor events here: they, and every seq, stand in the provenance alone, so that all else
is the same for a replay that was killed and started again and for one that never was. `render_*` write a report down.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Rejected, Scheduled, Started, Stopped
from tickfold_eventstore.signals import AcceptedSignal, Stream, Ticks

from .prices import Market
from .profit import Costs, profit_and_loss
from .statistics import Statistics, statistics_of
from .trades import MINUTE_MS, Account, Ledger, Made

Kind = Literal["live", "backtest"]
Setting = bool | int | float | str | None
"""A value of a configuration."""
Level = float | str | None
"""A price; of a rejected proposal also what JSON cannot say, as text, or None: at market."""

COLUMNS = (
    "Timestamp",
    "Action",
    "Symbol",
    "Signal ID",
    "Position",
    "Note",
    "Current Price",
    "Open Price",
    "Take Profit",
    "Stop Loss",
    "PNL (net)",
    "Close Reason",
    "Duration (min)",
)
"""What a table of rows is headed with, in the order of the fields of `Row` but for `exchange`."""


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event. `price` is the one at which it happened, `percentage` the net result, `minutes` the time held or, of a
    cancelled entry, waited. What an event does not say is None.
    """

    at: int
    action: str
    exchange: str
    symbol: str
    signal_id: str | None
    position: str
    note: str
    price: float | None
    entry: Level
    take_profit: Level
    stop_loss: Level
    percentage: float | None
    reason: str | None
    minutes: float | None


class OpenSignal(msgspec.Struct, frozen=True, kw_only=True):
    """What is alive after the last event: waiting, or opened with an unrealised `percentage` where a price is known.

    `price_at` is None where the caller gave the price.
    """

    exchange: str
    symbol: str
    state: Literal["waiting", "opened"]
    since: int
    signal: AcceptedSignal
    price: float | None
    price_at: int | None
    percentage: float | None


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of a stream a report tells (0 to 0: none), and what made them, each once, in order.

    `head_hash` is that of the record of the last one, None where there is none (a backtest). `configuration` has the
    values of the last of `made`, None where they are not known: a journal holds their hash alone.
    """

    exchange: str
    strategy: str
    symbol: str
    first_seq: int
    last_seq: int
    head_hash: str | None
    starts: int
    made: tuple[Made, ...] = ()
    configuration: dict[str, Setting] | None = None


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """A live run beside its backtest, of which `statistics` tells.

    `shared` signals have closed in both: `differing` of them with another result, in sum `here` and `there` percent.
    `missed` closed in the backtest while the live run had begun and not ended, and never here; `extra` only here.
    """

    statistics: Statistics
    shared: int
    differing: int
    here: float
    there: float
    missed: int
    extra: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report says; `provenance` None: left out. `market` is None where no candles were at hand, `against`
    where no backtest was.
    """

    kind: Kind
    strategy: str
    rows: tuple[Row, ...]
    statistics: Statistics
    open: tuple[OpenSignal, ...]
    provenance: tuple[Provenance, ...] | None
    market: Market | None = None
    against: Against | None = None


def report(
    strategy: str,
    events: Iterable[Event],
    *,
    kind: Kind = "live",
    start: int | None = None,
    end: int | None = None,
    boundaries: Ticks | None = None,
    prices: Mapping[Stream, float] | None = None,
    costs: Costs = Costs(),
    hashes: Mapping[Stream, str] | None = None,
    made: Mapping[Stream, Made] | None = None,
    configurations: Mapping[str, Mapping[str, Setting]] | None = None,
) -> Report:
    """Fold the events of a strategy into a report."""
    ledger = Ledger(start, end)
    rows = _book(events, ledger)
    streams = sorted(ledger.accounts)
    found = (_open_signal(ledger.accounts[stream], (prices or {}).get(stream), costs) for stream in streams)
    return Report(
        kind=kind,
        strategy=strategy,
        rows=rows,
        statistics=statistics_of(ledger, boundaries=boundaries),
        open=tuple(each for each in found if each is not None),
        provenance=tuple(
            _provenance(ledger.accounts[stream], hashes or {}, made or {}, configurations or {}) for stream in streams
        ),
    )


def _book(events: Iterable[Event], ledger: Ledger) -> tuple[Row, ...]:
    rows: list[tuple[int, Stream, Row]] = []
    for event in events:
        account = ledger.book(event)
        row = None if account is None else _row(event)
        if account is not None and row is not None:
            rows.append((event.at, account.stream, row))
    ledger.settle()
    rows.sort(key=operator.itemgetter(0, 1))
    return tuple(row for _, _, row in rows)


def _row(event: Event) -> Row | None:
    match event:
        case Started() | Stopped():
            return None
        case Rejected(proposal=proposal):
            return Row(
                at=event.at,
                action=event.action,
                exchange=event.exchange,
                symbol=event.symbol,
                signal_id=None,
                position=proposal.position,
                note=proposal.note,
                price=None,
                entry=proposal.entry,
                take_profit=proposal.take_profit,
                stop_loss=proposal.stop_loss,
                percentage=None,
                reason="; ".join(event.reasons),
                minutes=None,
            )
        case Scheduled(signal=signal):
            return _signal_row(event, signal)
        case Opened(signal=signal, price=price):
            return _signal_row(event, signal, price=price)
        case Cancelled(signal=signal, reason=reason):
            return _signal_row(event, signal, reason=reason, since=signal.scheduled_at)
        case Closed(signal=signal, price=price, reason=reason, pnl=pnl):
            return _signal_row(
                event, signal, price=price, reason=reason, percentage=pnl.percentage, since=signal.opened_at
            )


def _signal_row(
    event: Event,
    signal: AcceptedSignal,
    *,
    price: float | None = None,
    reason: str | None = None,
    percentage: float | None = None,
    since: int | None = None,
) -> Row:
    return Row(
        at=event.at,
        action=event.action,
        exchange=event.exchange,
        symbol=event.symbol,
        signal_id=signal.id,
        position=signal.position,
        note=signal.note,
        price=price,
        entry=signal.entry,
        take_profit=signal.take_profit,
        stop_loss=signal.stop_loss,
        percentage=percentage,
        reason=reason,
        minutes=None if since is None else (event.at - since) / MINUTE_MS,
    )


def _open_signal(account: Account, price: float | None, costs: Costs) -> OpenSignal | None:
    alive = account.alive
    if alive is None:
        return None
    price_at = None
    if price is None and account.price_at is not None and account.price_at >= alive.at:
        price, price_at = account.price, account.price_at
    percentage = None
    if price is not None and isinstance(alive, Opened):
        percentage = profit_and_loss(alive.signal.position, alive.price, price, costs).percentage
    return OpenSignal(
        exchange=account.stream.exchange,
        symbol=account.stream.symbol,
        state="opened" if isinstance(alive, Opened) else "waiting",
        since=alive.at,
        signal=alive.signal,
        price=price,
        price_at=price_at,
        percentage=percentage,
    )


def _provenance(
    account: Account,
    hashes: Mapping[Stream, str],
    given: Mapping[Stream, Made],
    configurations: Mapping[str, Mapping[str, Setting]],
) -> Provenance:
    made = [given[account.stream]] if account.stream in given else account.made
    known = configurations.get(made[-1].config_hash) if made else None
    return Provenance(
        exchange=account.stream.exchange,
        strategy=account.stream.strategy,
        symbol=account.stream.symbol,
        first_seq=account.first_seq,
        last_seq=account.last_seq,
        head_hash=hashes.get(account.stream) if account.last_seq else None,
        starts=account.starts,
        made=tuple(made),
        configuration=None if known is None else dict(known),
    )
