"""Whatever call the kernel fails, the command says so, keeps what it printed, and goes on at the next start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.proof.injecting import STREAM, TICKFOLD, WHOLE, Fault, Stage, faults, live, staged, typed, unheard
from tests.proof.test_kills import tracing_is_possible
from tests.support.replays import decisions, journalled

pytestmark = pytest.mark.skipif(not tracing_is_possible(), reason="strace is missing or not permitted")

SOME = [
    Fault("fresh", "mkdir", "EROFS", "first"),
    Fault("fresh", "pwrite64", "ENOSPC", "middle"),
    Fault("fresh", "pwrite64", "EIO", "always"),
    Fault("fresh", "pwrite64", "short", "middle"),
    Fault("fresh", "fdatasync", "EIO", "middle"),
    Fault("fresh", "fdatasync", "EINTR", "middle"),
    Fault("fresh", "fdatasync", "EDQUOT", "always"),
    Fault("fresh", "rename", "ENOSPC", "first"),
    Fault("again", "openat", "EMFILE", "middle"),
    Fault("again", "openat", "EROFS", "always"),
    Fault("again", "fcntl", "ENOLCK", "first"),
    Fault("again", "pread64", "EIO", "first"),
    Fault("again", "fdatasync", "EIO", "first"),
    Fault("again", "ftruncate", "EIO", "always"),
]
CASES = list(faults()) if os.environ.get("TICKFOLD_EVERY_INJECTION") else SOME


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return staged(tmp_path_factory.mktemp("stage").resolve())


@pytest.mark.parametrize("fault", CASES, ids=str)
def test_the_command_says_what_failed_and_nothing_is_lost(fault: Fault, stage: Stage, tmp_path: Path) -> None:
    ended, traced = stage.disturbed(fault, tmp_path)
    assert "(INJECTED)" in traced, f"nothing was injected: {traced[-500:]}"
    assert ended.code in fault.codes, ended
    assert "Traceback" not in ended.said
    assert ended.code == 0 or ended.said.startswith("tickfold: "), ended
    data = tmp_path / "data"
    verdict = typed(str(TICKFOLD), "journal", "verify", "--data-dir", str(data))
    assert verdict.returncode == (0 if data.exists() else 1), verdict
    again = live(data, WHOLE)
    assert (again.code, again.said) == (0, ""), again
    kept = journalled(data, STREAM)
    assert decisions(kept) == stage.decided
    assert unheard((*ended.heard, *again.heard), kept) == []
