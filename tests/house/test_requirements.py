"""The compiled requirements name packages, versions and hashes, and nothing else: no index, no place of download."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.house import rules, tree

RUN = (tree.ROOT / "requirements" / "run.txt").read_text()
DEV = (tree.ROOT / "requirements" / "dev.txt").read_text()


def pins(text: str) -> set[str]:
    return {line.removesuffix(" \\") for line in text.splitlines() if "==" in line and not line.startswith(" ")}


def names(text: str) -> set[str]:
    return {pin.split("==")[0] for pin in pins(text)}


@pytest.mark.parametrize("text", [RUN, DEV], ids=["run", "dev"])
def test_every_line_is_a_pin_a_hash_or_a_comment(text: str) -> None:
    assert rules.unpinned(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "--find-links wheels",
        "attrs>=24",
        "attrs @ file:///wheels/attrs.whl",
        "-e .",
        "",
    ],
)
def test_any_other_line_is_a_fault(line: str) -> None:
    assert rules.unpinned(f"{line}\n") == [f"line 1: {line}"]


def test_the_demo_and_the_tests_run_on_the_same_versions() -> None:
    assert pins(RUN) - pins(DEV) == set()


def test_what_pyproject_asks_for_is_pinned() -> None:
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]

    def asked(requirements: list[str | dict[str, str]]) -> set[str]:
        plain = (r for r in requirements if isinstance(r, str))
        return {re.split(r"[\[<>=! ;]", r)[0] for r in plain}

    run = asked(project["project"]["dependencies"]) | asked(groups["build"])
    assert run - names(RUN) == set()
    assert (run | asked(groups["dev"])) - names(DEV) == set()
