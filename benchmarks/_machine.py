"""What a figure was measured on, and how long things take: the little that every benchmark shares."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np


def machine() -> str:
    """The machine in one line."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.partition(": ")[2] for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    processor = f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine()
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    return f"{processor}, {platform.system()} {platform.release()}, {versions}"


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def row(what: str, value: str, floor: str = "") -> None:
    """One figure, with what it cannot be less than beside it."""
    print(f"  {what:<58} {value:>18}   {floor}")


def median(values: Sequence[float]) -> float:
    """The value in the middle."""
    return statistics.median(values)
