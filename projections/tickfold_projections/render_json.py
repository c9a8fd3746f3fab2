"""A report as one JSON document. The same report gives the same bytes."""

from __future__ import annotations

import msgspec

from .notation import json_shown
from .report import Report


def render_json(report: Report, *, provenance: bool = True) -> str:
    """The report as indented JSON: the fields of `Report`; a figure is its `value`, or null and the `reason`."""
    if not provenance:
        report = msgspec.structs.replace(report, provenance=None)
    return json_shown(msgspec.json.format(msgspec.json.encode(report), indent=2).decode()) + "\n"
