"""No power cut and no kill makes the store lose a record, show one that was never asked for, or lock its user out."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from tests.proof import kept, mutants
from tests.proof.clearing import locked_out
from tests.proof.lives import Life, Openings, Script, script_of, shrunk, tried

STORE = kept.trial()
STATES = int(os.environ.get("TICKFOLD_CRASH_STATES", "200000"))
PARTS = 16


@pytest.mark.parametrize("part", range(PARTS))
def test_every_state_that_a_power_cut_leaves_is_recovered(part: int) -> None:
    states, openings = 0, Openings(STORE)
    for seed in itertools.count(part * 1_000_000):
        script = script_of(seed, STORE.sizes)
        finding = tried(script, STORE, openings=openings)
        if finding.faults:
            pytest.fail(f"seed {seed}: {finding.faults[0]}\n{shrunk(script, STORE)}")
        states += finding.states
        if states >= STATES // PARTS:
            return


def test_no_byte_of_a_clearing_that_lands_alone_locks_anyone_out() -> None:
    assert locked_out(kept.Code()) == ""


KEPT = {
    "the tail is believed before it is written again": Script(
        (Life((1,)), Life((300,), dies_after=21), Life(())), sector=512, seed=40
    ),
    "no sync of the tail after recovery": Script(
        (Life((1500, 300)), Life((), dies_after=6, power=248), Life((1500,))), sector=512, seed=26
    ),
    "no sync of the directories at open": Script(
        (Life((), dies_after=58), Life((60,), dies_after=23)), sector=64, seed=0
    ),
    "a record enters an extension that was not synced": Script((Life((1500,), dies_after=58),), sector=64, seed=0),
}
"""What was left of scripts that had shown these faults, put into the store on purpose, when they were made short."""


@pytest.mark.parametrize("fault", KEPT)
def test_the_shortest_scripts_that_show_a_fault_show_none_in_the_store(fault: str, tmp_path: Path) -> None:
    finding = tried(KEPT[fault], STORE, budget=40)
    assert finding.faults == ()
    assert finding.states > 10
    (mutant,) = (mutant for mutant in mutants.MUTANTS if mutant.name == fault)
    assert mutants.found(mutant, tmp_path, lambda package: tried(KEPT[fault], kept.trial(package), budget=40).faults)
