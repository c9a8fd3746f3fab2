"""A data directory that cannot be used is told with its path and what to do; a reader makes none."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tests.commands.typing_commands import REPLAYED, Files, Typed, start

READERS = [("replay",), ("report", "ups"), ("journal", "ls"), ("journal", "show"), ("journal", "verify")]


@pytest.mark.parametrize("command", READERS)
def test_a_reader_makes_no_directory(files: Files, type_: Typed, command: tuple[str, ...]) -> None:
    said = "tickfold: there is no data directory data: give --data-dir, or run `tickfold live` first\n"
    assert type_(*command) == (1, "", said)
    assert not files.data.exists()


@pytest.mark.parametrize("command", READERS)
def test_a_reader_says_that_it_is_a_file(files: Files, type_: Typed, command: tuple[str, ...]) -> None:
    files.data.write_text("mine")
    said = "tickfold: data is a file, not a data directory: give another with --data-dir\n"
    assert type_(*command) == (1, "", said)


def live(type_: Typed, data_dir: Path) -> tuple[int, str, str]:
    return type_("live", "ups.py", *REPLAYED, "--symbol", "A", "--data-dir", data_dir)


def test_live_does_not_write_into_a_file(files: Files, type_: Typed) -> None:
    files.write()
    files.data.write_text("mine")
    code, out, err = live(type_, files.data)
    assert (code, out) == (1, "")
    assert f"{files.data}" in err
    assert err.endswith("use another place\n")
    assert files.data.read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc stands for a place where nobody may write")
def test_live_does_not_write_where_it_may_not(files: Files, type_: Typed) -> None:
    files.write()
    code, out, err = live(type_, Path("/proc/tickfold"))
    assert (code, out) == (1, "")
    assert err.startswith("tickfold: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "permission is denied: change its permissions, or use another place"),
        (errno.EROFS, "the file system is read-only: use another place"),
        (errno.ENOSPC, "the disk is full: make room, then start again; what was acknowledged is there"),
        (errno.EDQUOT, "the disk quota is used up: make room, then start again; what was acknowledged is there"),
    ],
)
def test_what_the_disk_refuses_is_said_with_the_path_and_what_to_do(
    files: Files, type_: Typed, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    files.write()

    def refuse(path: str, *args: object, **kwargs: object) -> NoReturn:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "mkdir", refuse)
    assert live(type_, files.data) == (1, "", f"tickfold: {files.data}: {said}\n")


def test_the_environment_names_it_and_the_option_outweighs_it(
    files: Files, type_: Typed, journals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = type_("journal", "ls", "--data-dir", journals)
    monkeypatch.setenv("TICKFOLD_DATA_DIR", str(journals))
    assert type_("journal", "ls") == told
    assert type_("journal", "ls", "--data-dir", files.data).code == 1


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit stands for a disk that is full")
def test_a_disk_that_runs_full_is_told_and_the_run_goes_on_where_there_is_room_again(
    files: Files, type_: Typed
) -> None:
    files.write()
    words = ("live", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--clock", "replay", "--to", "2020-02-16")
    process = start(*words, cwd=files.folder, most_bytes=80_000)
    out, err = process.communicate()
    assert process.returncode == 1
    assert "; make room on the disk, then start again: what was acknowledged is there\n" in err
    assert type_("journal", "show").out == out
    assert type_("journal", "verify").code == 0
    assert type_(*words).code == 0
    assert type_(*words, "--data-dir", "roomy").code == 0
    told = type_("report", "ups", "--no-provenance")
    assert told == type_("report", "ups", "--no-provenance", "--data-dir", "roomy")
