"""The commands. `tickfold --help` imports click and this table; a command's module is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from .options import debug, example

COMMANDS = {
    "demo": "The whole story in a minute: a month of candles, a real SIGKILL, recovery, the same report.",
    "live": "Run the strategies of FILE live, every event journalled before anyone hears of it.",
    "backtest": "Run the strategies of FILE over recorded or simulated candles.",
    "replay": "Fold journals: every event with the state after it, or the state at one moment.",
    "report": "What a strategy did, as Markdown, HTML, JSON or CSV.",
    "tail": "The events of all streams as they come.",
    "serve": "The same over HTTP, and a page that shows it.",
    "candles": "Download, list, verify and export candles that are kept on disk.",
    "audit": "Does a strategy look ahead or remember, do its two forms agree?",
    "status": "What runs, and what is alive with nobody to watch it.",
    "journal": "List, show, verify, repair, export and import journals.",
    "doctor": "Is this machine fit: packages, disk, limits, clock.",
    "init": "Write a first project that runs as it stands.",
    "new": "Write a file to begin with: a strategy.",
    "completion": "Print the completion script of a shell.",
}
"""Each command, in the order of a first visit, with its line in `--help`; its module has the same name."""


class LazyGroup(click.Group):
    """Knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("tickfold demo", "tickfold backtest strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT")
    + "\n\nExit codes: 0 done, 1 error or a difference found, 2 usage, 3 journal damaged, 4 stream held by another "
    "process, 5 exchange unreachable at the start.",
)
@click.version_option(package_name="tickfold")
@debug
def cli() -> None:
    """Run trading signals live and never lose one."""


def main() -> None:
    """The command line of this process, from its arguments to its exit code."""
    from .ending import end, ended_once
    from .stdout import set_encoding

    set_encoding()
    with ended_once() as ending:
        ending.code = run(sys.argv[1:])
    end(ending.code)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code. What went wrong is said on stderr."""
    from .stdout import ReaderLeft, watched

    code: object = 0
    with watched():
        try:
            code = cli.main(list(arguments), prog_name="tickfold", standalone_mode=False)
            sys.stdout.flush()
        except ReaderLeft:
            pass  # who reads no more has what they wanted
        except click.ClickException as error:
            with suppress(OSError):  # nobody reads stderr either
                error.show()
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            code = 130
        except BaseException as error:  # noqa: BLE001  # the last door: what comes in becomes words and a code
            code = _failed(error, debug="--debug" in arguments)
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, *, debug: bool) -> int:
    from .asides import say, show_traceback
    from .faults import INTERRUPTED, exit_code, of_group, sentence
    from .stdout import ReaderLeft

    error = of_group(error)
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, ReaderLeft):
        return 0
    if debug:
        show_traceback(error)
    say(sentence(error))
    return exit_code(error)
