"""What the rules of the house look at: the files of this checkout."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {
    "tickfold": ROOT / "engine" / "tickfold",
    "tickfold_projections": ROOT / "projections" / "tickfold_projections",
    "tickfold_eventstore": ROOT / "eventstore" / "tickfold_eventstore",
}


def modules() -> list[Path]:
    """Every module of the three packages."""
    return sorted(path for package in PACKAGES.values() for path in package.rglob("*.py"))


def parsed() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the three packages: its name for people, and its syntax tree."""
    for path in modules():
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file that is in the repository or about to be: its name, and what it says."""
    listing = subprocess.run(
        # A checkout may belong to another user than the one who tests it, as in a container.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in sorted(set(listing.stdout.decode().split("\0")) - {""}):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode("utf-8", errors="replace")
