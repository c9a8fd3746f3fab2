"""A library speaks through logging, and no text speaks of the machine that it was written on or of work left over."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house import rules, tree


def test_only_commands_print() -> None:
    faults = {name: faults for name, code in tree.parsed() if (faults := rules.prints(code))}
    assert [name for name in faults if not name.startswith("engine/tickfold/cli/")] == []


def test_a_print_is_found_at_any_depth() -> None:
    assert rules.prints(ast.parse("def f():\n    if x:\n        print(x)")) == ["line 3"]
    assert rules.prints(ast.parse("logger.info('print(x)')")) == []


@pytest.mark.parametrize("pattern", [rules.REGISTRY, rules.MACHINE_PATH, rules.PROMISE], ids=lambda p: p.pattern[:24])
def test_no_file_names_a_registry_a_place_on_one_machine_or_a_promise(pattern: re.Pattern[str]) -> None:
    looked_at = dict(tree.texts())
    assert {name: faults for name, text in looked_at.items() if (faults := rules.matches(pattern, text))} == {}
    assert "pyproject.toml" in looked_at


# A bar stands in each sample where the rule would else find it in this file.
@pytest.mark.parametrize(
    ("pattern", "text", "faults"),
    [
        (rules.REGISTRY, "see\nhttps|://pypi.example/simple", ["line 2"]),
        (rules.REGISTRY, "http|://files.pythonhosted.example", ["line 1"]),
        (rules.REGISTRY, "https|://keepachangelog.com/en/1.1.0/", []),
        (rules.MACHINE_PATH, "cd |/home/someone/tickfold", ["line 1"]),
        (rules.MACHINE_PATH, "path = '|/tmp/x'", ["line 1"]),
        (rules.MACHINE_PATH, "tests|/tmp/x and docs|/work/y", []),
        (rules.PROMISE, "x = 1  # TO|DO later", ["line 1"]),
        (rules.PROMISE, "x = 1  # type: |ignore", ["line 1"]),
        (rules.PROMISE, "x = 1  # no|qa", ["line 1"]),
        (rules.PROMISE, "if x:  # pragma: |no cover", ["line 1"]),
        (rules.PROMISE, "x = 1  # type: |ignore[attr-defined]\ny = 2", ["line 1"]),
        (rules.PROMISE, "x = 1  # no|qa: E501, N802\ny = 2", ["line 1"]),
        (rules.PROMISE, "x = 1  # type: |ignore[attr-defined]  the stub lacks it", []),
        (rules.PROMISE, "x = 1  # no|qa: N802  the exchange's own name", []),
    ],
)
def test_each_of_them_is_found(pattern: re.Pattern[str], text: str, faults: list[str]) -> None:
    assert rules.matches(pattern, text.replace("|", "")) == faults
