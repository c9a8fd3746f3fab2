"""`tickfold doctor`: whether this machine is fit to keep journals, each finding with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import click

from tickfold_projections.notation import shown

from . import options
from .faults import DONE, ERROR
from .findings import Finding, of_clock, of_data_dir, of_descriptors, of_packages, of_python, of_tools
from .output import json_document, put
from .stdout import go_on_unread


@click.command(epilog=options.example("tickfold doctor", "tickfold doctor --data-dir journals --json"))
@options.data_dir
@options.as_json
@options.debug
def command(data_dir: Path, as_json: bool) -> int:
    """Look whether this machine is fit: Python, packages, the disk of the data directory, limits, the clock, tools.

    Writes one small file beside the journals, syncs it some times to see how long that takes, and removes it. Exit code
    1 where something is bad; what is odd is worth a look, and stops nothing.
    """
    go_on_unread()
    found: list[Finding] = []
    for each in _findings(data_dir):
        found.append(each)
        if not as_json:
            put(f"{each.verdict:<4}  {each.what}: {shown(each.said)}", flush=True)
            if each.to_do:
                put(f"      {shown(each.to_do)}", flush=True)
    if as_json:
        json_document("findings", map(attrs.asdict, found))
    return ERROR if any(each.verdict == "bad" for each in found) else DONE


def _findings(data_dir: Path) -> Iterator[Finding]:
    yield of_python()
    yield from of_packages()
    yield from of_data_dir(data_dir)
    yield of_descriptors()
    yield of_clock()
    yield from of_tools()
