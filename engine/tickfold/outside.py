"""What came out of a user's code: its own failure, or something that was done to it."""

from __future__ import annotations

from typing import cast

import anyio
import anyio.lowlevel


async def comes_from_outside(error: BaseException) -> bool:
    """Whether an error was done to the code that it came out of: an interrupt, or a cancellation of this task. All else
    is its own failure, be it an exit, or a cancellation of what it awaited: it ends no process that others run in.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        return True
    try:
        cancelled = anyio.get_cancelled_exc_class()
    except RuntimeError:  # no event loop runs, so nobody can cancel
        return False
    inside = _all_in(error)
    if any(isinstance(each, KeyboardInterrupt) for each in inside):
        return True
    return any(isinstance(each, cancelled) for each in inside) and await _is_cancelled()


def _all_in(error: BaseException) -> list[BaseException]:
    """The error itself; of a group, those that it holds."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [each for part in group.exceptions for each in _all_in(part)]


async def _is_cancelled() -> bool:
    """Whether somebody is cancelling this task."""
    try:
        await anyio.lowlevel.checkpoint_if_cancelled()
    except anyio.get_cancelled_exc_class():
        return True
    import asyncio

    if not issubclass(asyncio.CancelledError, anyio.get_cancelled_exc_class()):
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
