"""From the event loop to a thread, and back: for plain functions that may take any time, or all of it.

The threads are daemons. anyio's own are not under asyncio: one whose function never returns would keep the process
from ending, for the interpreter waits for such threads when it leaves.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel

T = TypeVar("T")
Errand = Callable[[], object]

_IDLE_S = 10.0
_idle: list[_Thread] = []


class Loop:
    """The event loop in which this was made, for whoever calls into it from any thread."""

    def __init__(self) -> None:
        self._token = anyio.lowlevel.current_token()
        self._thread = threading.get_ident()

    def call(self, errand: Errand) -> bool:
        """Call a plain function in the loop's own thread, and return when it has returned: at once where this is that
        thread, else as soon as the loop is free. False, and nothing is called, where the loop has ended.
        """
        if threading.get_ident() == self._thread:
            errand()
            return True
        reached = False

        def go() -> None:
            nonlocal reached
            reached = True
            errand()

        try:
            anyio.from_thread.run_sync(go, token=self._token)
        except RuntimeError:  # RunFinishedError is one, and what asyncio says of a loop that closes at this very moment
            if reached:
                raise
        return reached


async def in_thread(errand: Callable[[], T], loop: Loop) -> T:
    """What `errand` returns or raises, called in a thread. Where this is cancelled, the thread is left to itself."""
    result: Future[T] = Future()
    returned = anyio.Event()

    def go() -> None:
        try:
            result.set_result(errand())
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is raised where the result is awaited
            result.set_exception(error)
        loop.call(returned.set)

    _start(go)
    await returned.wait()
    return result.result()


def _start(errand: Errand) -> None:
    try:
        thread = _idle.pop()
    except IndexError:
        thread = _Thread()
        thread.start()
    thread.errands.put(errand)


class _Thread(threading.Thread):
    """Does what it is given; ends when it was given nothing for a while."""

    def __init__(self) -> None:
        super().__init__(name="tickfold-listener", daemon=True)
        self.errands: queue.SimpleQueue[Errand] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            try:
                errand = self.errands.get(timeout=_IDLE_S)
            except queue.Empty:
                if self._is_taken():
                    continue
                return
            errand()
            del errand  # it holds a run, and its listeners
            _idle.append(self)

    def _is_taken(self) -> bool:
        """Whether somebody is about to give this thread something: it is not among the idle ones any more."""
        try:
            _idle.remove(self)
        except ValueError:
            return True
        return False
