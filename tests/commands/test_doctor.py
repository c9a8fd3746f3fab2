"""`tickfold doctor`: what is bad is exit code 1, and each finding that is not ok says what to do."""

from __future__ import annotations

import importlib.metadata
import os
import resource
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from tests.commands.typing_commands import Files, Typed
from tickfold.cli import findings
from tickfold.cli.findings import Finding
from tickfold_eventstore.errors import UnsupportedPlatform
from tickfold_eventstore.files import files_here


def verdicts(found: list[dict[str, str]]) -> dict[str, str]:
    return {each["what"]: each["verdict"] for each in found}


def test_a_machine_that_runs_these_tests_is_fit_and_nothing_is_left_behind(files: Files, type_: Typed) -> None:
    said = type_("doctor", "--json")
    found = said.document["findings"]
    assert said.code == 0, found
    assert [each for each in found if each["verdict"] not in {"ok", "odd"}] == []
    assert [each for each in found if each["verdict"] == "odd" and not each["to_do"]] == []
    assert set(verdicts(found)) == {
        *["python", "packages", "data directory data", "sync", "room", "open files", "clock", "jq", "strace"]
    }
    assert list(files.folder.iterdir()) == []
    lines = type_("doctor").out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [each["verdict"] for each in found]


def test_a_data_directory_that_is_a_file_is_bad(files: Files, type_: Typed) -> None:
    files.data.write_text("mine")
    said = type_("doctor", "--json")
    assert said.code == 1
    assert verdicts(said.document["findings"])["data directory data"] == "bad"
    assert "bad   data directory data: " in type_("doctor").out


def test_a_network_file_system_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(path: str) -> NoReturn:
        raise UnsupportedPlatform(path, "nfs4 is a network file system")

    monkeypatch.setattr(files_here(), "check_fit", unfit)
    (found,) = findings.of_data_dir(tmp_path)
    assert (found.verdict, found.to_do) == ("bad", "put it on a local file system, with --data-dir")
    assert "nfs4 is a network file system" in found.said


def test_a_directory_where_one_may_not_write_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(files_here(), "open", refuse)
    (found,) = findings.of_data_dir(tmp_path)
    assert found.verdict == "bad"
    assert found.said == f"{tmp_path}: permission is denied: change its permissions, or use another place"


@pytest.mark.parametrize(("took", "verdict"), [(1.0, "odd"), (200.0, "ok"), (80_000.0, "odd")])
def test_a_sync_that_is_too_fast_or_too_slow_is_odd(took: float, verdict: str) -> None:
    assert findings._of_syncs([took] * 3).verdict == verdict


class Room(NamedTuple):
    f_bavail: int
    f_frsize: int
    f_files: int
    f_favail: int


@pytest.mark.parametrize(
    ("free", "inodes", "verdict"),
    [(1 << 20, 9, "bad"), (1 << 29, 9, "odd"), (1 << 40, 9, "ok"), (1 << 40, 0, "bad")],
)
def test_too_little_room_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, inodes: int, verdict: str
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: Room(free, 1, 100, inodes))
    assert findings._of_room(tmp_path).verdict == verdict


@pytest.mark.parametrize(("soft", "verdict"), [(32, "bad"), (256, "odd"), (1024, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_few_open_files_are_odd_and_none_to_spare_is_bad(
    monkeypatch: pytest.MonkeyPatch, soft: int, verdict: str
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, 4096))
    found = findings.of_descriptors()
    assert (found.verdict, found.to_do) == (verdict, "" if verdict == "ok" else "raise it: ulimit -n 4096")


def test_a_clock_from_before_the_program_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "gmtime", lambda at=0.0, _gmtime=time.gmtime: _gmtime(at))
    found = findings.of_clock()
    assert found.verdict == "bad"
    assert found.said == "1970-01-01T00:00:00Z, which is before this program was installed"


def test_a_package_that_is_missing_is_bad_and_an_extra_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in {"numpy", "pyarrow"}:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    told: Any = ["numpy>=2.0", "attrs>=24.2", "pyarrow>=17; extra == 'archive'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: told)
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert list(findings.of_packages()) == [
        Finding("packages", "bad", "missing: numpy", "pip install numpy"),
        Finding("packages", "ok", "pyarrow is not installed; the extra archive brings it"),
    ]
