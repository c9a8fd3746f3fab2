"""How the process of a command ends: once asked to, once said, and with no thread of a user's file in the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import attrs

from tickfold_command import end_at_once

from .asides import say
from .faults import INTERRUPTED

_OURS = "AnyIO"
"""How threads of a run begin: one that is held up was told of already."""

PATIENCE_S = 2.0
"""How long threads that a run has left may take to end by themselves."""


@attrs.define
class Ending:
    """The exit code, as far as it is known."""

    code: int = INTERRUPTED


@contextmanager
def ended_once() -> Generator[Ending]:
    """Inside, the first Ctrl-C is a `KeyboardInterrupt`, so that what is open is closed, and the next ends at once.

    A command may hear the signals its own way while it runs. The interrupt itself does not leave this block.
    """
    ending = Ending()
    with suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, _interrupt)
        yield ending
        signal.signal(signal.SIGINT, end_at_once)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, end_at_once)
    raise KeyboardInterrupt


def end(code: int) -> NoReturn:
    """Exit with a code. Threads that a user's file has started and that do not end are not waited for, and told."""
    _let_go()
    deadline = time.monotonic() + PATIENCE_S
    left = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    alive = [thread.name for thread in left if thread.is_alive()]
    if names := ", ".join(name for name in alive if not name.startswith(_OURS)):
        say(f"ended without waiting for threads that FILE has left ({names}): start them with daemon=True, or end them")
    if alive:
        os._exit(code)
    sys.exit(code)


def _let_go() -> None:
    """What is still buffered and cannot be written must not fail once more when Python ends."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
