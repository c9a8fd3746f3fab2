"""The journals that a command reads: which are meant, and what happens where one of them is damaged."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from tickfold_eventstore import CorruptJournal, NewerFormat, Store, Stream
from tickfold_projections.active_signal import IllegalTransition

from .asides import say
from .faults import DAMAGED, DONE, ERROR, CommandError, WrongUse, exit_code, sentence

Broken: TypeAlias = CorruptJournal | NewerFormat | IllegalTransition
BROKEN = (CorruptJournal, NewerFormat, IllegalTransition)
"""What makes one stream unreadable and leaves the others as they are."""


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
    if not there:
        say(f"there is no journal in {store.data_dir} yet")
    elif not chosen:
        raise WrongUse(f"no journal here has all of these together; there are: {', '.join(map(str, there))}")
    return chosen


class Verdicts:
    """The exit code of a command over several streams: what is wrong with one does not keep it from the others."""

    def __init__(self) -> None:
        self.code = DONE

    def note(self, error: Broken) -> None:
        """Remember the code of what is wrong with a stream; damage outweighs the rest."""
        self.code = DAMAGED if DAMAGED in {self.code, exit_code(error)} else ERROR

    @contextmanager
    def each(self) -> Generator[None]:
        """What is wrong with a stream inside is said on stderr and counts at the end."""
        try:
            yield
        except BROKEN as error:
            say(sentence(error))
            self.note(error)
