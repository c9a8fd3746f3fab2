"""A report as one JSON document. The same report gives the same bytes."""

from __future__ import annotations

import re

import msgspec

from .report import Report

# JSON escapes what is under 0x20; a terminal obeys more than that, and lone direction marks turn what follows.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def render_json(report: Report, *, provenance: bool = True) -> str:
    """The report as indented JSON: the fields of `Report`; a figure is its `value`, or null and the `reason`."""
    if not provenance:
        report = msgspec.structs.replace(report, provenance=None)
    text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
