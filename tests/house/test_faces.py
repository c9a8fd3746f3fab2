"""The three packages show exactly the names below: adding or losing one is a decision, and this is where it is seen."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house import tree

LISTENERS = [
    "listen_signal",
    "listen_signal_live",
    "listen_signal_backtest",
    "listen_error",
    "listen_done_live",
    "listen_done_backtest",
    "listen_progress",
    "listen_performance",
]

FACES: dict[str, list[str]] = {
    "tickfold": [
        *["Live", "Backtest", "Config", "Costs"],
        *["strategy", "Context", "Signal", "Slots", "Proposals"],
        *["exchange", "Candles", "Frame", "Risk", "RiskGroup"],
        *["Event", "Started", "Scheduled", "Opened", "Cancelled", "Closed", "Rejected", "Stopped"],
        *["Idle", "Waiting", "Active"],
        *LISTENERS,
        *[f"{listener}_once" for listener in LISTENERS],
        "TickfoldError",
    ],
    "tickfold_projections": [],
    "tickfold_eventstore": [
        *["Store", "Journal", "MemoryJournal", "EventLog", "Reader", "Checkpoint", "Head", "Record"],
        *["Event", "Started", "Scheduled", "Opened", "Cancelled", "Closed", "Rejected", "Stopped"],
        *["Stream", "AcceptedSignal", "RefusedProposal", "ProfitAndLoss", "Ticks"],
        *["StoreError", "StreamHeld", "StreamNotFound", "CorruptJournal", "NewerFormat", "WrongExpectedVersion"],
        *["AppendRefused", "RecordTooLong", "JournalPoisoned", "JournalClosed", "CheckpointMismatch"],
        *["UnsupportedPlatform", "UnusableName"],
    ],
}


def missing_names(package: object, names: list[str]) -> list[str]:
    return [name for name in names if not hasattr(package, name)]


@pytest.mark.parametrize("package", FACES)
def test_a_package_shows_the_names_that_are_pinned_here_and_holds_them(package: str) -> None:
    face = importlib.import_module(package)
    shown = list(getattr(face, "__all__", []))
    assert sorted(shown) == sorted(FACES[package])
    assert missing_names(face, shown) == []


def test_a_name_that_is_shown_and_not_there_is_found() -> None:
    assert missing_names(sys, ["argv", "no_such_name"]) == ["no_such_name"]


def test_the_wheel_holds_three_typed_packages_the_licence_and_the_command(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=tree.ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in held}
    assert tops == {*tree.PACKAGES, "tickfold_command.py", wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"}
    assert [package for package in tree.PACKAGES if f"{package}/py.typed" not in held] == []
    assert [name.rsplit("/")[-1] for name in held if name.endswith(("LICENSE", "entry_points.txt"))] == [
        "entry_points.txt",
        "LICENSE",
    ]
