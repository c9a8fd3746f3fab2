"""Calendar months, UTC, each named by the ms at which it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


def month_of(at: int) -> int:
    """The beginning of the month that holds `at`, ms since the epoch."""
    return _ms(np.datetime64(at, "ms").astype("M8[M]"))


def after(month: int) -> int:
    """The beginning of the month behind the one that begins at `month`."""
    return _ms(np.datetime64(month, "ms").astype("M8[M]") + 1)


def months_between(start: int, end: int) -> Iterator[int]:
    """The beginnings of the months that share a moment with [start, end)."""
    month = month_of(start)
    while month < end:
        yield month
        month = after(month)


def month_name(month: int) -> str:
    """Such as 2022-01."""
    return str(np.datetime64(month, "ms").astype("M8[M]"))


def month_named(name: str) -> int | None:
    """The beginning of the month of that name; None where it is no name of a month."""
    return _ms(np.datetime64(name, "M")) if _NAME.fullmatch(name) else None


def _ms(month: np.datetime64) -> int:
    return int(month.astype("M8[ms]").astype(np.int64))
