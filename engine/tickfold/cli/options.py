"""Options that several commands share, with the same words everywhere."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tickfold_projections.notation import shown

DEBUG = "tickfold.debug"
"""Where a command's context remembers that tracebacks are wanted."""

Command = TypeVar("Command", bound=Callable[..., Any])


def example(*lines: str) -> str:
    """What stands at the foot of a command's `--help`: lines that can be typed, kept as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def quoted(path: Path) -> str:
    """A path as a shell takes it, to be shown in a line that can be typed."""
    return shlex.quote(shown(str(path)))


def _policy(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    return value.replace("-", "_")


def _debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


def _names(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Each name once."""
    return tuple(dict.fromkeys(as_name(ctx, parameter, name) for name in given))


def as_name(ctx: click.Context, parameter: click.Parameter, given: str) -> str:
    """A name as it was typed: UTF-8, whatever the locale makes of it. What is no text cannot name a stream."""
    if not given:
        raise click.BadParameter("a name needs at least one character", ctx, parameter)
    try:
        # Python keeps bytes that are no characters in the locale as halves of some, each of which no encoding takes.
        return given.encode("utf-8", "surrogateescape").decode()
    except UnicodeError:
        raise click.BadParameter(f"{given!a} is no text in UTF-8", ctx, parameter) from None


data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("data"),
    envvar="TICKFOLD_DATA_DIR",
    show_default=True,
    show_envvar=True,
    help="Where the journals lie.",
)
symbol = click.option(
    "--symbol", "symbols", multiple=True, callback=_names, metavar="SYMBOL", help="Only this symbol; may be repeated."
)
required_symbol = click.option(
    "--symbol",
    "symbols",
    multiple=True,
    required=True,
    callback=_names,
    metavar="SYMBOL",
    help="A symbol; may be repeated.",
)
strategy = click.option(
    "--strategy",
    "strategies",
    multiple=True,
    callback=_names,
    metavar="NAME",
    help="Only this strategy; may be repeated.",
)
source = click.option(
    "--exchange",
    "source",
    metavar="[NAME=]SOURCE",
    help="A name that FILE registers, csv:PATH, sim:SEED or ccxt:ID. Default: the one that FILE registers.",
)
exchange = click.option(
    "--exchange",
    "exchanges",
    multiple=True,
    callback=_names,
    metavar="NAME",
    help="Only streams of this exchange; may be repeated.",
)
frame = click.option("--frame", metavar="NAME", help="A range that FILE names.")
policy = click.option(
    "--policy",
    type=click.Choice(["pessimistic", "backtest_kit", "backtest-kit"]),
    default="pessimistic",
    show_default=True,
    callback=_policy,
    help="How prices fill.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable on stdout; the rest goes to stderr.")
debug = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_debug, help="Show the traceback of an error."
)
file = click.argument("file", type=click.Path(path_type=Path))


def selecting(command: Command) -> Command:
    """The options of every command that reads journals."""
    for option in (debug, as_json, exchange, strategy, symbol, data_dir):
        command = option(command)
    return command


class Moment(click.ParamType[int]):
    """A time: ISO 8601 (UTC where it says nothing), a date (its midnight), or @MS."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from ..errors import DeclarationError
        from ..frame import moment

        try:
            return moment(value)
        except DeclarationError as error:
            self.fail(str(error), param, ctx)


since = click.option("--from", "since", type=Moment(), help="The first moment.")
until = click.option("--to", "until", type=Moment(), help="The first moment that is no longer meant.")
