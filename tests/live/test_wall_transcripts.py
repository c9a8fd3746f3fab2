"""Every transcript of the wall clock comes true, on asyncio and on trio, to the word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.wall_transcripts import perform, read_script, stage_of

pytestmark = pytest.mark.anyio

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
async def test_it_happens_as_it_is_told(path: Path, tmp_path: Path) -> None:
    script = read_script(path)
    assert (await perform(script, stage_of(script, tmp_path / "data"))).splitlines() == script.text.splitlines()
