"""Yesterday's shapes of events, brought to today's: one pure step for each version that is no longer written.

`VERSIONS` says which version of each action is written now. A step takes an event as plain JSON values in version v and
returns it in version v + 1. What was written once is read for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Stored = dict[str, Any]

VERSIONS = {
    "started": 1,
    "scheduled": 1,
    "opened": 1,
    "cancelled": 1,
    "closed": 1,
    "rejected": 1,
    "stopped": 1,
}
"""The version of each action that is written now."""

STEPS: dict[tuple[str, int], Callable[[Stored], Stored]] = {}
"""(action, version) → the same event in the next version."""


class Newer(Exception):
    """An action or a version of one that is not known here."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def upcast(
    stored: Stored,
    versions: Mapping[str, int] = VERSIONS,
    steps: Mapping[tuple[str, int], Callable[[Stored], Stored]] = STEPS,
) -> Stored:
    """The event in today's shape; raises `Newer` where it comes from a later program, and
    `msgspec.ValidationError` where no program wrote such a version.
    """
    action, version = str(stored.get("action")), stored.get("v")
    if action not in versions:
        raise Newer(f"an event {action!r}")
    if type(version) is not int or version > versions[action]:
        raise Newer(f"version {version} of the event {action!r}")
    if version < 1:
        raise msgspec.ValidationError(f"the event {action!r} has the version {version}")
    while version < versions[action]:
        stored = steps[action, version](stored)
        version += 1
    return {**stored, "v": version}
