"""Writing new files for a user: all or none, and never over one that is there."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from tickfold_projections.notation import shown

from .faults import CommandError
from .templates import STRATEGY

_IMPORTED = {"strategy", "Context", "Signal", "timedelta", "annotations", "exchange", "Frame"}


def plant(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, which is made if it is not there. Raises `CommandError` where one is there already."""
    taken = [str(folder / name) for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        raise CommandError(f"{', '.join(taken)}: there already, and nothing is overwritten; choose another place")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                written.append(folder / name)
                file.write(text)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def strategy_text(name: str, title: str) -> str:
    """A strategy of that name, as a file that runs."""
    return Template(STRATEGY).substitute(
        title=shown(title).replace("\\", "/").replace('"', "'"), name=_quoted(name), function=identifier(name)
    )


def identifier(name: str) -> str:
    """A name as Python would have it, for a function and for a file: `sma-cross` is `sma_cross`."""
    found = re.sub(r"\W+", "_", name.strip(), flags=re.ASCII).strip("_").lower()[:100] or "mine"
    if not found.isidentifier() or keyword.iskeyword(found) or found in _IMPORTED:
        found = f"strategy_{found}"
    return found


def _quoted(name: str) -> str:
    # JSON's escapes are Python's too, all but those of characters beyond U+FFFF, which stay as they are.
    return shown(json.dumps(name, ensure_ascii=False))
