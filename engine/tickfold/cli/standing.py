"""Where a stream stands: how far it goes, what is alive, who writes it; looked at byte for byte, what is damaged."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

import attrs

from tickfold_eventstore import CorruptJournal, Head, NewerFormat, Reader, Store, Stream
from tickfold_eventstore.checkpoint import named_by_checkpoints
from tickfold_eventstore.verify import Verdict, verify
from tickfold_projections.active_signal import FLAT, Recovered, State, evolve, recover
from tickfold_projections.notation import instant, shown

from .faults import sentence
from .output import state_text, state_value
from .streams import BROKEN, Broken


@attrs.frozen
class Standing:
    """What the next start would find: the last event and what is alive after it, or why it would refuse."""

    stream: Stream
    size: int
    """Bytes of its segments, free space included."""
    holder: str | None
    head: Head
    found: Recovered | None
    damage: Broken | None

    def record(self) -> dict[str, object]:
        """As JSON: without a state where it cannot be known."""
        found = self.found
        alive = {"state": None, "state_seq": None, "signal": None} if found is None else state_value(found.state)
        at = None if found is None else found.at
        damage = None if self.damage is None else str(self.damage)
        place: dict[str, object] = dict(self.stream._asdict())
        place |= {"seq": self.head.seq, "hash": self.head.hash, "at": at, "bytes": self.size, "holder": self.holder}
        return place | alive | {"damage": damage}

    def cells(self) -> tuple[str, ...]:
        """As a line of a table."""
        if self.found is None:
            told = ("?", str(self.size), "?", "?", "unknown: see `tickfold journal verify`")
        else:
            at = "" if self.found.at is None else instant(self.found.at)
            told = (str(self.head.seq), str(self.size), self.head.hash, at, state_text(self.found.state))
        return shown(str(self.stream)), *told, self.holder or "nobody"


CELLS = ("STREAM", "EVENTS", "BYTES", "HEAD", "LAST AT", "ALIVE", "HELD BY")
"""What the cells of a standing are."""


def standing(reader: Reader) -> Standing:
    """Read the tail, as a start does, and no more."""
    size = sum(path.stat().st_size for path in Path(reader.folder.path).glob("*.jsonl"))
    head, found, damage = Head(), None, None
    try:
        head = reader.head()
        found = recover(record.events for record in reader.read_backwards())
    except BROKEN as error:
        damage = error
    return Standing(reader.stream, size, reader.holder(), head, found, damage)


@attrs.frozen
class Judgement:
    """A whole journal, verified. `good` is what was alive after the last event that is sound."""

    verdict: Verdict
    standing: Standing
    good: State
    data_dir: Path

    def record(self) -> dict[str, object]:
        """As JSON: whether it is sound, up to which event, the damage, and under `live` what a start would find."""
        verdict = self.verdict
        place: dict[str, object] = dict(self.standing.stream._asdict())
        place |= {"sound": verdict.sound, "seq": verdict.head.seq, "hash": verdict.head.hash}
        place |= {"records": verdict.records, "segments": verdict.segments, "bytes": verdict.size}
        place |= {"torn": verdict.torn, "holder": verdict.holder, "damage": _damage_value(verdict.damage)}
        place |= state_value(self.good) | {"live": self.standing.record()}
        return place | {"next": self.next_command()}

    def text(self) -> str:
        """In words: one line for what is sound, four for what is not."""
        verdict, stream = self.verdict, shown(str(self.standing.stream))
        if verdict.damage is None:
            torn = f"; {verdict.torn} bytes of an append that was cut short: the next start sets them aside"
            held = "" if verdict.holder is None else f"; held by {verdict.holder}"
            return (
                f"{stream}: sound: {verdict.head.seq} events in {verdict.records} records, {verdict.segments} segments,"
                f" {verdict.size} bytes; head {verdict.head.hash}; {state_text(self.good)}"
                f"{torn if verdict.torn else ''}{held}"
            )
        lines = (
            f"{stream}: {'DAMAGED' if isinstance(verdict.damage, CorruptJournal) else 'TOO NEW'}",
            f"what:  {sentence(verdict.damage)}",
            f"means: {self._meaning()}",
            f"next:  {self.next_command()}",
        )
        return "\n       ".join(lines)

    def next_command(self) -> str | None:
        """What to type next: it says what going on would give up; None where everything is sound."""
        damage = self.verdict.damage
        if damage is None:
            return None
        if isinstance(damage, NewerFormat):
            return "pip install --upgrade tickfold"
        data_dir, stream = self.data_dir, self.standing.stream
        parts = ["--data-dir", str(data_dir), "--exchange", stream.exchange, "--strategy", stream.strategy]
        command = ["tickfold", "journal", "repair", *parts, "--symbol", stream.symbol]
        return shown(shlex.join(command))

    def _meaning(self) -> str:
        """What the damage means for the live state."""
        good = f"after event {self.verdict.head.seq}, the last that is sound: {state_text(self.good)}"
        found = self.standing.found
        if not isinstance(self.verdict.damage, CorruptJournal):
            return f"this Tickfold cannot read on, and `live` does not start this stream; {good}"
        if found is not None:
            return (
                f"the live state is known all the same, and `live` goes on from it: {state_text(found.state)}; reports "
                f"and replays stop before the damage; {good}"
            )
        return (
            f"`live` does not start this stream; {good}; what came later is not known, so a signal may be open that "
            "this does not show. Keep a copy of the directory, and restore it from a backup if there is one"
        )


def judged(reader: Reader, data_dir: Path) -> Judgement:
    """Read a whole journal and judge it. Never writes. Raises `OSError` where it cannot be read."""
    store = Store(data_dir)
    promised = named_by_checkpoints(store.files, store.checkpoints(reader.stream)).values()
    verdict, found = verify(reader, promised), standing(reader)
    if verdict.damage is None and found.found is not None:
        return Judgement(verdict, found, found.found.state, data_dir)
    state: State = FLAT
    with suppress(*BROKEN):
        for event in reader.read():
            if event.seq > verdict.head.seq:
                break
            state = evolve(state, event)
    return Judgement(verdict, found, state, data_dir)


def _damage_value(damage: CorruptJournal | NewerFormat | None) -> dict[str, object] | None:
    match damage:
        case None:
            return None
        case CorruptJournal():
            where = {"segment": damage.segment, "offset": damage.offset, "last_good_seq": damage.last_good_seq}
            return {"error": "corrupt", "kind": damage.kind, **where, "detail": damage.detail}
        case NewerFormat():
            return {"error": "newer_format", "what": damage.what, "needed": damage.needed}
