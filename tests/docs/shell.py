"""A shell that a reader might have: one bash, in a folder of its own, with the installed command on its path."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

PATIENCE_S = 120.0
"""A command that takes longer hangs; it is killed, so that the test says which it was."""


class Said(NamedTuple):
    """What a command printed, stdout and stderr as they came, and its exit code."""

    text: str
    code: int


class Shell:
    """Commands typed into it share variables, the current folder and what runs in the background."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TICKFOLD", "PYTEST"))}
        beside = Path(sys.executable).absolute().parent
        env = kept | {
            "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "COLUMNS": "100",
            "PYTHONUNBUFFERED": "1",
        }
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def type_(self, command: str) -> Said:
        """Run a command to its end. Raises `EOFError` where the shell ended with it, or it hangs."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        end = f"end-{uuid.uuid4().hex}"
        hang = threading.Timer(PATIENCE_S, self._bash.kill)
        hang.start()
        try:
            self._bash.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '%s %s\\n' {end} \"$?\"\n")
            self._bash.stdin.flush()
            lines: list[str] = []
            for line in self._bash.stdout:
                before, found, code = line.partition(end)
                if found:
                    return Said("".join([*lines, before]), int(code))
                lines.append(line)
            raise EOFError("".join(lines))
        finally:
            hang.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        # What a page left in the background is in the shell's own session, and ends with it.
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        self._bash.stdout.close()
