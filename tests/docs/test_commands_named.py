"""Commands, options, targets and exit codes that a page names in passing exist, too."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from tests.docs import pages
from tests.docs.reference import every_command
from tickfold.cli import faults

COMMANDS = dict(every_command())
TARGETS = set(re.findall(r"^([a-z]+):", pages.text_of("Makefile"), re.MULTILINE))


def unknown(span: str) -> list[str]:
    """What a command in a code span names that is not there."""
    words = span.split()
    name: tuple[str, ...] = ("tickfold",)
    while len(words) > len(name) and (*name, words[len(name)]) in COMMANDS:
        name = (*name, words[len(name)])
    options = {option for each in COMMANDS[name].params for option in each.opts} | {"--help", "-h"}
    rest = words[len(name) :]
    if isinstance(COMMANDS[name], click.Group) and rest and not rest[0].startswith("-"):
        return rest[:1]
    return [word for word in rest if word.startswith("--") and word.partition("=")[0] not in options]


@pytest.mark.parametrize("page", pages.run_pages())
def test_a_command_that_a_page_names_exists_with_its_options(page: str) -> None:
    spans = [span for span in pages.code_spans(pages.text_of(page)) if span.split()[0] == "tickfold"]
    assert {span: lacking for span in spans if (lacking := unknown(span))} == {}


@pytest.mark.parametrize("page", pages.pages())
def test_a_target_that_a_page_names_exists(page: str) -> None:
    spans = [span for span in pages.code_spans(pages.text_of(page)) if span.split()[0] == "make"]
    targets = [word for span in spans for word in shlex.split(span)[1:] if "=" not in word]
    assert [target for target in targets if target not in TARGETS] == []


def test_a_command_or_an_option_that_is_not_there_is_found() -> None:
    assert unknown("tickfold journal ls --json") == []
    assert unknown("tickfold journal shred") == ["shred"]
    assert unknown("tickfold replay --backwards --at 3") == ["--backwards"]


def test_the_page_on_running_has_every_exit_code() -> None:
    _, _, section = pages.text_of("docs/running.md").partition("\n## Exit codes\n")
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", section.partition("\n## ")[0], re.MULTILINE)]
    assert told == [
        faults.DONE,
        faults.ERROR,
        faults.USAGE,
        faults.DAMAGED,
        faults.HELD,
        faults.UNREACHABLE,
        faults.INTERRUPTED,
    ]
