"""What a run says on stderr, beside its output: how far it is, and what is odd."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress

import click

from tickfold_eventstore.errors import StoreError
from tickfold_eventstore.signals import Stream
from tickfold_projections.notation import shown

from ..errors import TickfoldError
from ..listeners import listen_error, listen_progress
from ..notices import Fault, Progress
from .faults import place_of, sentence
from .options import DEBUG


def say(text: str) -> None:
    """A line on stderr, nothing in it obeyed by a terminal. Where stderr takes no more, it is lost."""
    with suppress(OSError):
        click.echo(f"tickfold: {shown(text)}", err=True)


def show_traceback(error: BaseException) -> None:
    """Where it came from, on stderr: what --debug asks for."""
    with suppress(OSError):
        click.echo("".join(traceback.format_exception(error)), nl=False, err=True)


@contextmanager
def faults_on_stderr(also: Callable[[Fault], None] | None = None) -> Generator[None]:
    """Inside, what goes wrong in a run is said as it happens, and told to `also`.

    A rejected proposal is not: it is an event, and stands in the output.
    """
    context = click.get_current_context(silent=True)

    def hear(fault: Fault) -> None:
        if fault.error is None:
            return
        if context is not None and DEBUG in context.meta:
            show_traceback(fault.error)
        if isinstance(fault.error, TickfoldError | StoreError):
            say(sentence(fault.error))
        else:
            where = "" if fault.stream is None else f"{fault.stream}: "
            say(f"{where}{fault.message}{place_of(fault.error)}")
        if also is not None:
            also(fault)

    forget = listen_error(hear)
    try:
        yield
    finally:
        forget()


@contextmanager
def progress_bar() -> Generator[None]:
    """Inside, each stream of a backtest has its bar, one after the other; none where nobody looks at it.

    A dumb terminal cannot go back to the beginning of a line.
    """
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    bars = _Bars()
    forget = listen_progress(bars.hear)
    try:
        yield
    finally:
        forget()
        bars.close()


_BAR = 36


class _Bars:
    def __init__(self) -> None:
        self._open = ExitStack()
        self._stream: Stream | None = None

    def hear(self, progress: Progress) -> None:
        if progress.stream != self._stream:
            self._open.close()
            self._stream = progress.stream
            self._at = 0
            label, width, eta = _fitting(shown(str(progress.stream)), shutil.get_terminal_size().columns)
            bar = click.progressbar(length=progress.total, label=label, width=width, show_eta=eta, file=sys.stderr)
            self._bar = self._open.enter_context(bar)
        self._bar.update(progress.handled - self._at)
        self._at = progress.handled

    def close(self) -> None:
        self._open.close()


def _fitting(label: str, columns: int) -> tuple[str, int, bool]:
    """Label, width and whether there is room for the time left: a bar that is longer than a line is written anew below
    itself again and again.
    """
    room = columns - len("  []  100%") - 1
    for each, eta in ((label, len("  00:00:00")), (label, 0), ("", 0)):
        width = min(_BAR, room - len(each) - eta)
        if width >= 1:
            return each, width, bool(eta)
    return "", 1, False
