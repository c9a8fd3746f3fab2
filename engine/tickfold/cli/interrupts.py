"""Ctrl-C and SIGTERM as what they ask for: stop when nothing is open, or stop now.

Once asks for a graceful stop, twice for one now, SIGTERM for one now. Whoever asks a third time has a process before
them that does not answer (a strategy that never returns, a stdout that nobody reads): it ends at once, as a crash would
end it, and loses no more than a crash does: nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from .faults import DONE, INTERRUPTED

Ask = Callable[[], object]


class Interrupts:
    """What was asked for until now. `asked` may come at any time, before there is something to stop too."""

    def __init__(self) -> None:
        self.now = False
        """Whether to stop now rather than when nothing is open."""
        self._times = 0
        self._terminated = False
        self._ask: Ask | None = None

    @property
    def asked(self) -> bool:
        """Whether to stop at all."""
        return self._times > 0 or self._terminated

    @property
    def code(self) -> int:
        """The exit code of a run that ended as it was asked to."""
        return INTERRUPTED if self._times > 1 else DONE

    @contextmanager
    def heard(self) -> Generator[None]:
        """Inside, the two signals are requests; afterwards they are what they were."""
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

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
        else:
            self._terminated = True
        self.now = self._terminated or self._times > 1
        if self._times > 2:
            os._exit(INTERRUPTED)
        if self._ask is not None:
            self._ask()
