"""`tickfold journal`: which journals there are, what stands in them, and whether they are sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from tickfold_eventstore import Reader

from . import journal_archive, journal_repair, options
from .asides import say
from .faults import sentence
from .output import event_line, json_document, json_line, put, table
from .standing import CELLS, Judgement, judged, standing
from .stdout import go_on_unread
from .streams import Verdicts, open_store, select

Names = tuple[str, ...]


@click.group(
    epilog=options.example("tickfold journal ls", "tickfold journal show --symbol BTCUSDT", "tickfold journal verify")
)
@options.debug
def command() -> None:
    """List, show, verify, repair and carry journals. Only repair --accept-loss and import change a byte."""


for _each in (journal_repair.command, *journal_archive.COMMANDS):
    command.add_command(_each)


@command.command(epilog=options.example("tickfold journal ls", "tickfold journal ls --strategy sma-cross --json"))
@options.selecting
def ls(data_dir: Path, exchanges: Names, strategies: Names, symbols: Names, as_json: bool) -> int:
    """List the streams: last event, size, what is alive, who writes it now."""
    verdicts = Verdicts()
    found = [standing(reader) for reader in _readers(data_dir, exchanges, strategies, symbols)]
    for each in found:
        if each.damage is not None:
            say(sentence(each.damage))
            verdicts.note(each.damage)
    if as_json:
        json_document("streams", (each.record() for each in found))
    elif found:
        table([CELLS, *(each.cells() for each in found)])
    return verdicts.code


@command.command(
    epilog=options.example("tickfold journal show", "tickfold journal show --symbol BTCUSDT --json | jq .action")
)
@options.selecting
def show(data_dir: Path, exchanges: Names, strategies: Names, symbols: Names, as_json: bool) -> int:
    """Print every event, stream after stream, oldest first."""
    line = json_line if as_json else event_line
    verdicts = Verdicts()
    for reader in _readers(data_dir, exchanges, strategies, symbols):
        with verdicts.each():
            for event in reader.read():
                put(line(event))
    return verdicts.code


@command.command(epilog=options.example("tickfold journal verify", "tickfold journal verify --symbol BTCUSDT --json"))
@options.selecting
def verify(data_dir: Path, exchanges: Names, strategies: Names, symbols: Names, as_json: bool) -> int:
    """Check every byte: is it sound, and if not, what is damaged, what does it mean, and what to do next.

    Exit code 3 where something is damaged.
    """
    go_on_unread()
    verdicts = Verdicts()
    found = _judged(data_dir, _readers(data_dir, exchanges, strategies, symbols), verdicts)
    if as_json:
        json_document("streams", (each.record() for each in found))
    else:
        for each in found:
            put(each.text())
    return verdicts.code


def _readers(data_dir: Path, exchanges: Names, strategies: Names, symbols: Names) -> Iterator[Reader]:
    store = open_store(data_dir)
    for stream in select(store, exchanges, strategies, symbols):
        yield store.reader(stream)


def _judged(data_dir: Path, readers: Iterable[Reader], verdicts: Verdicts) -> Iterator[Judgement]:
    for reader in readers:
        found = judged(reader, data_dir)
        if found.verdict.damage is not None:
            verdicts.note(found.verdict.damage)
        yield found
