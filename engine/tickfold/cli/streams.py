"""The journals that a command reads: which are meant, and what happens where one of them is damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from tickfold_eventstore import CorruptJournal, Store, Stream
from tickfold_projections.active_signal import IllegalTransition

from .faults import DAMAGED, DONE, CommandError, WrongUse, sentence


def open_store(data_dir: Path) -> Store:
    """The store in a directory that must be there: a reader makes none."""
    if not data_dir.exists():
        raise CommandError(f"there is no data directory {data_dir}: give --data-dir, or run `tickfold live` first")
    if not data_dir.is_dir():
        raise CommandError(f"{data_dir} is a file, not a data directory: give another with --data-dir")
    return Store(data_dir)


def select(store: Store, exchanges: Sequence[str], strategies: Sequence[str], symbols: Sequence[str]) -> list[Stream]:
    """The streams that the options name, all where they name none; raises `WrongUse` where one names nothing."""
    there = store.streams()
    wanted = {"exchange": exchanges, "strategy": strategies, "symbol": symbols}
    for part, names in wanted.items():
        known = sorted({getattr(stream, part) for stream in there})
        for name in names:
            if name not in known:
                raise WrongUse(f"no journal here has the {part} {name!r} (there are: {', '.join(known) or 'none'})")
    chosen = [stream for stream in there if all(not n or getattr(stream, p) in n for p, n in wanted.items())]
    if there and not chosen:
        raise WrongUse(f"no journal here has all of these together; there are: {', '.join(map(str, there))}")
    return chosen


class Verdicts:
    """The exit code of a command over several streams: damage in one does not keep it from the others."""

    def __init__(self) -> None:
        self.code = DONE

    @contextmanager
    def each(self) -> Iterator[None]:
        """What is damaged inside is said on stderr and counts at the end."""
        try:
            yield
        except (CorruptJournal, IllegalTransition) as error:
            click.echo(f"tickfold: {sentence(error)}", err=True)
            self.code = DAMAGED
