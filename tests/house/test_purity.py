"""What decides and what folds asks the world for nothing: time, ids and randomness are arguments."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house import rules, tree


def pure_modules() -> list[str]:
    """The modules that the import contract named `pure` holds: the list stands in pyproject.toml, once."""
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    modules: list[str] = contracts["pure"]["source_modules"]
    return modules


def path_of(module: str) -> Path:
    package, *rest = module.split(".")
    return tree.PACKAGES[package].joinpath(*rest).with_suffix(".py")


@pytest.mark.parametrize("module", pure_modules())
def test_a_pure_module_calls_nothing_whose_answer_is_not_in_its_arguments(module: str) -> None:
    assert rules.impure_calls(ast.parse(path_of(module).read_text())) == []


def test_an_impure_call_is_found() -> None:
    code = "a = datetime.now(UTC)\nb = open(path)\nc = state.at\nd = clock.now"
    assert rules.impure_calls(ast.parse(code)) == ["line 1: now()", "line 2: open()"]


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter holds after one statement."""
    ask = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


HEAVY = {"ccxt", "pandas", "aiohttp", "requests", "watchfiles", "trio"}


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_importing_a_package_pays_for_no_exchange_and_no_data_frame(package: str) -> None:
    loaded = loaded_by(f"import {package}")
    assert loaded & HEAVY == set()
    assert package in loaded


def test_a_heavy_import_is_seen() -> None:
    assert loaded_by("import trio") & HEAVY == {"trio"}
