"""What the architecture page says of the tests and of the decisions is so."""

from __future__ import annotations

import ast
import re

from tests.docs import pages

PAGE = "docs/architecture.md"


def invariants(text: str) -> dict[int, list[str]]:
    """The numbered invariants, each with the tests that it names."""
    _, _, section = text.partition("\n## Invariants\n")
    found = re.split(r"^(\d+)\. ", section.partition("\n## ")[0], flags=re.MULTILINE)[1:]
    return {
        int(number): re.findall(r"`(tests/[^`]+::[^`]+)`", said)
        for number, said in zip(found[::2], found[1::2], strict=True)
    }


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = pages.ROOT / file
    functions = ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else ()
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in functions)


def test_every_invariant_names_a_test_and_the_test_exists() -> None:
    found = invariants(pages.text_of(PAGE))
    assert list(found) == list(range(1, len(found) + 1))
    assert len(found) > 10
    assert [number for number, tests in found.items() if not tests] == []
    assert [test for tests in found.values() for test in tests if not exists(test)] == []


def test_a_test_that_is_not_there_is_found() -> None:
    assert exists("tests/docs/test_architecture.py::test_a_test_that_is_not_there_is_found")
    assert not exists("tests/docs/test_architecture.py::test_that_the_moon_is_cheese")
    assert not exists("tests/docs/test_nothing.py::test_a_test_that_is_not_there_is_found")


def test_every_decision_is_listed_with_its_title() -> None:
    decisions = sorted((pages.ROOT / "docs" / "adr").glob("*.md"))
    titles = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in decisions}
    lines = [
        f"- [{title.removeprefix('# ').replace('. ', ': ', 1)}](adr/{name})"
        for name, title in titles.items()
        if not name.startswith("0000")
    ]
    assert pages.text_of(PAGE).partition("\n## Decisions\n")[2].strip().splitlines()[2:] == lines


def test_every_decision_is_said_in_the_same_parts() -> None:
    parts = ["The question", "The answer", "What else there was", "What it costs", "When to ask again"]
    decisions = sorted((pages.ROOT / "docs" / "adr").glob("*.md"))
    told = {path.name: re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) for path in decisions}
    assert {name: found for name, found in told.items() if found != parts} == {}


def test_the_page_for_contributors_knows_every_folder_of_tests() -> None:
    told = set(re.findall(r"^\| (`[^|]+) \|", pages.text_of("CONTRIBUTING.md"), re.MULTILINE))
    named = {name for row in told for name in re.findall(r"`(\w+)`", row)}
    folders = {path.name for path in (pages.ROOT / "tests").iterdir() if any(path.glob("*.py"))}
    assert folders - named == set()
