"""What the server answers: streams, states, pages of events, figures, reports; each the same as the journal's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web import journals
from tests.web.asking import asked, serving
from tests.web.journals import AT, MINUTE, A, B
from tickfold.cli import run
from tickfold_eventstore import Event, Store, Stream, Ticks
from tickfold_projections.active_signal import FLAT, State, evolve
from tickfold_projections.notation import json_shown
from tickfold_projections.profit import Costs, profit_and_loss
from tickfold_projections.statistics import statistics
from tickfold_projections.web import accounts
from tickfold_projections.web.glance import name_of
from tickfold_projections.web.names import by_name, id_of

pytestmark = pytest.mark.anyio

IN_A = "/api/streams/sim-3~w~A"


def told(event: Event) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(event)
    return value


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A with two closed signals; B with one open since it was stopped at a price."""
    journals.written(tmp_path, A, journals.story(A, 2))
    journals.written(tmp_path, B, open_in_b())
    return tmp_path


def open_in_b() -> list[Event]:
    opening = journals.opened(B, 2, AT + MINUTE, "<b>note</b>")
    stop = journals.stopped(B, 3, AT + 2 * MINUTE, price=101.0, state_seq=2)
    return [journals.started(B, 1, AT), opening, stop]


async def test_every_stream_stands_there_at_a_glance(data: Path) -> None:
    async with serving(data) as served:
        answer = (await asked(served.app, "/api/streams")).document
        one = await asked(served.app, "/api/streams/sim-3~w~B_2FUSDT")
        assert one.document == answer["streams"][1]
        assert (await asked(served.app, "/api/streams/sim-3~w~B_2FUSDT", "HEAD")).status == 200
    assert (answer["ready"], len(answer["position"])) == (True, len("0123456789ab:5,0123456789ab:3"))
    closed = {"state": "flat", "state_seq": 0, "signal": None, "price": None, "price_at": None, "unrealised": None}
    assert answer["streams"] == [
        {
            "id": "sim-3~w~A",
            **A._asdict(),
            "seq": 5,
            "at": AT + 4 * MINUTE,
            "recorded_at": AT + 4 * MINUTE,
            "action": "closed",
            **closed,
            "holder": None,
            "alarms": [
                {"kind": "crashed", "text": "the last run ended without a `stopped`: it was killed, or it crashed"}
            ],
        },
        {
            "id": "sim-3~w~B_2FUSDT",
            **B._asdict(),
            "seq": 3,
            "at": AT + 2 * MINUTE,
            "recorded_at": AT + 2 * MINUTE,
            "action": "stopped",
            "state": "active",
            "state_seq": 2,
            "signal": told(open_in_b()[1])["signal"],
            "price": 101.0,
            "price_at": AT + 2 * MINUTE,
            "unrealised": profit_and_loss("long", 100.0, 101.0, Costs()).percentage,
            "holder": None,
            "alarms": [
                {
                    "kind": "unwatched",
                    "text": "a signal is alive and no process watches it: start `tickfold live` again",
                }
            ],
        },
    ]


async def test_a_price_from_before_it_opened_is_none(tmp_path: Path) -> None:
    events: list[Event] = [
        journals.started(A, 1, AT),
        journals.stopped(A, 2, AT + MINUTE, price=90.0),
        journals.started(A, 3, AT + MINUTE),
        journals.opened(A, 4, AT + 2 * MINUTE),
    ]
    journals.written(tmp_path, A, events)
    async with serving(tmp_path) as served:
        found = (await asked(served.app, IN_A)).document
    assert (found["state"], found["price"], found["price_at"], found["unrealised"]) == ("active", None, None, None)


async def test_alarms_say_what_a_person_should_look_at(tmp_path: Path) -> None:
    missed = msgspec.structs.replace(
        journals.rejected(A, 2, AT, "stop loss 1 is\nfar"), ticks=msgspec.convert({"missed": 3}, type=Ticks)
    )
    into = journals.journal(tmp_path, A)
    journals.append(into, [journals.started(A, 1, AT), missed])
    async with serving(tmp_path) as served:
        held = (await asked(served.app, IN_A)).document
        into.close()
        left = (await asked(served.app, IN_A)).document
    assert held["holder"].startswith("pid ")
    assert [alarm["kind"] for alarm in held["alarms"]] == ["missed", "rejected"]
    assert held["alarms"][0]["text"].startswith("3 slots were missed before 2024-10-27T03:34:00Z")
    assert held["alarms"][1]["text"] == "the last proposal was refused: stop loss 1 is\nfar"
    assert [alarm["kind"] for alarm in left["alarms"]] == ["crashed", "missed", "rejected"]


async def test_a_stream_comes_a_page_at_a_time_with_the_state_after_each_event(data: Path) -> None:
    for stream, events in ((A, journals.story(A, 2)), (B, open_in_b())):
        state: State = FLAT
        states = []
        for event in events:
            state = evolve(state, event)
            states.append({"state": name_of(state), "state_seq": state.seq})
        async with serving(data) as served:
            found: dict[str, list[Any]] = {"events": [], "states": []}
            after: int | None = 0
            while after is not None:
                page = (await asked(served.app, f"/api/streams/{id_of(stream)}/events?after={after}&limit=2")).document
                assert (page["head"], page["stream"]) == (len(events), id_of(stream))
                for name in found:
                    found[name] += page[name]
                after = page["next"]
        assert found == {"events": [told(event) for event in events], "states": states}


async def test_a_state_is_found_by_seq_and_by_time(data: Path) -> None:
    events = journals.story(A, 2)
    async with serving(data) as served:
        for seq, state in enumerate(["flat", "flat", "active", "flat", "active", "flat"]):
            found = (await asked(served.app, f"{IN_A}/state?seq={seq}")).document
            saying = told(events[seq - 1]) if state == "active" else None
            assert found == {
                "stream": "sim-3~w~A",
                "seq": seq,
                "at": events[seq - 1].at if seq else None,
                "state": state,
                "state_seq": seq if saying else 0,
                "event": saying,
            }
        by_time = [(await asked(served.app, f"{IN_A}/state?at={AT + n}")).document["seq"] for n in (-1, 0, MINUTE)]
        assert by_time == [0, 1, 2]
        now = (await asked(served.app, "/api/streams/sim-3~w~B_2FUSDT/state")).document
        assert (now["seq"], now["state"], now["state_seq"], now["event"]) == (3, "active", 2, told(open_in_b()[1]))
        beyond = await asked(served.app, f"{IN_A}/state?seq=6")
        assert (beyond.status, beyond.fault) == (404, "sim-3/w/A has no event 6: it ends at event 5")
        both = await asked(served.app, f"{IN_A}/state?seq=6&at=6")
        assert (both.status, both.fault) == (400, "seq and at both say when: give one of them")


async def test_figures_are_those_of_a_fold_and_grow_with_the_journal(data: Path) -> None:
    events = {A: journals.story(A, 2), B: open_in_b()}

    def figures(*streams: Stream, end: float = float("inf")) -> Any:
        told = statistics(event for stream in streams for event in events[stream] if event.at < end)
        return json.loads(msgspec.json.encode(told))

    async with serving(data) as served:
        assert (await asked(served.app, f"{IN_A}/statistics")).document == figures(A)
        assert (await asked(served.app, "/api/statistics")).document == figures(A, B)
        assert (await asked(served.app, "/api/statistics?stream=sim-3/w/A&stream=sim-3~w~A")).document == figures(A)
        early = (await asked(served.app, f"/api/statistics?to={AT + 3 * MINUTE}")).document
        assert early == figures(A, B, end=AT + 3 * MINUTE)
        events[A] = journals.story(A, 4)
        into = journals.journal(data, A)
        journals.append(into, events[A][5:])
        into.close()
        await served.knows(12)
        assert (await asked(served.app, f"{IN_A}/statistics")).document == figures(A)
        assert (await asked(served.app, "/api/statistics")).document == figures(A, B)


async def test_figures_that_were_folded_are_not_folded_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[int] = []
    read_on = accounts.Book.read_on

    def counted(self: accounts.Book, hub: Any, heads: Any) -> None:
        before = self.ledger.events["closed"]
        read_on(self, hub, heads)
        folded.append(self.ledger.events["closed"] - before)

    monkeypatch.setattr(accounts.Book, "read_on", counted)
    async with serving(data) as served:
        for _ in range(3):
            await asked(served.app, f"{IN_A}/statistics")
        assert folded == [2]
        into = journals.journal(data, A)
        journals.append(into, journals.story(A, 3)[5:])
        into.close()
        await served.knows(10)
        await asked(served.app, f"{IN_A}/statistics")
        assert folded == [2, 1]


@pytest.mark.parametrize("form", ["md", "html", "json", "csv"])
async def test_a_report_is_the_one_that_the_command_makes(
    data: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "w", "--data-dir", str(data), "--format", form, "--to", f"@{AT + 4 * MINUTE}"]) == 0
    printed = capsys.readouterr().out
    async with serving(data) as served:
        found = await asked(served.app, f"/api/report?strategy=w&format={form}&to={AT + 4 * MINUTE}")
        alone = await asked(served.app, f"{IN_A}/report?format={form}")
        none = await asked(served.app, "/api/report?strategy=x")
    assert (found.status, alone.status, "B/USDT" in alone.text) == (200, 200, False)
    assert (none.status, none.fault) == (404, "no journal of a strategy 'x'; there are: w")
    if form in {"md", "csv"}:
        assert found.text == printed
    policy = found.headers["content-security-policy"]
    assert ("sandbox" in policy, "frame-ancestors 'none'" in policy) == (form == "html", True)


async def test_a_report_that_would_be_too_long_and_a_fold_too_many_are_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "LONGEST_REPORT", 7)
    async with serving(data) as served:
        long = await asked(served.app, "/api/report?strategy=w")
        short = await asked(served.app, f"/api/report?strategy=w&to={AT + 3 * MINUTE}")
        monkeypatch.setattr(accounts, "WAITING", 0)
        busy = await asked(served.app, f"{IN_A}/statistics")
    assert (long.status, short.status) == (413, 200)
    assert long.fault.startswith("the report would tell more than 7 events: end it earlier with to=")
    assert (busy.status, busy.headers["retry-after"]) == (503, "5")


async def test_damage_is_an_answer_and_no_failure_of_the_server(data: Path) -> None:
    segment = Path(Store(data).folder(A).path) / "00000000000000000001.jsonl"
    segment.write_text(segment.read_text().replace('"idle":1', '"idle":7', 1))
    async with serving(data) as served:
        page = await asked(served.app, f"{IN_A}/events")
        figures = await asked(served.app, "/api/statistics")
        first = await asked(served.app, f"{IN_A}/events?limit=1")
        found = (await asked(served.app, IN_A)).document
        metrics = (await asked(served.app, "/metrics")).text
    assert (page.status, figures.status, first.status) == (409, 409, 200)
    assert page.fault.startswith("sim-3/w/A is damaged in 00000000000000000001.jsonl at byte ")
    assert [alarm["kind"] for alarm in found["alarms"]] == ["damaged", "crashed"]
    assert 'tickfold_alarm{exchange="sim-3",strategy="w",symbol="A",alarm="damaged"} 1' in metrics.splitlines()


async def test_metrics_say_what_the_journals_know(data: Path) -> None:
    async with serving(data) as served:
        answer = await asked(served.app, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if "age_seconds" not in line and not line.startswith("#")]
    a, b = 'exchange="sim-3",strategy="w",symbol="A"', 'exchange="sim-3",strategy="w",symbol="B/USDT"'
    actions = ("started", "scheduled", "opened", "cancelled", "closed", "rejected", "stopped")
    counted = {a: (1, 0, 2, 0, 2, 0, 0), b: (1, 0, 1, 0, 0, 0, 1)}
    ticks = {a: (2, 0, 4), b: (1, 0, 0)}
    assert lines == [
        'tickfold_build_info{version="9.9"} 1',
        "tickfold_streams 2",
        "tickfold_clients 0",
        *(f"tickfold_stream_head_seq{{{each}}} {seq}" for each, seq in ((a, 5), (b, 3))),
        *(f"tickfold_stream_held{{{each}}} 0" for each in (a, b)),
        *(f"tickfold_open_signals{{{each}}} {number}" for each, number in ((a, 0), (b, 1))),
        *(f"tickfold_waiting_signals{{{each}}} 0" for each in (a, b)),
        f"tickfold_unrealised_percent{{{b}}} {profit_and_loss('long', 100.0, 101.0, Costs()).percentage!r}",
        f'tickfold_alarm{{{a},alarm="crashed"}} 1',
        f'tickfold_alarm{{{b},alarm="unwatched"}} 1',
        *(
            f'tickfold_events_total{{{each},action="{action}"}} {number}'
            for each in (a, b)
            for action, number in zip(actions, counted[each], strict=True)
        ),
        *(
            f'tickfold_boundaries_total{{{each},state="{state}"}} {number}'
            for each in (a, b)
            for state, number in zip(("idle", "waiting", "active"), ticks[each], strict=True)
        ),
        *(f"tickfold_slots_missed_total{{{each}}} 0" for each in (a, b)),
        *(f"tickfold_stream_counted_seq{{{each}}} {seq}" for each, seq in ((a, 5), (b, 3))),
    ]


async def test_it_is_alive_at_once_and_ready_when_there_is_something_to_look_at(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert (await asked(served.app, "/healthz")).text == "ok\n"
        assert (await asked(served.app, "/readyz")).text == "ready\n"
        served.hub.streams.heads[A] = 5
        behind = await asked(served.app, "/readyz")
        assert (behind.status, behind.text) == (503, "1 streams are still being counted\n")
        del served.hub.streams.heads[A]
        served.hub.looked = False
        early = await asked(served.app, "/readyz")
        assert (early.status, early.text) == (503, "the data directory was not looked at yet, or is not there\n")


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("/api/streams?a=1", "there is no parameter 'a' here; there are: none"),
        (f"{IN_A}/events?limit=0", "limit is a whole number from 1 to 1000, not '0'"),
        (f"{IN_A}/events?limit=1001", "limit is a whole number from 1 to 1000, not '1001'"),
        (f"{IN_A}/events?after=-1", "after is a whole number from 0 to 9007199254740992, not '-1'"),
        (f"{IN_A}/events?after=%D9%A1", "after is a whole number from 0 to 9007199254740992, not '\\u0661'"),
        (f"{IN_A}/events?after={'9' * 5000}", f"after is a whole number from 0 to 9007199254740992, not '{'9' * 40}'"),
        (f"{IN_A}/events?after=1&after=2", "after may be given once, not 2 times"),
        (f"{IN_A}/report?format=pdf", "format is one of html, md, json, csv, not 'pdf'"),
        ("/api/report", "strategy is needed: The name of the strategy."),
        ("/api/report?strategy=", "strategy is empty: The name of the strategy."),
    ],
)
async def test_a_question_that_is_wrong_is_told_what_it_may_be(data: Path, target: str, fault: str) -> None:
    async with serving(data) as served:
        answer = await asked(served.app, target)
    assert (answer.status, answer.fault) == (400, fault)


async def test_a_name_that_several_share_is_no_name(tmp_path: Path) -> None:
    one, two = Stream("a/b", "c", "d"), Stream("a", "b/c", "d")
    for stream in (one, two):
        journals.written(tmp_path, stream, journals.story(stream, 0))
    async with serving(tmp_path) as served:
        shared = await asked(served.app, "/api/statistics?stream=a/b/c/d")
        alone = await asked(served.app, "/api/statistics?stream=a_2Fb~c~d")
        none = await asked(served.app, "/api/streams/x")
    assert (shared.status, shared.fault) == (404, "2 streams are called 'a/b/c/d': name it by its id")
    assert alone.status == 200
    assert (none.status, none.fault) == (404, "no stream 'x'; there are: a/b/c/d, a/b/c/d")


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.text(min_size=1)] * 3), min_size=1, max_size=5, unique=True))
def test_an_id_is_that_of_one_stream_and_needs_no_escape(names: list[tuple[str, str, str]]) -> None:
    try:
        streams = [Stream(*parts) for parts in names if "".join(parts).encode()]
    except UnicodeEncodeError:
        return
    ids = [id_of(stream) for stream in streams]
    assert [by_name(streams)[each] for each in ids] == [[stream] for stream in streams]
    assert not set("".join(ids)) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    assert json_shown("".join(ids)) == "".join(ids)
