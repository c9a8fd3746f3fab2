"""Each import contract of pyproject.toml breaks when it should, tried on a copy of the packages with a fault in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import tree


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in tree.PACKAGES.values():
        target = tmp_path / package.relative_to(tree.ROOT)
        shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(root: Path) -> set[str]:
    """The names of the contracts that import-linter finds broken in this tree."""
    roots = os.pathsep.join(str(root / package.relative_to(tree.ROOT).parent) for package in tree.PACKAGES.values())
    answer = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": roots, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Contracts:" not in answer.stdout:
        pytest.fail(f"import-linter came to no verdict: {(answer.stdout + answer.stderr).strip().splitlines()[-1]}")
    # Behind the verdict may stand how many imports the contract allows.
    return {line.partition(" BROKEN")[0] for line in answer.stdout.splitlines() if " BROKEN" in line}


def test_the_packages_as_they_are_break_none(copy: Path) -> None:
    assert broken_contracts(copy) == set()


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "eventstore/tickfold_eventstore/codec.py",
            "import tickfold_projections",
            "The engine imports the projections, the projections import the journal, and never the other way",
        ),
        ("eventstore/tickfold_eventstore/errors.py", "from . import events", "The floors of the journal"),
        ("eventstore/tickfold_eventstore/signals.py", "from . import events", "No circles"),
        ("eventstore/tickfold_eventstore/attic.py", "", "The floors of the journal"),
        ("projections/tickfold_projections/attic.py", "", "The floors of the projections"),
        ("engine/tickfold/attic.py", "", "The floors of the engine"),
        ("engine/tickfold/decide.py", "import random", "What decides and what folds asks the world for nothing"),
        (
            "projections/tickfold_projections/active_signal.py",
            "import time",
            "What decides and what folds asks the world for nothing",
        ),
        ("engine/tickfold/live.py", "import ccxt", "ccxt is imported by its adapter alone"),
    ],
)
def test_one_wrong_line_breaks_the_contract_that_forbids_it(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    assert contract in broken_contracts(copy)
