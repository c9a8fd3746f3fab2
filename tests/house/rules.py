"""The rules of the house as plain functions: something written in, the list of faults out.

They take a text or a syntax tree and never a path, so that a test can also show them something that breaks them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

MODULE_LINES = 400
FUNCTION_LINES = 50
README_LINES = 120

SHAPELESS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "mgr", "stuff"}
"""Rooms that take anything. A module or a class is named with a noun of the field."""

WORDS = {
    "candlestick": "candle",
    "candlesticks": "candles",
    "kline": "candle",
    "klines": "candles",
    "ohlc": "candle",
    "ohlcv": "candle",
    "ticker": "symbol",
    "tickers": "symbols",
    "snapshot": "checkpoint",
    "snapshots": "checkpoints",
    "timestamp": "a name that ends in at",
    "timestamps": "names that end in at",
    "tp": "take_profit",
    "sl": "stop_loss",
    "ttl": "lifetime",
    "evt": "event",
    "sig": "signal",
    "strat": "strategy",
    "cfg": "config",
}
"""Other people's words for what has a name here, and the name."""

IMPURE_CALLS = {"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns", "urandom", "uuid4", "open", "input"}
"""Calls whose answer is not in their arguments. (Whole modules of this kind are import-linter's business.)"""


def words_of(name: str) -> list[str]:
    """The words of an identifier, in snake case or in camel case, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def defined_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that this code gives to something, with its line. A name that is only used is its maker's."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
            case _:
                pass


def foreign_words(tree: ast.AST) -> list[str]:
    """Names made of words for which the vocabulary has another."""
    return [
        f"line {line}: {name}: say {WORDS[word]}"
        for name, line in defined_names(tree)
        for word in words_of(name)
        if word in WORDS
    ]


def shapeless_classes(tree: ast.AST) -> list[str]:
    """Classes that are named after no noun of the field."""
    return [
        f"line {node.lineno}: {node.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and SHAPELESS.intersection(words_of(node.name))
    ]


def shapeless_module(name: str) -> bool:
    """Whether a file or folder is named as a room that takes anything."""
    return not SHAPELESS.isdisjoint(words_of(name))


def long_functions(tree: ast.AST) -> list[str]:
    """Functions that do not fit on a screen, decorators not counted."""
    return [
        f"line {node.lineno}: {node.name} has {lines} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def prints(tree: ast.AST) -> list[str]:
    """Calls of print."""
    return [f"line {line}" for name, line in calls(tree) if name == "print"]


def impure_calls(tree: ast.AST) -> list[str]:
    """Calls that ask the world for something instead of taking it as an argument."""
    return [f"line {line}: {name}()" for name, line in calls(tree) if name in IMPURE_CALLS]


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What is called, by the last part of its name (`now` for `datetime.now()`), with the line."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                yield name, node.lineno
            case _:
                pass


REGISTRY = re.compile(r"https?://[^\s\"']*(pypi|pythonhosted|npmjs|registry|mirror|artifact)", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(^|[\s\"'=(`])/(tmp|work|root|home|Users)/\w", re.MULTILINE)
PROMISE = re.compile(
    r"#.*\b(TOD[O]|FIXM[E]|XX[X])\b"  # work left over
    r"|pragma: no[ ]cover"
    r"|#\s*(type|pyright): ignore(\[[^]]*\])?\s*$|#\s*noqa(: ?[A-Z0-9, ]+)?\s*$",  # a checker silenced without a reason
    re.MULTILINE,
)


def matches(pattern: re.Pattern[str], text: str) -> list[str]:
    """Where a text matches a pattern, by line."""
    lines = (text.count("\n", 0, found.end()) + 1 for found in pattern.finditer(text))
    return [f"line {line}" for line in lines]


PIN = re.compile(r"[a-z0-9][a-z0-9._-]*==[^\s;]+( ; [^\\]+?)? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")


def unpinned(text: str) -> list[str]:
    """Lines of a compiled requirements file that are no name with version, no hash and no comment."""
    return [
        f"line {number}: {line}"
        for number, line in enumerate(text.splitlines(), 1)
        if not (line.startswith("#") or PIN.fullmatch(line) or HASH.fullmatch(line))
    ]
