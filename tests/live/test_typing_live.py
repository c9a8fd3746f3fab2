"""Every event and every result falls into its own case of the matches that the type checkers have read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.company import company, journalled, named
from tests.live.desk import moment
from tests.live.test_live_listeners import busy
from tests.live.typing_live import by_position, what_a_run_gave, what_happened
from tickfold_eventstore import Stream

pytestmark = pytest.mark.anyio


async def test_the_matches_tell_what_happened(tmp_path: Path) -> None:
    ticks: list[str] = []
    async with company(tmp_path) as there:
        strategy = named("busy", busy, on_tick=lambda tick: ticks.append(what_a_run_gave(tick).split()[0]))
        handle = there.live.background("BTCUSDT", strategy=strategy, exchange=there.desk)
        await there.until("10:04:30")
        handle.stop()
        await handle.wait()
    events = journalled(tmp_path, Stream("desk", "busy", "BTCUSDT"))
    assert [what_happened(event).split(":")[0] for event in events] == [
        "started from 0",
        "rejected",
        "opened at 100.0",
        "closed",
        "waits at 98.0",
        "cancelled",
        "stopped",
    ]
    assert [by_position(event) for event in events] == ["", "", "sold", "sold", "", "", ""]
    assert ticks == ["nothing", "rejected:", "opened", "closed:", "waits", events[4].signal.id, "cancelled:"]  # type: ignore[union-attr]  # the fifth is `scheduled`
    assert events[4].at == moment("10:03")
