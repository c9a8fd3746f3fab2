"""Sees what the code of one file asks the machine for: the time, files, sockets, other programs.

A decision that depends on any of them is another one tomorrow, though an audit that takes seconds may not see that.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from types import FrameType
from typing import Any

TIMES = {"now", "utcnow", "today"}
"""The class methods of date and datetime that tell the present."""


class Witness:
    """Watches the file `path`; `seen` is what was asked for, each once, in words."""

    def __init__(self, path: str) -> None:
        self.seen: list[str] = []
        self._path = path

    @contextmanager
    def watching(self) -> Generator[None]:
        """Inside, what the file does is seen, and what it has opened, connected or started by others."""
        before = sys.getprofile()
        _listening.append(self)
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(before)
            _listening.remove(self)

    def note(self, what: str) -> None:
        """Add what was asked for, once."""
        if what not in self.seen:
            self.seen.append(what)

    def _called(self, frame: FrameType, event: str, called: Any) -> None:
        # A library may look at the clock for a log line; what decides here is what the file itself asks.
        if event == "c_call" and frame.f_code.co_filename == self._path:
            what = _time_asked(called)
            if what is not None:
                self.note(what)


_listening: list[Witness] = []


def _time_asked(called: Any) -> str | None:
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    if isinstance(owner, type) and issubclass(owner, date) and name in TIMES:
        return f"the time ({owner.__name__}.{name})"
    if getattr(called, "__module__", None) == "time" and name not in {"sleep", "strftime", "strptime"}:
        return f"the time (time.{name})"
    return None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    """What the interpreter announces, for those who listen now."""
    if not _listening or event not in _ASKED or _imports():
        return
    for witness in _listening:
        witness.note(_ASKED[event].format(*arguments))


_ASKED = {
    "open": "the file {0}",
    "socket.connect": "the network ({1})",
    "subprocess.Popen": "another program ({0})",
    "os.system": "another program ({0})",
}


def _imports() -> bool:
    """Whether this is Python, reading a module that is imported."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


sys.addaudithook(_heard)
