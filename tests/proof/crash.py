"""Crash states in numbers: scripts from seeds until enough states were tried, and a fault shrunk to a short script.

python -m tests.proof.crash --states 200000 --seed 1
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import attrs

from tests.proof import kept, sketch
from tests.proof.lives import Finding, Openings, Script, script_of, shrunk, tried

TRIALS = {"store": kept.trial, "sketch": sketch.trial}
TOGETHER = 64
"""Scripts that a worker is handed at a time."""


@attrs.define
class Sum:
    """What was tried so far, and the first faults with the scripts that show them."""

    scripts: int = 0
    states: int = 0
    opened: int = 0
    holes: int = 0
    faults: list[tuple[Script, str]] = attrs.Factory(list)

    def add(self, script: Script, finding: Finding) -> None:
        self.scripts += 1
        self.states += finding.states
        self.opened += finding.opened
        self.holes += finding.holes
        self.faults.extend((script, fault) for fault in finding.faults)


@cache
def openings(name: str) -> Openings:
    """What this process knows of images that it opened."""
    return Openings(TRIALS[name]())


def tried_seeds(name: str, seeds: range) -> list[tuple[Script, Finding]]:
    known = openings(name)
    scripts = (script_of(seed, known.trial.sizes) for seed in seeds)
    return [(script, tried(script, known.trial, openings=known)) for script in scripts]


def crash_states(name: str, states: int, seed: int, workers: int) -> Sum:
    """Scripts from this seed on until so many states were tried, or one showed a fault."""
    total, started = Sum(), time.perf_counter()
    with ProcessPoolExecutor(workers) as pool:
        for first in itertools.count(seed, TOGETHER * workers * 8):
            parts = [range(each, each + TOGETHER) for each in range(first, first + TOGETHER * workers * 8, TOGETHER)]
            for found in pool.map(tried_seeds, itertools.repeat(name), parts):
                for script, finding in found:
                    total.add(script, finding)
            print(told(name, total, seed, started), file=sys.stderr)
            if total.faults or total.states >= states:
                return total
    raise AssertionError("itertools.count ends")


def told(name: str, total: Sum, seed: int, started: float) -> str:
    return (
        f"{name}: {total.states} crash states of {total.scripts} scripts (seeds from {seed}), {total.opened} images "
        f"opened, {total.holes} holes of one byte, {len(total.faults)} faults, {time.perf_counter() - started:.1f} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Try crash states until there were enough; print what was tried.")
    parser.add_argument("--of", choices=sorted(TRIALS), default="store")
    parser.add_argument("--states", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    started = time.perf_counter()
    total = crash_states(asked.of, asked.states, asked.seed, asked.workers)
    for script, fault in total.faults[:3]:
        print(f"{fault}\n  {shrunk(script, TRIALS[asked.of]())}", file=sys.stderr)
    print(told(asked.of, total, asked.seed, started))
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
