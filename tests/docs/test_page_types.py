"""The Python of the pages passes a strict type checker, and a `match` over events that forgets one does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs import pages

FORGETFUL = """
from typing import assert_never

from tickfold import Cancelled, Closed, Event, Opened, Rejected, Scheduled, Started


def forgetful(event: Event) -> str:
    match event:
        case Started() | Scheduled() | Opened() | Cancelled() | Closed() | Rejected():
            return event.action
        case _:
            assert_never(event)
"""


def checked(folder: Path) -> list[str]:
    """What mypy finds in a folder of modules, a line an error."""
    roots = [str(pages.ROOT / name) for name in ("engine", "projections", "eventstore")]
    said = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", ".cache", "."],
        cwd=folder,
        env=os.environ | {"MYPYPATH": os.pathsep.join(roots)},
        capture_output=True,
        text=True,
    )
    assert said.stderr == ""
    return [line for line in said.stdout.splitlines() if ": error: " in line]


def test_the_python_of_the_pages_is_typed_and_a_match_that_forgets_an_event_is_found(tmp_path: Path) -> None:
    for page in pages.run_pages():
        for block in pages.blocks(page, pages.text_of(page)):
            if block.language == "python":
                # Pages have files of one name; the blocks that import another one are all on one page.
                name = block.file or f"block_{block.line}.py"
                path = tmp_path / name if not (tmp_path / name).exists() else tmp_path / f"line_{block.line}_{name}"
                path.write_text(block.body, encoding="utf-8")
    (tmp_path / "forgetful.py").write_text(FORGETFUL, encoding="utf-8")
    (error,) = checked(tmp_path)
    assert error.startswith('forgetful.py:12: error: Argument 1 to "assert_never" has incompatible type "Stopped"')
