"""Streams that share a risk rule decide alike in the plain backtest, in the fast one, and live, however often the
process is killed between: each answer is judged after those before it, by what was alive at its own slot.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference.together import Rule, simulate_together
from tests.support.facts import facts_of, fitting
from tests.support.markets import Market, all_markets, random_markets
from tests.support.replays import decisions, journalled
from tests.support.strategies import CASES, Case
from tests.support.together import Company, by_stream
from tickfold import Backtest, Config, Event, Live
from tickfold.config import Policy
from tickfold.handle import Handle
from tickfold_eventstore import Journal, Stream
from tickfold_eventstore.errors import JournalClosed

MARKETS = {market.name: market for market in all_markets()}
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")
RULES = {
    "few": Rule(max_open=2, max_per_symbol=1),
    "burnt": Rule(max_daily_loss=1.0, cooldown_minutes=7, groups=[(frozenset("AC"), 1)]),
}


def drawn(dice: Random) -> Company:
    """Three markets and three strategies, each strategy under one rule, both or none."""
    kept = [market for name, market in MARKETS.items() if name != "still"]
    markets = dict(zip("ABC", dice.sample(kept, 3), strict=True))
    cases = dice.sample(CASES, 3)
    under = [dice.choice([["few"], ["burnt"], ["few", "burnt"]]) for _ in cases]
    under[dice.randrange(3)] = dice.choice([[], ["few"]])
    return Company(markets, list(zip(cases, under, strict=True)), RULES)


def backtested(company: Company, config: Config) -> dict[tuple[str, str, str], list[Event]]:
    async def run() -> tuple[Event, ...]:
        run = Backtest(config=config).run(
            list(company.markets), strategy=company.strategies(), exchange=company.exchange()
        )
        await run.finish()
        return run.result().events

    return by_stream(anyio.run(run))


async def replayed(data_dir: Path, company: Company, config: Config, cuts: list[int]) -> None:
    """Live over the same candles, all strategies in one process; left after so many events, and started again."""
    for cut in [*cuts, 0]:
        async with Live(data_dir, config=config, clock="replay") as live:
            handle = live.background(list(company.markets), strategy=company.strategies(), exchange=company.exchange())
            await (events_of(handle, cut) if cut else handle.wait())
            assert not handle.errors


async def events_of(handle: Handle, count: int) -> None:
    """Return when so many events are in the journals of a run, or when it is done."""
    send, receive = anyio.create_memory_object_stream[Event](math.inf)

    async def follow(journal: Journal) -> None:
        with suppress(JournalClosed):
            async for event in journal.follow(journal.head.seq + 1):
                send.send_nowait(event)

    async def wait() -> None:
        await handle.wait()
        tasks.cancel_scope.cancel()

    with send, receive:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            for journal in handle.journals:
                tasks.start_soon(follow, journal)
            for _ in range(count):
                await receive.receive()
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("seed", range(10))
def test_the_plain_backtest_the_fast_one_and_live_judge_alike(seed: int, tmp_path: Path) -> None:
    dice = Random(seed)
    company, config = drawn(dice), Config(policy=POLICIES[seed % 2])
    expected = simulate_together(company.lanes(), RULES, policy=config.policy)
    actual = backtested(company, config)
    for name, events in expected.items():
        told = [facts_of(event) for event in actual.get(name, [])]
        assert told == fitting(events, told), name
    anyio.run(partial(replayed, tmp_path, company, config, [dice.randrange(1, 40) for _ in range(seed % 4)]))
    for name in expected:
        assert decisions(journalled(tmp_path, Stream(*name))) == decisions(actual.get(name, [])), name


def test_the_rules_refuse_in_every_way() -> None:
    spoken: set[str] = set()
    for seed in range(6):
        for events in backtested(drawn(Random(seed)), Config()).values():
            for event in events:
                spoken |= {reason for reason in getattr(event, "reasons", ()) if reason.startswith("risk rule")}
    for words in ("few: 2 signals are alive", "few: 1 signal is alive", "burnt: what closed", "rests for", "the group"):
        assert any(words in reason for reason in spoken), words


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(
    markets=st.lists(random_markets(), min_size=2, max_size=3),
    seed=st.integers(0, 1000),
    max_open=st.integers(0, 2),
    cooldown=st.integers(0, 9),
    loss=st.sampled_from([0.0, 0.5, 2.0]),
    cuts=st.lists(st.integers(1, 12), max_size=3),
)
def test_live_judges_as_a_backtest_does_however_often_it_is_started_again(
    markets: list[Market], seed: int, max_open: int, cooldown: int, loss: float, cuts: list[int]
) -> None:
    rules = {"one": Rule(max_open=max_open, cooldown_minutes=cooldown, max_daily_loss=loss)}
    cases: list[tuple[Case, list[str]]] = [(case, ["one"]) for case in Random(seed).sample(CASES, 2)]
    company = Company(dict(zip("ABC", markets, strict=False)), cases, rules)
    expected = backtested(company, Config())
    with TemporaryDirectory() as data_dir:
        anyio.run(partial(replayed, Path(data_dir), company, Config(), cuts))
        for name, events in expected.items():
            assert decisions(journalled(Path(data_dir), Stream(*name))) == decisions(events), name
