"""Crash states in numbers: scripts from seeds until enough states were tried, and a fault shrunk to a short script.

python -m tests.proof.crash --states 200000 --seed 1
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import attrs

from tests.proof import kept, sketch
from tests.proof.lives import Finding, Script, script_of, shrunk, tried

TRIALS = {"store": kept.trial, "sketch": sketch.trial}


@attrs.define
class Sum:
    """What was tried so far, and the first faults with the scripts that show them."""

    scripts: int = 0
    states: int = 0
    holes: int = 0
    faults: list[tuple[Script, str]] = attrs.Factory(list)


def tried_seed(name: str, seed: int, budget: int) -> tuple[Script, Finding]:
    trial = TRIALS[name]()
    script = script_of(seed, trial.sizes)
    return script, tried(script, trial, budget)


def crash_states(name: str, states: int, seed: int, workers: int, budget: int = 12) -> Sum:
    """Scripts from this seed on until so many states were tried, or one showed a fault."""
    total = Sum()
    with ProcessPoolExecutor(workers) as pool:
        for first in itertools.count(seed, 16 * workers):
            seeds = range(first, first + 16 * workers)
            for script, finding in pool.map(tried_seed, itertools.repeat(name), seeds, itertools.repeat(budget)):
                total.scripts += 1
                total.states += finding.states
                total.holes += finding.holes
                total.faults.extend((script, fault) for fault in finding.faults)
            if total.faults or total.states >= states:
                return total
    raise AssertionError("itertools.count ends")


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
    print(
        f"{asked.of}: {total.states} crash states of {total.scripts} scripts (seeds from {asked.seed}), "
        f"{total.holes} holes of one byte, {len(total.faults)} faults, {time.perf_counter() - started:.1f} s"
    )
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
