"""Candles that are kept on disk: derived data, so that losing some costs no more than fetching them again.

folder    the layout, and what an archive holds
shelf     the candles of one symbol: a file a month, read, merged, replaced atomically
parquet   what stands in a file; the only module that imports pyarrow
months    calendar months, UTC

An archive keeps what a source delivered, each candle once, and which minutes it was asked for. A hole stays a hole:
whoever reads fills it as it would have been filled at the source.
"""

from __future__ import annotations

from .folder import Archive
from .months import month_name, month_of, months_between
from .parquet import FIELDS, Kept, Span, check_extra, digest
from .shelf import Added, Shelf

__all__ = [
    "FIELDS",
    "Added",
    "Archive",
    "Kept",
    "Shelf",
    "Span",
    "check_extra",
    "digest",
    "month_name",
    "month_of",
    "months_between",
]
