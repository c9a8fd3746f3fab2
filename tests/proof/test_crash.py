"""No power cut and no kill makes the store lose a record, show one that was never asked for, or lock its user out."""

from __future__ import annotations

import itertools
import os

import pytest

from tests.proof import kept
from tests.proof.lives import script_of, shrunk, tried

STORE = kept.trial()
STATES = int(os.environ.get("TICKFOLD_CRASH_STATES", "200000"))
PARTS = 16


@pytest.mark.parametrize("part", range(PARTS))
def test_every_state_that_a_power_cut_leaves_is_recovered(part: int) -> None:
    states = 0
    for seed in itertools.count(part * 1_000_000):
        script = script_of(seed, STORE.sizes)
        finding = tried(script, STORE)
        if finding.faults:
            pytest.fail(f"seed {seed}: {finding.faults[0]}\n{shrunk(script, STORE)}")
        states += finding.states
        if states >= STATES // PARTS:
            return
