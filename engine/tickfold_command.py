"""The first instructions of the `tickfold` command: what a signal means before there is anything to stop.

Importing takes some tenths of a second, in which Python would answer Ctrl-C with a traceback and SIGTERM with the exit
code of a kill. It is a module beside the package because importing anything inside the package imports its whole face.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Iterable
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process and exit with its code."""
    numbers = [signal.SIGINT]
    if next((word for word in sys.argv[1:] if not word.startswith("-")), None) == "live":
        # To every other command these two are what they are to any program: its end. nohup keeps SIGHUP out.
        numbers += [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    for number in numbers:
        signal.signal(number, end_at_once)
    atexit.register(_ignore, numbers)
    _open_what_is_closed()
    from tickfold.cli import main as run

    run()


def end_at_once(number: int, _frame: FrameType | None = None) -> None:
    """End as what has nothing open: 130 on Ctrl-C, 0 on what asks a service to stop."""
    os._exit(INTERRUPTED if number == signal.SIGINT else 0)


def _ignore(numbers: Iterable[signal.Signals]) -> None:
    """The last thing but one: when Python takes itself down, a signal would replace the exit code."""
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def _open_what_is_closed() -> None:
    """Where stdin, stdout or stderr was closed, the next file to be opened, a journal, would get its number, and what
    some library prints would go there. /dev/null takes the place; `sys.stdout` stays None, which says what was closed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")


if __name__ == "__main__":
    main()
