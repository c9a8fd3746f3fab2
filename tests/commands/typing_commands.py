"""Typing commands as a user does: in this process, or as a process of its own where signals matter."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest

from tickfold.cli import run

STRATEGY = """
from tickfold import Context, Signal, strategy

@strategy("ups", interval="1h", lookback={"1m": 30})
def ups(ctx: Context) -> Signal:
    return Signal.long(take_profit=ctx.price * 1.02, stop_loss=ctx.price * 0.99, lifetime=600, note="up | we go")
"""

TWO = (
    STRATEGY
    + """
@strategy("downs", interval="4h", lookback={"1h": 2})
def downs(ctx: Context) -> Signal:
    limit = ctx.price * 1.001
    return Signal.short(take_profit=limit * 0.98, stop_loss=limit * 1.01, lifetime=600, entry=limit)
"""
)

REPLAYED = ("--exchange", "sim:7", "--clock", "replay", "--to", "2020-01-04")


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` wrote, a line an event."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@attrs.frozen
class Typed:
    """Called with the words of a command."""

    _type: Callable[..., Said]

    def __call__(self, *words: object) -> Said:
        return self._type(*words)


def typed(capsys: pytest.CaptureFixture[str], *words: object) -> Said:
    capsys.readouterr()
    code = run([str(word) for word in words])
    out, err = capsys.readouterr()
    return Said(code, out, err)


def start(*words: object, cwd: Path, most_bytes: int | None = None) -> subprocess.Popen[str]:
    """The command as a process of its own; its stdout is read line by line.

    `most_bytes` is how long a file may become, as on a disk that is full.
    """
    limit = [] if most_bytes is None else ["prlimit", f"--fsize={most_bytes}"]
    return subprocess.Popen(
        [*limit, sys.executable, "-P", "-m", "tickfold.cli", *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@attrs.frozen
class Files:
    """A folder with a strategy file in it."""

    folder: Path

    def write(self, text: str = STRATEGY, name: str = "ups.py") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def three_journals(self) -> Path:
        """The journals of strategy `ups` for A and B and of `downs` for A, three days each."""
        for name, symbols in (("ups", "AB"), ("downs", "A")):
            words = [str(self.write(TWO)), *REPLAYED, "--strategy", name, "--data-dir", str(self.data)]
            with contextlib.redirect_stdout(io.StringIO()):
                assert run(["live", *words, *(word for symbol in symbols for word in ("--symbol", symbol))]) == 0
        return self.data
