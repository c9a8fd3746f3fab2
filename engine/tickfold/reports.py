"""What came of a strategy: from its journals to a report, and from a report to a file.

    journal_report(store, strategy, *, streams=None, kind="live", start=None, end=None, prices=None, costs=Costs(),
                   configs=())
    journal_statistics(store, strategy) -> Statistics
    journal_events(store, streams, end=None) -> events, for another fold
    configuration(config) -> its values by their names
    await out_of_the_way(function, *arguments)
    write_report(folder, report) -> Path

A report is a fold over whole journals and may take seconds, so whoever has a clock to keep makes it in a thread: a
stream that is being written is read up to what its writer has acknowledged.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import anyio.to_thread
import attrs

from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import LONGEST_NAME, Store, encoded
from tickfold_projections.profit import Costs
from tickfold_projections.remembered import statistics_of_journals
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Kind, Report, Setting, report
from tickfold_projections.statistics import Statistics
from tickfold_projections.trades import Made

from .config import Config, Policy
from .errors import UnknownName
from .strategy import STRATEGIES, Strategy
from .version import VERSION

T = TypeVar("T")

_SUFFIX = ".md"
_DEFAULTS = tuple(Config(policy=policy) for policy in get_args(Policy))


def journal_report(
    store: Store,
    strategy: str | Strategy,
    *,
    streams: Sequence[Stream] | None = None,
    kind: Kind = "live",
    start: int | None = None,
    end: int | None = None,
    prices: Mapping[Stream, float] | None = None,
    costs: Costs = Costs(),
    configs: Sequence[Config] = (),
) -> Report:
    """The report of a strategy over its streams (None: all that it has), events with an `at` in [start, end).

    `prices` are those of what is open, where they are known otherwise than from its last stop. Journals name the
    configuration of a run by its hash; the values of those in `configs`, and of the defaults, are told. Raises
    `UnknownName` for a name without a journal that is not registered either, `StreamNotFound`, `CorruptJournal`,
    `NewerFormat`.
    """
    told = streams_of(store, strategy) if streams is None else streams
    hashes: dict[Stream, str] = {}
    events = journal_events(store, told, end, hashes)
    return report(
        name_of(strategy),
        events,
        kind=kind,
        start=start,
        end=end,
        prices=prices,
        costs=costs,
        hashes=hashes,
        configurations={config.hash: configuration(config) for config in (*configs, *_DEFAULTS)},
    )


def journal_statistics(store: Store, strategy: str | Strategy) -> Statistics:
    """The figures of a strategy's report over all that it has, without its rows: what was folded once is remembered
    beside the journals, where they are long. Raises as `journal_report` does.
    """
    return statistics_of_journals(store, streams_of(store, strategy))


def journal_events(
    store: Store, streams: Sequence[Stream], end: int | None = None, hashes: dict[Stream, str] | None = None
) -> Iterator[Event]:
    """The events before `end`, stream by stream; `hashes` gets the hash of each stream's last record among them."""
    for stream in streams:
        for record in store.reader(stream).records():
            if end is not None and record.events[0].at >= end:
                break
            if hashes is not None:
                hashes[stream] = record.hash
            yield from record.events


def configuration(config: Config) -> dict[str, Setting]:
    """The values of a configuration by their names; those of its costs as `costs.fee` and `costs.slippage`."""
    told = attrs.asdict(config)
    costs: dict[str, float] = told.pop("costs")
    return {f"costs.{name}": value for name, value in costs.items()} | told


def made_with(strategy: Strategy, config: Config) -> Made:
    """What a backtest is made with, in the words that a live run's `started` has for it."""
    return Made(version=VERSION, strategy_hash=strategy.hash, config_hash=config.hash)


def streams_of(store: Store, strategy: str | Strategy) -> list[Stream]:
    """The streams of a strategy that hold an event; raises `UnknownName`, which lists the strategies that exist."""
    there = store.streams()
    found = [stream for stream in there if stream.strategy == name_of(strategy)]
    if not found and isinstance(strategy, str):
        known = {stream.strategy for stream in there} | set(STRATEGIES.names())
        if strategy not in known:
            raise UnknownName("strategy", strategy, tuple(sorted(known)))
    return found


def name_of(strategy: str | Strategy) -> str:
    """The name under which a strategy's events stand."""
    return strategy if isinstance(strategy, str) else strategy.name


async def out_of_the_way(function: Callable[..., T], *arguments: object) -> T:
    """What `function` returns, made in a thread, so that nothing else waits for it."""
    return await anyio.to_thread.run_sync(partial(function, *arguments))


def write_report(folder: str | os.PathLike[str], told: Report) -> Path:
    """Write `{strategy}.md` into a folder, which is made where it is missing, whole or not at all; its path.

    A name is encoded as those of streams are. Raises `OSError`, `UnusableName`.
    """
    path = Path(folder) / (encoded(told.strategy, LONGEST_NAME - len(_SUFFIX)) + _SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with making.open("w", encoding="utf-8", newline="\n") as file:
            file.write(render_markdown(told))
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
    return path
