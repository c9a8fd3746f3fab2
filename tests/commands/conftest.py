from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.typing_commands import Files, Typed, typed
from tickfold.frame import FRAMES
from tickfold.sources import EXCHANGES
from tickfold.strategy import STRATEGIES


@contextmanager
def world_as_it_was() -> Generator[None]:
    """A command forgets what was registered and imports a user's file; other tests must not feel that."""
    registries = [vars(registry) for registry in (STRATEGIES, EXCHANGES, FRAMES)]
    before = [dict(registry["_things"]) for registry in registries]
    path, modules = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        for registry, things in zip(registries, before, strict=True):
            registry["_things"].clear()
            registry["_things"].update(things)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and "pytest" in file and name != "pytest":
                del sys.modules[name]


@pytest.fixture(autouse=True)
def _world_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TICKFOLD_DATA_DIR", raising=False)
    with world_as_it_was():
        yield


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """An empty folder to work in, and a strategy file."""
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path)


@pytest.fixture(scope="session")
def journals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with three journals of a few days; not to be changed."""
    with world_as_it_was():
        return Files(tmp_path_factory.mktemp("journals")).three_journals()


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command, in this process."""
    return Typed(lambda *words: typed(capsys, *words))
