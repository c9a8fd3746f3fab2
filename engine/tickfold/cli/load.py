"""A user's file of strategies, and what a command line names in it."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from ..errors import DeclarationError, UnknownName
from ..exchanges import Exchange, as_exchange, is_source_text
from ..frame import FRAMES
from ..sources import EXCHANGES, find_exchange
from ..strategy import STRATEGIES, Strategy
from .faults import CommandError, WrongUse


def load(file: Path, names: Sequence[str] = ()) -> list[Strategy]:
    """Import FILE and return its strategies, or those of `names`.

    Raises `CommandError` with the file and the line where it does not import or holds no strategy, `UnknownName` for
    a name that it does not register.
    """
    if not file.is_file():
        there = "is a directory" if file.is_dir() else "is no file that can be read again, such as a pipe"
        what = there if file.exists() else "does not exist, or leads nowhere"
        raise WrongUse(f"{file} {what}: FILE is a Python file with strategies")
    for registry in (STRATEGIES, EXCHANGES, FRAMES):
        registry.clear()
    _execute(file.resolve(), file)
    if not STRATEGIES.names():
        raise CommandError(f'{file} holds no strategy: decorate a function with @strategy("name", interval="15m")')
    return [STRATEGIES.get(name) for name in dict.fromkeys(names or STRATEGIES.names())]


def find_source(text: str | None) -> Exchange:
    """What `--exchange [NAME=]SOURCE` means; without it the one exchange that FILE registers."""
    if text is None:
        names = EXCHANGES.names()
        if len(names) == 1:
            return EXCHANGES.get(names[0])
        there = f"FILE registers {', '.join(names)}" if names else "FILE registers none"
        raise WrongUse(f"which exchange? {there}; give --exchange, such as csv:PATH, sim:SEED or ccxt:binance")
    if not is_source_text(text) and "=" in text and text not in EXCHANGES.names():
        name, _, registered = text.rpartition("=")
        return as_exchange(EXCHANGES.get(registered), name)
    try:
        return find_exchange(text)
    except UnknownName as error:
        raise WrongUse(f"--exchange {text}: {error}; a public exchange is written ccxt:{text}") from error
    except DeclarationError as error:
        raise WrongUse(f"--exchange {text}: {error}") from error


def _execute(path: Path, shown_as: Path) -> None:
    spec = importlib.util.spec_from_file_location(_module_name(path.stem), path)
    if spec is None or spec.loader is None:
        raise WrongUse(f"{shown_as} is no Python file: FILE must end in .py")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    module = importlib.util.module_from_spec(spec)
    # Found by inspect and by pickling under its name, as any module that was imported.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.modules.pop(spec.name, None)
        line = _line(error, path)
        where = f"{shown_as}, line {line}" if line else str(shown_as)
        raise CommandError(f"{where}: {_what(error, path)}") from error


def _what(error: BaseException, path: Path) -> str:
    if isinstance(error, DeclarationError):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"the file does not import: SyntaxError: {error.msg}"
    return f"the file does not import: {type(error).__name__}: {error}"


def _module_name(stem: str) -> str:
    """A file may be called as a module that others import; it must not stand in its place."""
    free = stem.isidentifier() and stem not in sys.modules and stem not in sys.stdlib_module_names
    return stem if free else f"strategy_file_{stem}"


def _line(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None
