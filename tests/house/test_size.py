"""A file fits in the head, a function on the screen."""

from __future__ import annotations

import ast

from tests.house import rules, tree


def test_no_module_is_longer_than_a_head_can_hold() -> None:
    lengths = {str(path.relative_to(tree.ROOT)): len(path.read_text().splitlines()) for path in tree.modules()}
    assert {name: lines for name, lines in lengths.items() if lines > rules.MODULE_LINES} == {}
    assert len(lengths) > 3, "the rule looked at nothing"


def test_no_function_is_longer_than_a_screen() -> None:
    assert {name: faults for name, code in tree.parsed() if (faults := rules.long_functions(code))} == {}


def test_a_function_of_51_lines_is_one_too_long_and_one_of_50_is_not() -> None:
    body = "    x = 1\n" * 49
    assert rules.long_functions(ast.parse("def fits():\n" + body)) == []
    assert rules.long_functions(ast.parse("async def long():\n" + body + "    x = 2\n")) == [
        "line 1: long has 51 lines"
    ]


def test_the_readme_is_read_in_one_go() -> None:
    assert len((tree.ROOT / "README.md").read_text().splitlines()) <= rules.README_LINES
