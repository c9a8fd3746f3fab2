"""The reference, made from what the code says of itself: signatures, fields, docstrings, each command's `--help`."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import click
import msgspec

import tickfold
import tickfold_eventstore
import tickfold_eventstore.errors
from tickfold import backtest, backtest_result, errors, exchanges, handle, listeners, notices, risk
from tickfold.cli import cli
from tickfold.exchanges import protocol
from tickfold_projections import projection, statistics, stream
from tickfold_projections.figures import DEFINITIONS, Figure

HEAD = """\
# Reference

Every name that the packages show, and every command, in their own words. This page is made from the code by
`python -m tests.docs.generated`. Times are ms since the epoch, UTC, unless a name says otherwise.

[Strategies](#strategies) · [Running](#running) · [Config](#config) · [Exchanges](#exchanges) · [Events](#events) ·
[Listeners](#listeners) · [Statistics](#statistics) · [Journals](#journals) · [Errors](#errors) · [Commands](#commands)
"""

SECTIONS: dict[str, tuple[Any, ...]] = {
    "Strategies": (
        tickfold.strategy,
        tickfold.Context,
        tickfold.Signal,
        tickfold.Slots,
        tickfold.Proposals,
        tickfold.Candles,
        tickfold.Frame,
        tickfold.Risk,
        tickfold.RiskGroup,
        risk.Request,
        risk.Alive,
    ),
    "Running": (
        tickfold.Live,
        handle.Handle,
        tickfold.Backtest,
        backtest_result.BacktestResult,
        backtest.BacktestHandle,
    ),
    "Config": (tickfold.Config, tickfold.Costs),
    "Exchanges": (tickfold.exchange, protocol.CandleSource, exchanges.Exchange),
    "Events": (
        *(getattr(tickfold, kind.__name__) for kind in tickfold.Event.__args__),
        tickfold_eventstore.AcceptedSignal,
        tickfold_eventstore.RefusedProposal,
        tickfold_eventstore.ProfitAndLoss,
        tickfold_eventstore.Ticks,
        tickfold.Idle,
        tickfold.Waiting,
        tickfold.Active,
    ),
    "Listeners": (notices.Fault, notices.Done, notices.Progress, notices.Timing),
    "Statistics": (statistics.Statistics, statistics.Counts, statistics.Outcomes, Figure),
    "Journals": (
        tickfold_eventstore.Store,
        tickfold_eventstore.Reader,
        tickfold_eventstore.Journal,
        tickfold_eventstore.Head,
        tickfold_eventstore.Record,
        projection.Projection,
        stream.follow,
        stream.named_reader,
        stream.NamedReader,
    ),
}
"""What stands under which heading. A test holds that no public name of the engine is missing."""

MADE = {
    "Live",
    "Backtest",
    "Candles",
    "Frame",
    "Risk",
    "RiskGroup",
    "Proposals",
    "Config",
    "Costs",
    "Store",
    "Projection",
}
"""The classes that a user calls; the others are handed out."""

INNER = {
    "Backtest": {"remember"},
    "BacktestHandle": {"finish"},
    "BacktestResult": {"as_report"},
    "Candles": {"of_arrays", "arrays", "where"},
    "Config": {"hash"},
    "Handle": {"adopt", "watch"},
    "Reader": {"follow_records", "limit"},
    "Signal": {"position", "take_profit", "stop_loss", "lifetime_minutes", "entry", "note"},
    "Statistics": set(DEFINITIONS),
    "Store": {"files", "folder", "checkpoints", "make_directories", "sync_directories"},
}
"""What classes show to their neighbours inside the packages, and to no user."""

EXCEPTIONS = (errors, tickfold_eventstore.errors)


def reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, things in SECTIONS.items():
        parts += [f"## {title}", *_preface(title), *(entry(thing) for thing in things)]
    parts += ["## Errors", *(_tree(module.__doc__ or "") for module in EXCEPTIONS)]
    parts += ["## Commands", *(_command(words, command) for words, command in every_command())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _preface(title: str) -> Iterator[str]:
    if title == "Events":
        yield "`Event` is any of the seven. Each has these fields, `stream` and `late`; `action` is its name in JSON."
        yield _fields(tickfold.Opened.__mro__[1])
    if title == "Listeners":
        yield "Each takes a function of one argument, sync or async, and returns one that unsubscribes it."
        yield "`…_once(filter, function)` hears the first value that passes the filter, and no more."
        rows = [f"| `{name}` | {hears} |" for name, hears in _listeners()]
        yield "\n".join(["| name | hears |", "| --- | --- |", *rows])
    if title == "Statistics":
        rows = [f"| `{name}` | {each.unit} | {_cell(each.text)} |" for name, each in DEFINITIONS.items()]
        yield "\n".join(["| figure | unit | what it is |", "| --- | --- | --- |", *rows])


def _listeners() -> Iterator[tuple[str, str]]:
    heard = listeners.SignalEvent.__args__
    for name, told in inspect.get_annotations(listeners).items():
        if name.startswith("listen_") and not name.endswith("_once"):
            kind = str(told).partition("[")[2].rstrip("]")
            yield name, " ".join(f"`{each.__name__}`" for each in heard) if kind == "SignalEvent" else f"`{kind}`"


def entry(thing: Any) -> str:
    """A class or a function: how it is called, what it says, what it holds."""
    name = thing.__name__
    called = not inspect.isclass(thing) or (name in MADE and not attrs.has(thing))
    lines = [f"### {name}", "", *(_block(_signature(name, thing)) if called else []), _prose(thing)]
    if inspect.isclass(thing):
        fields = _fields(thing)
        lines += ["", fields] if fields else []
        for method, function in _methods(thing):
            lines += ["", *_block(_signature(method, function) if callable(function) else [method]), _prose(function)]
    return "\n".join(lines)


def _block(lines: list[str]) -> list[str]:
    return ["```text", *lines, "```", ""]


def _prose(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return re.sub(r"(?m)^( {4}.*\n?)+", lambda found: f"```text\n{textwrap.dedent(found[0]).rstrip()}\n```\n", text)


def _methods(kind: type) -> Iterator[tuple[str, Any]]:
    """What a class offers and explains; of a protocol all that it asks for."""
    for name, found in vars(kind).items():
        raw = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
        explained = inspect.isfunction(raw) and (raw.__doc__ or getattr(kind, "_is_protocol", False))
        if explained and not name.startswith("_") and name not in INNER.get(kind.__name__, ()):
            yield name, found if isinstance(found, property) else raw


def _signature(name: str, thing: Callable[..., Any]) -> list[str]:
    waits = inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing)
    signature = inspect.signature(thing)
    told, keywords = [], False
    for each in signature.parameters.values():
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not keywords:
            keywords = True
            told.append("*")
        if each.name not in {"self", "cls"}:
            told.append(_parameter(each))
    returns = None if inspect.isclass(thing) else signature.return_annotation
    arrow = "" if returns in {None, "None", inspect.Signature.empty} else f" -> {_type_name(returns)}"
    name = f"async {name}" if waits else name
    call = f"{name}({', '.join(told)}){arrow}"
    return [call] if len(call) <= 110 else [f"{name}(", *(f"    {each}," for each in told), f"){arrow}"]


def _parameter(parameter: inspect.Parameter) -> str:
    name = f"**{parameter.name}" if parameter.kind is inspect.Parameter.VAR_KEYWORD else parameter.name
    kind = "" if parameter.annotation is inspect.Parameter.empty else f": {_type_name(parameter.annotation)}"
    default = "" if parameter.default is inspect.Parameter.empty else f" = {_plain(parameter.default)}"
    return f"{name}{kind}{default}"


def _fields(kind: type) -> str:
    """A table of the fields of an attrs class, a Struct or a NamedTuple, with what stands below each in its source."""
    said = _field_texts(kind)
    if attrs.has(kind):
        found = [
            (each.name, each.type, "" if each.default is attrs.NOTHING else _plain(each.default))
            for each in attrs.fields(kind)
        ]
    elif issubclass(kind, msgspec.Struct | tuple):
        told = inspect.get_annotations(kind)
        found = [(name, told[name], "") for name in told if "ClassVar" not in str(told[name])]
    else:
        found = [(name, told, "") for name, told in _annotated_in_init(kind).items() if name in said]
    head = ["field", "type", "default", "what"]
    rows = [
        [f"`{name}`", f"`{_type_name(told)}`", f"`{default}`" if default else "", said.get(name, "")]
        for name, told, default in found
        if not name.startswith("_") and name not in INNER.get(kind.__name__, ())
    ]
    # A column in which nothing stands is left out.
    kept = [place for place in range(len(head)) if any(row[place] for row in rows)]
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(_cell(row[place]) for place in kept)} |" for row in lines) if rows else ""


def _plain(default: Any) -> str:
    """A default as it is written: one that is made anew, or whose fields stand elsewhere, by its name."""
    if hasattr(default, "factory"):
        return f"{default.factory.__name__}()"
    has_fields = attrs.has(type(default)) or hasattr(default, "_fields")
    return f"{type(default).__name__}()" if has_fields else repr(default)


def _type_name(told: object) -> str:
    found = getattr(told, "__forward_arg__", None) or getattr(told, "__name__", None) or told
    return str(found)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _field_texts(kind: type) -> dict[str, str]:
    """The text below each field in the source of its class, or of what makes one."""
    found: dict[str, str] = {}
    for body in _bodies(kind):
        for field, below in itertools.pairwise(body):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = text
                case _:
                    pass
    return found


def _annotated_in_init(kind: type) -> dict[str, str]:
    """What a plain class gives each of its own, with the type that stands there."""
    statements = [statement for body in _bodies(kind) for statement in body]
    return {
        statement.target.attr: ast.unparse(statement.annotation)
        for statement in statements
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Attribute)
    }


def _bodies(kind: type) -> list[list[ast.stmt]]:
    """The statements of a class, and those of its `__init__`."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    inits = (each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "__init__")
    return [tree.body, *(init.body for init in inits)]


def _tree(text: str) -> str:
    """A module's docstring, its drawing as a block."""
    prose, drawing = text.strip().split("\n\n", 1)
    return f"{prose}\n\n```text\n{drawing.rstrip()}\n```"


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with the words that call it, groups among them."""

    def below(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield words, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from below((*words, name), found)

    return below(("tickfold",), cli)


def _command(words: tuple[str, ...], command: click.Command) -> str:
    name = " ".join(words)
    context = click.Context(
        command, info_name=name, terminal_width=100, max_content_width=100, help_option_names=["-h", "--help"]
    )
    return f"### {name}\n\n```text\n{command.get_help(context)}\n```"
