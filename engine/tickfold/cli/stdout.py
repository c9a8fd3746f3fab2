r"""stdout as a command has it: one encoding everywhere, and words for what it does not take.

Into a pipe or a file goes UTF-8, whatever the locale; a terminal, and who set PYTHONIOENCODING, gets the encoding asked
for. A character that it lacks is written as JSON escapes it (`\ud83d\ude80`), so that JSON stays JSON.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from .faults import CommandError

_ESCAPED = "tickfold.escaped"


class ReaderLeft(Exception):
    """Whoever read stdout has read enough."""


class OutputLost(CommandError):
    """stdout does not take what is printed: it is closed, or its disk is full."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPED, _escaped)


def set_encoding() -> None:
    """Let this process's stdout take every character."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        as_it_is = sys.stdout.isatty() or os.environ.get("PYTHONIOENCODING")
        reconfigure(encoding=None if as_it_is else "utf-8", errors=_ESCAPED)


@contextmanager
def watched() -> Generator[None]:
    """Inside, a write that fails is a `ReaderLeft` or an `OutputLost`, and no other file's error is taken for one."""
    before = sys.stdout
    sys.stdout = cast("TextIO", _Watched(before))
    try:
        yield
    finally:
        sys.stdout = before


def go_on_unread() -> None:
    """A command whose exit code is a verdict comes to it, whether its reader stays or not."""
    if isinstance(sys.stdout, _Watched):
        sys.stdout.goes_on = True


class _Watched:
    """A stream, or the None that Python has in place of one that was closed."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.goes_on = False
        self._failed = False

    def write(self, text: str) -> int:
        if self._stream is not None:
            self._try(self._stream.write, text)
        elif text:
            raise OutputLost("stdout is closed, and there is something to print: send it to a file, or to /dev/null")
        return len(text)

    def flush(self) -> None:
        # What failed once was told once; it is in the buffer still, and fails again.
        if self._stream is not None and not self._failed:
            self._try(self._stream.flush)

    def _try(self, call: Callable[..., object], *arguments: str) -> None:
        try:
            call(*arguments)
        except BrokenPipeError as error:
            if not self.goes_on:
                raise ReaderLeft from error
        except OSError as error:
            self._failed = True
            raise OutputLost(
                f"stdout takes no more ({error.strerror}): what was printed is not all; send it elsewhere"
            ) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
