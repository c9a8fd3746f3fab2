"""Each example says at its top how to run it, and runs that way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.shell import Shell

EXAMPLES = sorted((pages.ROOT / "examples").glob("*.py"))


def commands_of(path: Path) -> list[str]:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return [line.strip() for line in told.splitlines() if line.strip().startswith(("python ", "tickfold "))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_as_it_says(path: Path, tmp_path: Path) -> None:
    assert commands_of(path)
    (tmp_path / "examples").symlink_to(pages.ROOT / "examples")
    with Shell(tmp_path) as shell:
        for command in commands_of(path):
            said = shell.type_(command)
            assert said.code == 0, f"{path.name}: {command}\n{said.text}"
            assert said.text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_page_leads_to_each_example(path: Path) -> None:
    name = f"`examples/{path.name}`"
    assert [page for page in pages.run_pages() if name in pages.text_of(page)] != []
