"""Crash states: lives of a journal on the disk that lies, and a look at what a power cut at each call would leave.

    python -m tests.proof.crash --states 200000 --seed 1

The oracle is two lists: the records acknowledged so far, and the one in flight. A state is a disk that no earlier one
of the same seed equalled, with that oracle; it is opened, its power cut right after that, and opened once more.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import Protocol

import attrs

from tests.proof.disk import Disk, Image
from tests.proof.powercut import Cut, power_cuts
from tests.proof.sketch import Refused, Sketch


class Subject(Protocol):
    """A journal that opened: `told` is what it read; `append` returns when a record is promised."""

    told: tuple[bytes, ...]

    def append(self, body: bytes) -> None: ...


Opener = Callable[[Disk], Subject]
"""Opens a subject on a disk; raises Refused where it will not."""


@attrs.define
class Run:
    """One seeded life after life on one disk, with a look at what a power cut would leave at every call."""

    rng: Random
    open: Opener
    budget: int
    kept: list[bytes] = attrs.Factory(list)
    asked: bytes = b""
    cuts: list[tuple[Cut, tuple[bytes, ...], bytes]] = attrs.Factory(list)

    def live(self, disk: Disk, appends: int, dies_after: int) -> None:
        calls = 0

        def watch(call: str) -> None:
            nonlocal calls
            calls += 1
            if call != "synced":
                self.cuts.extend((cut, tuple(self.kept), self.asked) for cut in power_cuts(disk, self.rng, self.budget))
            if calls == dies_after:
                raise KeyboardInterrupt

        disk.watch = watch
        try:
            journal = self.open(disk)
            self.told(journal)
            for _ in range(appends):
                self.asked = b'"%d %s"' % (len(self.kept), b"x" * self.rng.choice((1, 80, 700, 1300)))
                journal.append(self.asked)
                self.kept.append(self.asked)
                self.asked = b""
        except KeyboardInterrupt:
            pass
        disk.watch = lambda _: None
        disk.die()

    def told(self, journal: Subject) -> None:
        told = list(journal.told)
        if told not in (self.kept, [*self.kept, self.asked]):
            raise Lost(f"after a kill, of {len(self.kept)} records {len(told)} came back")
        self.kept, self.asked = told, b""


class Lost(Exception):
    """A kill alone, with no power cut, broke the promise."""


@attrs.frozen
class Finding:
    """How one seed ended: states tried, how many were the one-byte hole that may be refused, and each fault."""

    seed: int
    states: int
    holes: int
    faults: tuple[str, ...]


def tried(seed: int, opener: Opener = Sketch, budget: int = 12) -> Finding:
    """Three lives on one disk, two of which end in a kill, with the power cuts at every call."""
    rng = Random(seed)
    disk = Disk(sector=rng.choice((64, 512, 4096)))
    run = Run(rng, opener, budget)
    faults: list[str] = []
    try:
        for life in range(3):
            run.live(disk, appends=3, dies_after=rng.randrange(1, 30) if life < 2 else 0)
    except (Lost, Refused) as fault:
        faults.append(f"{type(fault).__name__}: {fault}")
    states = {(frozenset(cut.image.items()), kept, asked): cut for cut, kept, asked in run.cuts}
    holes = 0
    for (_, kept, asked), cut in states.items():
        fault_here = broken(cut, kept, asked, opener)
        if fault_here == HOLE:
            holes += 1
        elif fault_here:
            faults.append(f"seed {seed}: {fault_here}; {cut.how}: {cut.image}")
    return Finding(seed, len(states), holes, tuple(faults))


HOLE = "one byte did not land inside a sector: refused, as documented"


def broken(cut: Cut, kept: tuple[bytes, ...], asked: bytes, opener: Opener) -> str:
    """How opening after this cut breaks the promise, empty where it keeps it."""
    disk = Disk(cut.image)
    try:
        told = opener(disk).told
        again = opener(Disk(after_power_cut(disk))).told
    except Refused as refused:
        return HOLE if cut.hole else f"false alarm: {refused}"
    if told != kept and not (asked and told == (*kept, asked)):
        return f"of {len(kept)} records {len(told)} came back"
    if again != told:
        return f"a second power cut changed {len(told)} records to {len(again)}"
    return ""


def after_power_cut(disk: Disk) -> Image:
    return next(iter(power_cuts(disk, Random(0), 1))).image


def main() -> int:
    parser = argparse.ArgumentParser(description="Try crash states until there were enough; print what was tried.")
    parser.add_argument("--states", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    started, sums, faults = time.perf_counter(), Counter[str](), list[str]()
    with ProcessPoolExecutor(asked.workers) as pool:
        for first in itertools.count(asked.seed, 64):
            for finding in pool.map(tried, range(first, first + 64), chunksize=4):
                sums.update(seeds=1, states=finding.states, holes=finding.holes)
                faults.extend(finding.faults)
            if faults or sums["states"] >= asked.states:
                break
    for fault in faults[:3]:
        print(fault, file=sys.stderr)
    print(f"{dict(sums)} first seed {asked.seed}, faults {len(faults)}, {time.perf_counter() - started:.1f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
