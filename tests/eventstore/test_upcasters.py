"""Yesterday's shapes come through one step for each version; tomorrow's are refused."""

from __future__ import annotations

import pytest

from tickfold_eventstore.upcasters import STEPS, VERSIONS, Newer, Stored, upcast


def renamed(stored: Stored) -> Stored:
    rest = {name: value for name, value in stored.items() if name != "why"}
    return {**rest, "reason": stored["why"]}


def in_percent(stored: Stored) -> Stored:
    return {**stored, "share": stored["share"] * 100}


CHAIN = {("stopped", 1): renamed, ("stopped", 2): in_percent}


def test_an_old_event_goes_through_every_step_in_order() -> None:
    first = {"action": "stopped", "v": 1, "why": "user", "share": 0.5}
    assert upcast(first, {"stopped": 3}, CHAIN) == {"action": "stopped", "v": 3, "reason": "user", "share": 50.0}
    assert first == {"action": "stopped", "v": 1, "why": "user", "share": 0.5}


def test_a_newer_one_skips_the_steps_that_it_does_not_need() -> None:
    second = {"action": "stopped", "v": 2, "reason": "user", "share": 0.5}
    assert upcast(second, {"stopped": 3}, CHAIN) == {"action": "stopped", "v": 3, "reason": "user", "share": 50.0}


@pytest.mark.parametrize("version", [4, None, "1", 1.0, True])
def test_a_version_that_is_not_known_is_refused(version: object) -> None:
    with pytest.raises(Newer, match=f"version {version} of the event 'stopped'"):
        upcast({"action": "stopped", "v": version}, {"stopped": 3}, CHAIN)


def test_every_version_since_the_first_has_its_step() -> None:
    assert set(STEPS) == {(action, version) for action, newest in VERSIONS.items() for version in range(1, newest)}
