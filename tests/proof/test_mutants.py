"""Each deliberate fault in the store's own source is found by the trial that is said to find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import killers, mutants


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_the_fault_is_found(mutant: mutants.Mutant, tmp_path: Path) -> None:
    assert mutants.killed(mutant, tmp_path)


def test_the_store_without_a_fault_keeps_its_contract() -> None:
    assert killers.contract("tickfold_eventstore") == ""


def test_a_fault_must_say_exactly_what_it_replaces(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stands 0 times in mark\.py"):
        mutants.applied(mutants.Mutant("nothing", "contract", "mark", "no such text", ""), tmp_path)


def test_the_page_lists_the_faults_as_they_are() -> None:
    assert mutants.shown() == mutants.table(), "run: python -m tests.proof.mutants"
