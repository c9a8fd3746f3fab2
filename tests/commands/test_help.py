"""Every command explains itself, with an example that can be typed."""

from __future__ import annotations

import importlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.commands.typing_commands import Typed
from tickfold import cli as cli_package
from tickfold.cli import COMMANDS, cli
from tickfold.cli.completion import SHELLS


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with the words that call it, groups among them."""

    def below(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield words, command
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), name)
                assert found is not None
                yield from below((*words, name), found)

    return below((), cli)


ALL = dict(every_command())


def examples(command: click.Command) -> list[str]:
    assert command.epilog is not None
    _, _, lines = command.epilog.partition("Example:\n")
    return [line.strip() for line in lines.partition("\n\n")[0].splitlines()]


GROUPS = {
    "audit": {"forms", "lookahead"},
    "journal": {"export", "import", "ls", "repair", "show", "verify"},
    "new": {"strategy"},
}


def test_every_module_that_is_a_command_is_listed() -> None:
    """One of a group is a module of the group's, and has its name before its own."""
    modules = {path.stem for path in Path(cli_package.__file__).parent.glob("[a-z]*.py")}
    found = {name for name in modules if hasattr(importlib.import_module(f"tickfold.cli.{name}"), "command")}
    assert {name for name in found if not name.startswith("journal_")} == set(COMMANDS)


@pytest.mark.parametrize("group", GROUPS)
def test_these_are_the_commands_of_a_group(group: str) -> None:
    assert {words[1] for words in ALL if len(words) == 2 and words[0] == group} == GROUPS[group]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_says_what_a_command_does_and_gives_an_example(type_: Typed, words: tuple[str, ...]) -> None:
    said = type_(*words, "--help")
    assert said.code == 0
    assert "Usage: tickfold" in said.out
    assert "Example:\n" in said.out
    assert all(line in said.out for line in examples(ALL[words]))
    assert type_(*words, "-h") == said


@pytest.mark.parametrize("line", [line for command in ALL.values() for line in examples(command)])
def test_the_command_of_an_example_takes_its_options(line: str) -> None:
    typed = shlex.split(line.partition("|")[0].partition(">")[0])
    if typed[0] == "curl":  # what asks a server that a command has started
        return
    assert typed[0] == "tickfold"
    command: click.Command = cli
    words: tuple[str, ...] = ()
    rest = typed[1:]
    while isinstance(command, click.Group):
        words, rest = (*words, rest[0]), rest[1:]
        command = ALL[words]
    with command.make_context(" ".join(words), list(rest)) as ctx:
        assert ctx.params.keys() == {each.name for each in command.params if each.expose_value}


def test_every_option_has_a_line_in_help() -> None:
    silent = [
        (words, option.name)
        for words, command in ALL.items()
        for option in command.params
        if isinstance(option, click.Option) and not (option.help or isinstance(option.type, click.Choice))
    ]
    assert silent == []


def test_a_command_that_does_not_exist_is_a_usage_error(type_: Typed) -> None:
    said = type_("trade")
    assert (said.code, said.out) == (2, "")
    assert "No such command 'trade'" in said.err


def test_the_version_is_that_of_the_package(type_: Typed) -> None:
    from tickfold.version import VERSION

    assert type_("--version").out == f"tickfold, version {VERSION}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_gives_a_script_that_asks_tickfold(type_: Typed, shell: str) -> None:
    said = type_("completion", shell)
    assert said.code == 0
    assert "_TICKFOLD_COMPLETE" in said.out


def test_bash_is_told_the_commands() -> None:
    environment = {"_TICKFOLD_COMPLETE": "bash_complete", "COMP_WORDS": "tickfold ", "COMP_CWORD": "1", "PATH": ""}
    script = "from tickfold.cli import main; import sys; sys.argv = ['tickfold']; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == list(COMMANDS)


def test_help_imports_no_command_and_nothing_that_talks_to_an_exchange() -> None:
    script = (
        "import sys; from tickfold.cli import run; run(['--help']);"
        "print(*sorted(set(sys.modules) & {'ccxt', 'aiohttp', 'tickfold.cli.live', 'tickfold.cli.demo'}), 'end')"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "end"
