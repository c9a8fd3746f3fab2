"""What a strategy file may be wrong with is said in one line, with the file, the line and the exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.commands.typing_commands import STRATEGY, Files, Typed, start

BACKTEST = ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-03")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nx = (", "ups.py, line 2: the file does not import: SyntaxError: '(' was never closed"),
        ("\nimport nowhere_at_all", "ups.py, line 2: the file does not import: ModuleNotFoundError: No module named "),
        ("def f():\n    1 / 0\n\nf()", "ups.py, line 2: the file does not import: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "ups.py, line 1: the file does not import: SystemExit: 3"),
        ("x = 1", 'ups.py holds no strategy: decorate a function with @strategy("name", interval="15m")'),
        ("", "ups.py holds no strategy"),
        (
            STRATEGY + STRATEGY,
            "ups.py, line 10: there is a second strategy with the name 'ups'; give one of them another name",
        ),
        (
            STRATEGY.replace('"1h"', '"7x"'),
            "ups.py, line 4: '7x' is no interval",
        ),
    ],
)
@pytest.mark.parametrize("command", ["backtest", "live"])
def test_a_file_that_cannot_be_used_says_where_and_why(
    files: Files, type_: Typed, command: str, text: str, said: str
) -> None:
    files.write(text)
    found = type_(command, *BACKTEST[1:-2])
    assert (found.code, found.out) == (1, "")
    assert said in found.err
    assert found.err.count("\n") == 1
    assert not files.data.exists()


def test_debug_shows_where_it_came_from(files: Files, type_: Typed) -> None:
    files.write("import nowhere_at_all")
    said = type_(*BACKTEST, "--debug")
    assert said.code == 1
    assert "Traceback (most recent call last)" in said.err
    assert said.err.splitlines()[-1].startswith("tickfold: ups.py, line 1: the file does not import")
    assert "Traceback" in type_("--debug", *BACKTEST).err
    assert "Traceback" not in type_(*BACKTEST).err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.py", "tickfold: none.py does not exist, or leads nowhere: FILE is a Python file with strategies\n"),
        (".", "tickfold: . is a directory: FILE is a Python file with strategies\n"),
        ("ups.txt", "tickfold: ups.txt is no Python file: FILE must end in .py\n"),
    ],
)
def test_a_file_that_is_none_is_a_usage_error(files: Files, type_: Typed, name: str, said: str) -> None:
    files.write(name="ups.txt")
    assert type_("backtest", name, *BACKTEST[2:]) == (2, "", said)


def test_a_pipe_is_no_file_and_a_link_that_leads_nowhere_is_none(files: Files, type_: Typed) -> None:
    os.mkfifo("pipe.py")
    Path("loop.py").symlink_to("loop.py")
    said = "tickfold: {} {}: FILE is a Python file with strategies\n"
    for name, what in (
        ("pipe.py", "is no file that can be read again, such as a pipe"),
        ("loop.py", "does not exist, or leads nowhere"),
    ):
        assert type_("backtest", name, *BACKTEST[2:]) == (2, "", said.format(name, what))


def test_a_thread_that_a_file_leaves_does_not_keep_the_command_from_ending(files: Files) -> None:
    left = "\nimport threading\nthreading.Thread(target=threading.Event().wait, name='mine').start()\n"
    files.write(STRATEGY + left)
    process = start(*BACKTEST, "--json", cwd=files.folder)
    out, err = process.communicate()
    assert (process.returncode, bool(out)) == (0, True)
    assert err == (
        "tickfold: ended without waiting for threads that FILE has left (mine): start them with daemon=True, "
        "or end them\n"
    )


def test_a_file_may_be_named_as_a_module_of_the_library_without_standing_in_its_place(
    files: Files, type_: Typed
) -> None:
    import random

    import msgspec

    for name in ("random.py", "msgspec.py", "strategy file-1.py"):
        files.write(name=name)
        assert type_("backtest", name, *BACKTEST[2:]).code == 0
    assert hasattr(random, "gauss")
    assert hasattr(msgspec, "Struct")


def test_what_a_file_imports_beside_itself_is_found(files: Files, type_: Typed) -> None:
    files.write("LIFETIME = 600", "beside_the_file.py")
    files.write(STRATEGY.replace("lifetime=600", "lifetime=LIFETIME") + "\nfrom beside_the_file import LIFETIME\n")
    assert type_(*BACKTEST).code == 0


def test_what_a_file_prints_does_not_stand_in_the_output(files: Files, type_: Typed) -> None:
    files.write(STRATEGY.replace("    return", '    print("asked")\n    return') + '\nprint("imported")\n')
    said = type_(*BACKTEST, "--json")
    assert said.code == 0
    assert {event["action"] for event in said.events} == {"opened", "closed"}
    assert said.err.startswith("imported\nasked\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('raise KeyError("price")', "failed at 2020-01-01T01:00:00.000Z: KeyError: 'price' (ups.py, line 6)"),
        ("return 7", "returned"),
        ('return ctx.candles("2h")', "candles('2h') is not declared (declared: 1m)"),
    ],
)
def test_a_strategy_that_fails_ends_a_backtest_with_the_line_where_it_did(
    files: Files, type_: Typed, body: str, said: str
) -> None:
    files.write(STRATEGY.replace("    return Signal", f"    {body}\n    return Signal"))
    found = type_(*BACKTEST)
    assert (found.code, found.out) == (1, "")
    assert said in found.err.replace(f"{files.folder}/", "")
    assert found.err.count("\n") == 1


def test_in_a_replay_it_is_told_each_time_and_the_run_goes_on(files: Files, type_: Typed) -> None:
    files.write(STRATEGY.replace("    return", "    assert ctx.now % 7_200_000, 'even hours fail'\n    return"))
    words = ("--exchange", "sim:7", "--symbol", "A", "--clock", "replay", "--to", "2020-01-03")
    said = type_("live", "ups.py", *words, "--json")
    assert said.code == 0
    assert said.err.count("AssertionError: even hours fail") > 1
    assert {event["action"] for event in said.events} == {"started", "opened", "closed", "stopped"}
    assert "Traceback" not in said.err
    files.write(
        STRATEGY.replace("    return", "    if ctx.now % 7_200_000 == 0:\n        return None\n    return"), "calm.py"
    )
    calm = type_("live", "calm.py", *words, "--data-dir", "calm", "--json")
    assert said.events[1:] == calm.events[1:]
    again = type_("live", "ups.py", *words, "--data-dir", "again", "--debug")
    assert again.err.count("Traceback") == 2 * said.err.count("AssertionError: even hours fail")
