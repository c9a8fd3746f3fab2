"""`tickfold journal repair`: what going on from damage would give up, and, when told to, giving it up."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from tickfold_eventstore import Store, Stream
from tickfold_eventstore.errors import NewerFormat
from tickfold_eventstore.repair import Repair, accept_loss, inspect
from tickfold_projections.notation import shown

from . import options
from .asides import say
from .faults import DAMAGED, DONE, ERROR, sentence
from .output import json_document, put
from .streams import open_store, select

Names = tuple[str, ...]


@click.command(
    name="repair",
    epilog=options.example(
        "tickfold journal repair --symbol BTCUSDT", "tickfold journal repair --symbol BTCUSDT --accept-loss"
    ),
)
@options.selecting
@click.option("--accept-loss", is_flag=True, help="Do it. Without this, only say what would be done.")
def command(
    data_dir: Path, exchanges: Names, strategies: Names, symbols: Names, as_json: bool, accept_loss: bool
) -> int:
    """Say what it would take to go on from a damaged journal, and change nothing.

    With --accept-loss everything from the first bad byte on, later segments too, moves to quarantine/ in the stream's
    directory, with the reason, and nothing is deleted. Make a copy of the data directory first.

    Exit code without --accept-loss: 0 where opening goes on by itself, 3 where it refuses.
    """
    run = _Run(open_store(data_dir), data_dir, accept_loss)
    found = run.over(select(run.store, exchanges, strategies, symbols))
    if as_json:
        json_document("streams", (_record(stream, repair, accepted=accept_loss) for stream, repair in found))
    else:
        for stream, repair in found:
            put(run.text(stream, repair))
    return run.code


class _Run:
    """One pass over the streams that were meant."""

    def __init__(self, store: Store, data_dir: Path, accepts: bool) -> None:
        self.store = store
        self.code = DONE
        self._data_dir = data_dir
        self._accepts = accepts

    def over(self, streams: list[Stream]) -> Iterator[tuple[Stream, Repair]]:
        """What each stream's repair is; one that only a later version can read is said, and the others go on."""
        for stream in streams:
            try:
                repair = (accept_loss if self._accepts else inspect)(self.store, stream)
            except NewerFormat as error:
                say(sentence(error))
                self.code = max(self.code, ERROR)
                continue
            if repair.refuses and not self._accepts:
                self.code = DAMAGED
            yield stream, repair

    def text(self, stream: Stream, repair: Repair) -> str:
        """In words, one line for what is sound."""
        name = shown(str(stream))
        if repair.damage is None:
            return f"{name}: sound up to event {repair.kept.seq}; nothing to repair"
        damage = repair.damage
        where = f"{shown(damage.segment)} at byte {damage.offset}"
        lines = [
            f"{name}: damaged in {where} ({damage.kind}: {shown(damage.detail)})",
            f"keeps:    {_kept(repair)}",
            f"gives up: {_given_up(repair)}",
            *(f"{'moved:' if self._accepts else 'moves:'}    {line}" for line in _moves(repair)),
        ]
        if not self._accepts:
            lines.append(
                f"opening:  {'refuses' if repair.refuses else 'goes on by itself: it does not read so far back'}"
            )
            lines.append(f"next:     {self._next(stream)}")
        return "\n  ".join(lines)

    def _next(self, stream: Stream) -> str:
        parts = ["--data-dir", str(self._data_dir), "--exchange", stream.exchange, "--strategy", stream.strategy]
        command = ["tickfold", "journal", "repair", *parts, "--symbol", stream.symbol, "--accept-loss"]
        return f"make a copy of {shown(str(self._data_dir))}, then: {shown(shlex.join(command))}"


def _kept(repair: Repair) -> str:
    return f"events 1 to {repair.kept.seq}" if repair.kept.seq else "nothing: the journal begins anew"


def _given_up(repair: Repair) -> str:
    if repair.last_known <= repair.kept.seq:
        return "no event that is known of"
    return f"events {repair.kept.seq + 1} to {repair.last_known}, and what came after them, if anything did"


def _moves(repair: Repair) -> Iterator[str]:
    for move in repair.moves:
        yield f"{shown(move.file)} from byte {move.offset}, {move.length} bytes"
    for path in repair.checkpoints:
        yield f"{shown(path)}, a reader's checkpoint that names what is given up"
    if not repair.moves and not repair.checkpoints:
        yield "no byte; MARK is written anew"


def _record(stream: Stream, repair: Repair, *, accepted: bool) -> dict[str, object]:
    damage = repair.damage
    place: dict[str, object] = dict(stream._asdict())
    return place | {
        "damage": None if damage is None else damage.kind,
        "segment": None if damage is None else damage.segment,
        "offset": None if damage is None else damage.offset,
        "detail": None if damage is None else damage.detail,
        "refuses": repair.refuses,
        "kept_seq": repair.kept.seq,
        "last_known_seq": repair.last_known,
        "moves": [{"file": move.file, "offset": move.offset, "length": move.length} for move in repair.moves],
        "checkpoints": list(repair.checkpoints),
        "accepted": accepted and damage is not None,
    }
