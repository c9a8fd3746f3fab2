"""Damage to a journal of the store is refused, or it changes nothing; what no rule can tell is counted."""

from __future__ import annotations

from random import Random

import pytest

from tests.proof.damage import WHICH, written
from tests.proof.harm import KINDS, flipped, outcomes

SEEDS = range(10)
SURE = [which for which in WHICH if "newest" in which]
UNSURE = [which for which in WHICH if "newest" not in which]


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_flipped_bit_changes_what_is_read_in_silence(seed: int, which: str) -> None:
    journal = written(seed)
    found = flipped(journal, which, Random(seed))
    assert set(found) <= {"right", "refused"}
    assert found["refused"] >= 8 * sum(map(journal.end, journal.segments))


@pytest.mark.parametrize("which", SURE)
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_knows_the_newest_record_sees_every_damage(kind: str, which: str) -> None:
    for seed in SEEDS:
        assert set(outcomes(kind, written(seed), which, Random(seed))) <= {"right", "refused"}, seed


@pytest.mark.parametrize("which", UNSURE)
@pytest.mark.parametrize("kind", KINDS)
def test_with_an_old_mark_or_none_only_a_lost_end_goes_unseen(kind: str, which: str) -> None:
    for seed in SEEDS:
        found = outcomes(kind, written(seed), which, Random(seed))
        assert set(found) <= {"right", "refused", "set aside", "undecidable"}, seed
        if kind in {"MARK", "rot and a torn append"}:
            assert set(found) <= {"right", "refused"}, seed
