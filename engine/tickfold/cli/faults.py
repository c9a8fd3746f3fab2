"""Which exit code an error is, and the sentence that says what to do about it."""

from __future__ import annotations

import errno
import traceback
from typing import cast

from tickfold_eventstore.errors import (
    AppendRefused,
    CorruptJournal,
    RecordTooLong,
    StoreError,
    StreamHeld,
    StreamNotFound,
    UnusableName,
)
from tickfold_projections.active_signal import IllegalTransition
from tickfold_projections.notation import shown

from ..errors import EndlessSource, ExchangeUnreachable, SpanUnknown, StrategyFailed, TickfoldError, UnknownName

DONE, ERROR, USAGE, DAMAGED, HELD, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


class CommandError(TickfoldError):
    """A command cannot do what it was asked; the sentence says why and what to do."""


class WrongUse(CommandError):
    """The command line names something that does not exist or does not go together."""


_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (WrongUse, USAGE),
    (UnknownName, USAGE),
    (EndlessSource, USAGE),
    (SpanUnknown, USAGE),
    (StreamNotFound, USAGE),
    (UnusableName, USAGE),
    (CorruptJournal, DAMAGED),
    (IllegalTransition, DAMAGED),
    (StreamHeld, HELD),
    (ExchangeUnreachable, UNREACHABLE),
)

_WHAT_TO_DO = {
    errno.ENOSPC: "the disk is full: make room, then start again; what was acknowledged is there",
    errno.EDQUOT: "the disk quota is used up: make room, then start again; what was acknowledged is there",
    errno.EACCES: "permission is denied: change its permissions, or use another place",
    errno.EPERM: "permission is denied: change its permissions, or use another place",
    errno.EROFS: "the file system is read-only: use another place",
    errno.ENOTDIR: "a part of the path is a file, not a directory: use another place",
    errno.EEXIST: "something of that name is in the way: use another place",
    errno.ENOENT: "there is no such file or directory: check the path",
    errno.EISDIR: "it is a directory: name a file",
    errno.ENAMETOOLONG: "the name is too long for this file system: use a shorter one",
}


def exit_code(error: BaseException) -> int:
    """The exit code of SPEC 6 for what went wrong."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ERROR)


def sentence(error: BaseException) -> str:
    """What went wrong and what to do, on one line, control characters shown."""
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename is not None else ""
        return shown(f"{where}{_WHAT_TO_DO.get(error.errno, error.strerror or type(error).__name__)}")
    if isinstance(error, StrategyFailed):
        return shown(f"{error}{place_of(error.__cause__)}")
    if isinstance(error, AppendRefused) and not isinstance(error, RecordTooLong):
        return shown(f"{error}; make room on the disk, then start again: what was acknowledged is there")
    if isinstance(error, TickfoldError | StoreError | IllegalTransition):
        return shown(str(error))
    return shown(f"{type(error).__name__}: {error} (run it with --debug to see where)")


def place_of(cause: BaseException | None) -> str:
    """Where something was raised, to stand behind it: the innermost line."""
    frames = traceback.extract_tb(cause.__traceback__) if cause is not None else None
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def of_group(error: BaseException) -> BaseException:
    """The error itself, out of the groups that task groups put around it."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
