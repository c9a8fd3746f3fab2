"""The journals that a command reads: which are meant, and what happens where one of them is damaged."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs

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
    chosen = list(filter(Selected(store, exchanges, strategies, symbols).meant, there))
    if not there:
        say(f"there is no journal in {store.data_dir} yet")
    elif not chosen:
        raise WrongUse(f"no journal here has all of these together; there are: {', '.join(map(str, there))}")
    return chosen


@attrs.frozen
class Selected:
    """The streams of a store that options name, those that are still to come among them; without names, all."""

    store: Store
    exchanges: Sequence[str]
    strategies: Sequence[str]
    symbols: Sequence[str]

    def meant(self, stream: Stream) -> bool:
        """Whether the options name this one."""
        named = zip((self.exchanges, self.strategies, self.symbols), stream, strict=True)
        return all(not names or part in names for names, part in named)


def awaited(store: Store, exchanges: Sequence[str], strategies: Sequence[str], symbols: Sequence[str]) -> Selected:
    """What `--follow` follows. Where nothing is there yet, stderr says so: a name may be mistyped."""
    selected = Selected(store, exchanges, strategies, symbols)
    there = store.streams()
    if not any(map(selected.meant, there)):
        known = f" (there are: {', '.join(map(str, there))})" if there else ""
        say(f"there is no such journal in {store.data_dir} yet{known}: waiting for one; Ctrl-C ends it")
    return selected


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
