"""The rules of risk and of lockstep as stories, told alike by the plain backtest, the engine's, and live."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from tests.reference.together import Name, simulate_together
from tests.support.replays import journalled
from tests.support.together import EXCHANGE, Company, by_stream
from tests.support.together_transcripts import Story, happened, read_story
from tickfold import Backtest, Event, Live, Started, Stopped
from tickfold_eventstore import Stream

STORIES = sorted((Path(__file__).parent / "together").glob("*.txt"))


def company_of(story: Story) -> Company:
    symbols = sorted({stream.partition("/")[2] for stream in story.streams})
    under: dict[str, list[str]] = {}
    for stream, rules in story.streams.items():
        assert under.setdefault(stream.partition("/")[0], rules) == rules
    cases = [(story.case(name), rules) for name, rules in under.items()]
    return Company({symbol: story.market(symbol) for symbol in symbols}, cases, story.rules)


def as_facts(events: dict[Name, list[Event]]) -> dict[Name, list[dict[str, object]]]:
    return {
        name: [msgspec.to_builtins(event) for event in of if not isinstance(event, Started | Stopped)]
        for name, of in events.items()
    }


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_it_is_as_it_is_told(path: Path, tmp_path: Path) -> None:
    story = read_story(path)
    company = company_of(story)
    assert story.happens
    assert happened(simulate_together(company.lanes(), story.rules)) == story.happens
    symbols = list(company.markets)
    result = Backtest().execute(symbols, strategy=company.strategies(), exchange=company.exchange())
    assert happened(as_facts(by_stream(result.events))) == story.happens
    anyio.run(partial(live, tmp_path, company))
    names = [Stream(EXCHANGE, case.name, symbol) for case, _ in company.cases for symbol in symbols]
    assert happened(as_facts({name: journalled(tmp_path, name) for name in names})) == story.happens


async def live(data_dir: Path, company: Company) -> None:
    async with Live(data_dir, clock="replay") as live:
        run = live.background(list(company.markets), strategy=company.strategies(), exchange=company.exchange())
        await run.wait()
