"""Lives of a journal on the disk that lies, written down as a script, and what a power cut at each call would leave.

The oracle shares nothing with what is tried: a list of the records acknowledged so far, and the one in flight.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Protocol

import attrs

from tests.proof.disk import Dead, Disk, Image
from tests.proof.powercut import Cut, nothing_more_landed, power_cuts


class Refused(Exception):
    """Opening refused."""


class Lost(Exception):
    """A record that was acknowledged did not come back, or another came."""


class Subject(Protocol):
    """A journal that opened: `told` is what it read; `append` returns when a record is promised."""

    @property
    def told(self) -> tuple[object, ...]: ...

    def append(self, record: Any) -> None: ...

    def keep_place(self) -> None:
        """A named reader writes down that it has read everything."""
        ...

    def close(self) -> None: ...


@attrs.frozen
class Trial:
    """What is tried: how it opens (raises Refused where it will not), and what its records are made of."""

    open: Callable[[Disk], Subject]
    record: Callable[[int, int], object]
    """The record that follows this many others, of about this many bytes."""
    sizes: tuple[int, ...]
    read: Callable[[Disk], tuple[object, ...] | None] = lambda _: None
    """What one reads who does not open it (None: there is no such way); raises Refused."""


CLOSE, KEEP_PLACE = 0, -1
"""Steps: close and open again; a reader's checkpoint. Any other is the size of a record to append."""


@attrs.frozen
class Life:
    """From opening to the end: what is done, at which call the process dies (0: closes at last), and whether the power
    goes with it (a seed for what lands)."""

    steps: tuple[int, ...]
    dies_after: int = 0
    power: int | None = None


@attrs.frozen
class Script:
    """A few lives on one disk: all that is needed to see a fault again."""

    lives: tuple[Life, ...]
    sector: int
    seed: int


def script_of(seed: int, sizes: tuple[int, ...]) -> Script:
    rng = Random(seed)
    lives = []
    for _ in range(rng.choice((2, 3, 3, 4))):
        steps = tuple(rng.choice((CLOSE, KEEP_PLACE, *sizes, *sizes)) for _ in range(rng.randrange(1, 6)))
        dies_after = rng.choice((0, rng.randrange(1, 60), rng.randrange(1, 20)))
        power = rng.randrange(1000) if rng.random() < 0.5 else None
        lives.append(Life(steps, dies_after, power))
    return Script(tuple(lives), rng.choice((64, 512, 4096)), seed)


@attrs.frozen
class State:
    """A disk as a power cut may leave it, and what must, and what may, be read from it."""

    cut: Cut
    kept: tuple[object, ...]
    asked: tuple[object, ...]

    @property
    def key(self) -> object:
        """What tells two states apart. The note in LOCK is for people."""
        files = frozenset(file for file in self.cut.image.items() if not file[0].endswith("/LOCK"))
        return files, self.kept, self.asked


@attrs.define
class Run:
    """A script as it is lived; `states` is handed each state once."""

    trial: Trial
    script: Script
    budget: int
    states: list[State] = attrs.Factory(list)
    kept: tuple[object, ...] = ()
    asked: tuple[object, ...] = ()
    calls: int = 0
    rng: Random = attrs.Factory(Random)

    def run(self) -> None:
        """Raises Lost, or what the subject raises, where a kill or a power cut that was taken broke the promise."""
        self.rng = Random(self.script.seed)
        disk = Disk(sector=self.script.sector)
        for life in self.script.lives:
            self.live(disk, life)
            if life.power is not None:
                cuts = [cut for cut in power_cuts(disk, Random(life.power), 6) if not cut.hole]
                disk = Disk(Random(life.power).choice(cuts).image, self.script.sector)

    def cut(self, disk: Disk) -> None:
        """Note what a power cut would leave now, and what may be read from it."""
        cuts = power_cuts(disk, self.rng, self.budget)
        self.states.extend(State(cut, self.kept, self.asked) for cut in cuts)

    def live(self, disk: Disk, life: Life) -> None:
        self.calls = 0

        def watch(call: str) -> None:
            self.calls += 1
            if not call.startswith("sync"):  # a sync takes possibilities away and adds none
                self.cut(disk)
            if self.calls == life.dies_after:
                disk.kill()

        disk.watch = watch
        with contextlib.suppress(Dead):
            self.act(disk, life.steps)
        disk.watch = lambda _: None
        disk.die()

    def act(self, disk: Disk, steps: tuple[int, ...]) -> None:
        subject = self.opened(disk)
        for step in steps:
            if step == CLOSE:
                subject.close()
                subject = self.opened(disk)
            elif step == KEEP_PLACE:
                subject.keep_place()
            else:
                self.append(subject, step)
                self.cut(disk)
        subject.close()

    def append(self, subject: Subject, size: int) -> None:
        self.asked = (self.trial.record(len(self.kept), size),)
        subject.append(self.asked[0])
        self.kept, self.asked = self.kept + self.asked, ()

    def opened(self, disk: Disk) -> Subject:
        subject = self.trial.open(disk)
        if subject.told not in (self.kept, self.kept + self.asked):
            raise Lost(f"after {self.calls} calls, of {len(self.kept)} records {len(subject.told)} came back")
        self.kept, self.asked = subject.told, ()
        self.cut(disk)
        return subject


@attrs.frozen
class Finding:
    """How one script ended: states tried, how many were the one-byte hole that may be refused, and each fault."""

    states: int
    holes: int
    faults: tuple[str, ...]


def tried(script: Script, trial: Trial, budget: int = 12) -> Finding:
    """The script, and every state that a power cut during it could have left, each opened, cut again, opened again."""
    run = Run(trial, script, budget)
    faults: list[str] = []
    try:
        run.run()
    except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
        faults.append(f"{type(fault).__name__}: {fault}")
    states = {state.key: state for state in run.states}
    holes = 0
    for number, state in enumerate(states.values()):
        fault_here = broken(state, trial, read_first=number % 8 == 0)
        holes += fault_here == HOLE
        if fault_here and fault_here != HOLE:
            faults.append(f"{fault_here}; {state.cut.how}: {seen(state.cut.image)}")
    return Finding(len(states), holes, tuple(faults))


HOLE = "one byte did not land inside a sector: refused, as documented"


def broken(state: State, trial: Trial, *, read_first: bool = True) -> str:
    """How reading or opening after this cut breaks the promise, empty where both keep it."""
    disk = Disk(state.cut.image)
    try:
        seen = trial.read(disk) if read_first else None
        told = trial.open(disk).told
        again = trial.open(Disk(nothing_more_landed(disk))).told
    except Refused as refused:
        return HOLE if state.cut.hole else f"false alarm: {refused}"
    except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
        return f"{type(fault).__name__}: {fault}"
    if seen not in (None, told):
        return f"{len(seen or ())} records could be read before it was opened, and {len(told)} after"
    if told != state.kept and not (state.asked and told == state.kept + state.asked):
        return f"of {len(state.kept)} records {len(told)} came back"
    if again != told:
        return f"a second power cut changed {len(told)} records to {len(again)}"
    return ""


def seen(image: Image) -> str:
    """An image as a person reads it: contents without what repeats at their ends."""
    parts = []
    for path, content in sorted(image.items()):
        if content is not None:
            text = content.rstrip(b"\n\0")
            parts.append(f"{path} ({len(content)} bytes) {text[-300:]!r}")
    return "; ".join(parts)


def shrunk(script: Script, trial: Trial, budget: int = 12) -> Script:
    """A shorter script that still shows a fault: lives and steps left out as long as one remains."""
    while True:
        for shorter in shorter_scripts(script):
            if tried(shorter, trial, budget).faults:
                script = shorter
                break
        else:
            return script


def shorter_scripts(script: Script) -> Iterator[Script]:
    lives = script.lives
    for place, life in enumerate(lives):
        rest = lives[:place], lives[place + 1 :]
        if len(lives) > 1:
            yield attrs.evolve(script, lives=rest[0] + rest[1])
        for step in range(len(life.steps)):
            fewer = attrs.evolve(life, steps=life.steps[:step] + life.steps[step + 1 :])
            yield attrs.evolve(script, lives=(*rest[0], fewer, *rest[1]))
        if life.power is not None:
            yield attrs.evolve(script, lives=(*rest[0], attrs.evolve(life, power=None), *rest[1]))
