"""Ctrl-C and SIGTERM as what they ask for: stop when nothing is open, or stop now.

Ctrl-C once asks for a graceful stop, twice for one now; SIGTERM, and SIGHUP, which comes when a terminal is closed, for
one now. A process that does not answer (a strategy never returns) ends at the third Ctrl-C, or `PATIENCE_S` after
SIGTERM, as a crash would end it, and loses no more than a crash does: nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from .asides import say
from .faults import DONE, INTERRUPTED

Ask = Callable[[], object]

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 15.0
"""How long a run may take to stop now: longer than listeners are waited for."""


class Interrupts:
    """What was asked for until now. `asked` may come at any time, before there is something to stop too."""

    def __init__(self) -> None:
        self.now = False
        """Whether to stop now rather than when nothing is open."""
        self._times = 0
        self._terminated = 0
        self._deadline: threading.Timer | None = None
        self._ask: Ask | None = None

    @property
    def asked(self) -> bool:
        """Whether to stop at all."""
        return self._times > 0 or self._terminated > 0

    @property
    def code(self) -> int:
        """The exit code of a run that ended as it was asked to."""
        return INTERRUPTED if self._times > 1 else DONE

    @contextmanager
    def heard(self) -> Generator[None]:
        """Inside, the signals are requests; afterwards they are what they were. nohup keeps SIGHUP out."""
        wanted = [number for number in NUMBERS if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN)]
        before = {number: signal.signal(number, self._hear) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if self._deadline is not None:
                self._deadline.cancel()

    @contextmanager
    def told_to(self, ask: Ask) -> Generator[None]:
        """Inside, `ask` is called from the signal handler whenever more is asked for; and at once, if something was."""
        self._ask = ask
        try:
            if self.asked:
                ask()
            yield
        finally:
            self._ask = None

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            self._times += 1
        elif not self._terminated:
            self._terminated = number
            self._deadline = threading.Timer(PATIENCE_S, self._give_up)
            self._deadline.daemon = True
            self._deadline.start()
        self.now = self._terminated > 0 or self._times > 1
        if self._times > 2:
            os._exit(INTERRUPTED)
        if self._ask is not None:
            self._ask()

    def _give_up(self) -> None:
        say("it does not stop (does a strategy never return?): ended as a crash would end it; the next start goes on")
        os._exit(128 + self._terminated)
