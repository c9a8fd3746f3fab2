"""What the pages say is so: every block is run, in the order of its page, as a reader would type it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.docs import pages
from tests.docs.pages import Block, Command
from tests.docs.shell import Shell
from tickfold.cli import cli

LOOK = "echo $?"

NOT_RUN = {
    ("CONTRIBUTING.md", "it compiles lists of packages, from the network"): 1,
    ("CONTRIBUTING.md", "it runs this test"): 1,
    ("CONTRIBUTING.md", "it writes the pages that are tested"): 1,
    ("README.md", "it runs this test"): 1,
    ("docs/exchanges.md", "it asks a real exchange"): 1,
    ("docs/running.md", "it asks a real exchange"): 1,
    ("docs/serving.md", "it goes on until Ctrl-C"): 2,
    ("docs/start.md", "it installs what this test runs on"): 1,
    ("docs/tutorial.md", "it asks a real exchange"): 1,
}
"""Every block that no test runs, by page and reason, with how many there are."""


def blocks_of(page: str) -> list[Block]:
    return list(pages.blocks(page, pages.text_of(page)))


def every_block() -> list[Block]:
    return [block for page in pages.run_pages() for block in blocks_of(page)]


def typed(block: Block) -> list[Command]:
    if block.language == "console":
        return pages.commands(block.body)
    lines = [line for line in block.body.splitlines() if line and not line.startswith("#")]
    return [Command(line, None) for line in lines]


def run(shell: Shell, block: Block) -> int:
    """Type a block's commands. One that fails must be followed by a look at its exit code.

    How many were left out because jq is not on this machine.
    """
    failed, left_out, todo = 0, 0, typed(block)
    for command, following in zip(todo, [*todo[1:], None], strict=True):
        if "jq " in command.text and shutil.which("jq") is None:
            left_out += 1
            continue
        said = shell.type_(f"(exit {failed}); {command.text}" if command.text == LOOK else command.text)
        assert command.printed is None or pages.matches(command.printed, said.text), (
            f"{block}: `{command.text}` printed\n{said.text}\nand the page shows\n{command.printed}"
        )
        failed = said.code
        assert not failed or (following and following.text == LOOK), f"{block}: `{command.text}` gave {said}"
    return left_out


@pytest.mark.parametrize("page", [page for page in pages.run_pages() if blocks_of(page)])
def test_every_block_of_a_page_runs_and_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    left_out = 0
    with Shell(tmp_path) as shell:
        for number, block in enumerate(blocks_of(page)):
            if block.not_run is not None:
                continue
            if block.file is not None:
                (tmp_path / block.file).write_text(block.body, encoding="utf-8")
            elif block.language == "python":
                (tmp_path / f"_block{number}.py").write_text(block.body, encoding="utf-8")
                said = shell.type_(f"python _block{number}.py")
                assert said.code == 0, f"{block}:\n{said.text}"
            elif block.language in {"console", "sh"}:
                left_out += run(shell, block)
            elif block.language == "json":
                json.loads(block.body)
    if left_out:
        pytest.skip(f"jq is not on this machine: {left_out} commands of {page} were not run, all others were")


def test_the_python_of_the_pages_is_written_as_ours_is(tmp_path: Path) -> None:
    for block in every_block():
        if block.language == "python":
            (tmp_path / f"{block.page.replace('/', '-')}-{block.line}.py").write_text(block.body, encoding="utf-8")
    # The examples' rules: what people copy. Each block is a file of its own, so where it stands says nothing.
    ruff = [str(Path(sys.executable).with_name("ruff")), "--config", str(pages.ROOT / "pyproject.toml")]
    rules = "ARG,ASYNC,T20,S,D,DOC,INP,PLR2004,N999,FBT,EXE"
    for command in (["format", "--check"], ["check", "--no-cache", "--extend-ignore", rules]):
        said = subprocess.run([*ruff, *command, str(tmp_path)], capture_output=True, text=True)
        assert said.returncode == 0, said.stdout


def test_every_block_says_what_it_is() -> None:
    assert [f"{block}: {block.language!r}" for block in every_block() if block.language not in pages.LANGUAGES] == []


def test_these_blocks_are_not_run_and_no_others() -> None:
    found: dict[tuple[str, str], int] = {}
    for block in every_block():
        if block.not_run is not None:
            found[block.page, block.not_run] = found.get((block.page, block.not_run), 0) + 1
    assert found == NOT_RUN


def parsed_by_click(words: list[str]) -> None:
    command: click.Command = cli
    name = "tickfold"
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(click.Context(command), name)
        assert found is not None, name
        command = found
    command.make_context(name, list(words)).close()


@pytest.mark.parametrize("block", [block for block in every_block() if block.not_run is not None], ids=str)
def test_what_is_not_run_names_targets_and_options_that_exist(block: Block) -> None:
    if block.language == "python":
        compile(block.body, str(block), "exec")
        return
    targets = set(re.findall(r"^([a-z]+):", pages.text_of("Makefile"), re.MULTILINE))
    for command in typed(block):
        words = shlex.split(command.text, comments=True)
        match words:
            case ["make", target, *settings] if all("=" in each for each in settings):
                assert target in targets
            case ["tickfold", *rest]:
                parsed_by_click(rest)
            case [".ci/run"] | [".", ".venv/bin/activate"]:
                pass
            case [".venv/bin/python", "-m", module]:
                assert (pages.ROOT / module.replace(".", "/")).with_suffix(".py").exists()
            case _:
                raise AssertionError(f"{block}: nothing is known of {command.text!r}")


def test_a_command_that_prints_otherwise_is_found(tmp_path: Path) -> None:
    text = "```console\n$ echo one; echo two\none\n2\n```\n"
    (block,) = pages.blocks("odd.md", text)
    with Shell(tmp_path) as shell, pytest.raises(AssertionError, match=r"odd\.md:1: `echo one; echo two` printed"):
        run(shell, block)


def test_a_command_that_fails_where_the_page_does_not_say_so_is_found(tmp_path: Path) -> None:
    (block,) = pages.blocks("odd.md", "```sh\nfalse\n```\n")
    with Shell(tmp_path) as shell, pytest.raises(AssertionError, match=r"`false` gave"):
        run(shell, block)


@pytest.mark.parametrize(
    ("printed", "actual", "same"),
    [
        ("one\ntwo", "one\ntwo\n", True),
        ("one\n...\nthree", "one\ntwo\n2.5\nthree\n", True),
        ("head …, nothing", "head 0af3, nothing\n", True),
        ("one\n...", "one\n", True),
        ("head …, nothing", "head 0af3\n, nothing\n", False),
        ("one", "one\ntwo\n", False),
        ("a.c", "abc\n", False),
    ],
)
def test_dots_stand_for_what_differs_and_for_nothing_else(printed: str, actual: str, same: bool) -> None:
    assert pages.matches(printed, actual) is same


def test_a_block_knows_its_line_its_file_and_its_excuse() -> None:
    text = "# Page\n\n<!-- not run: it takes a day -->\n```sh\nmake world\n```\n\n```python\n# a.py\nx = 1\n```\n"
    assert list(pages.blocks("p.md", text)) == [
        Block("p.md", 4, "sh", "make world\n", None, "it takes a day"),
        Block("p.md", 8, "python", "# a.py\nx = 1\n", "a.py", None),
    ]
