"""The events as SSE: each once and in order, whatever connection is lost and when, and a client is no burden."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from tests.web import journals
from tests.web.asking import Frame, asked, listening, serving
from tests.web.journals import AT, MINUTE, SMALL, A, B
from tickfold_eventstore import Event, Store
from tickfold_projections.confluence import position_text
from tickfold_projections.web import events as events_module

pytestmark = pytest.mark.anyio


def told(events: list[Event]) -> list[dict[str, Any]]:
    ordered = sorted(events, key=lambda event: (event.at, event.recorded_at, event.stream, event.seq))
    return [msgspec.to_builtins(event) for event in ordered]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    journals.written(tmp_path, A, journals.story(A, 6), SMALL)
    journals.written(tmp_path, B, journals.story(B, 4, first_at=AT + MINUTE), SMALL)
    return tmp_path


ALL = [*journals.story(A, 6), *journals.story(B, 4, first_at=AT + MINUTE)]


async def test_without_a_position_it_begins_at_the_first_event_and_goes_on_with_what_comes(data: Path) -> None:
    async with serving(data, layout=SMALL) as served, listening(served.app) as client:
        frames = await client.frames(22)
        assert [frame.data for frame in frames] == told(ALL)
        assert frames[-1].id == position_text({A: 13, B: 9})
        into = journals.journal(data, B, SMALL)
        more: list[Event] = [journals.stopped(B, 10, AT + 90 * MINUTE)]
        journals.append(into, more)
        new = A._replace(symbol="new")
        (frame,) = await client.frames(1)
        assert (frame.data, frame.id) == (told(more)[0], position_text({A: 13, B: 10}))
        journals.written(data, new, journals.story(new, 0, first_at=AT), SMALL)
        (frame,) = await client.frames(1)
        assert frame.id == position_text({A: 13, B: 10, new: 1})
        into.close()


async def test_a_client_that_is_lost_anywhere_and_comes_back_misses_nothing_and_gets_nothing_twice(data: Path) -> None:
    for seed in range(12):
        chance, seen, last = random.Random(seed), list[Frame](), ""
        while len(seen) < 22:
            # Another server each time: a position is worth something beyond the process that handed it out.
            async with serving(data, layout=SMALL) as served:
                headers = {"last_event_id": last} if last else {}
                async with listening(served.app, **headers) as client:
                    seen += await client.frames(min(chance.randint(1, 9), 22 - len(seen)))
                    last = seen[-1].id
        assert [frame.data for frame in seen] == told(ALL), seed


async def test_the_position_of_the_list_of_streams_goes_on_from_there(data: Path) -> None:
    async with serving(data, layout=SMALL) as served:
        position = (await asked(served.app, "/api/streams")).document["position"]
        async with listening(served.app, last_event_id=position) as client:
            into = journals.journal(data, A, SMALL)
            more: list[Event] = [journals.stopped(A, 14, AT + 90 * MINUTE)]
            journals.append(into, more)
            into.close()
            assert [frame.data for frame in await client.frames(1)] == told(more)


async def test_only_what_is_selected_comes(data: Path) -> None:
    async with serving(data, layout=SMALL) as served:
        async with listening(served.app, "/api/events?stream=sim-3~w~B_2FUSDT") as client:
            frames = await client.frames(9)
            assert [frame.data for frame in frames] == told(ALL[13:])
            assert frames[-1].id == position_text({B: 9})
        # A position in more streams than are selected says nothing of the others, and is not carried on.
        position = position_text({A: 3, B: 8})
        async with listening(served.app, "/api/events?stream=sim-3/w/B/USDT", last_event_id=position) as client:
            assert [frame.id for frame in await client.frames(1)] == [position_text({B: 9})]
        unknown = await asked(served.app, "/api/events?stream=x")
        assert (unknown.status, unknown.fault) == (404, "no stream 'x'; there are: sim-3/w/A, sim-3/w/B/USDT")


async def test_a_position_that_cannot_be_gone_on_from_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(data, layout=SMALL) as served:
        odd = await asked(served.app, "/api/events", last_event_id="17")
        beyond = await asked(served.app, "/api/events", last_event_id=position_text({A: 14, B: 2}))
        monkeypatch.setattr("tickfold_projections.web.routes.MOST_STREAMS", 1)
        many = await asked(served.app, "/api/events")
    assert (odd.status, odd.fault) == (400, "Last-Event-ID: it is no position that was handed out here")
    assert (beyond.status, beyond.fault) == (
        409,
        "event 14 of sim-3/w/A: not in the journal, which is another one or was restored; begin again",
    )
    assert (many.status, many.fault) == (400, "that are 2 streams: select up to 1 with ?stream=")


async def test_a_stream_that_is_damaged_is_told_as_that_and_the_others_go_on(data: Path) -> None:
    segment = Path(Store(data).folder(A).path) / "00000000000000000001.jsonl"
    segment.write_text(segment.read_text().replace('"idle":1', '"idle":7', 1))
    async with serving(data, layout=SMALL) as served, listening(served.app) as client:
        frames = await client.frames(11)
    (fault,) = (frame for frame in frames if frame.kind == "fault")
    assert (fault.id, fault.data["stream"]) == ("", "sim-3~w~A")
    assert fault.data["error"].startswith("sim-3/w/A is damaged in 00000000000000000001.jsonl at byte ")
    assert [frame.data for frame in frames if frame is not fault] == told([*ALL[:1], *ALL[13:]])


async def test_asking_for_the_head_of_the_stream_ends(data: Path) -> None:
    async with serving(data, layout=SMALL) as served:
        answer = await asked(served.app, "/api/events", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_client_that_takes_nothing_costs_a_piece_and_is_let_go(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "PATIENCE_S", 0.2)
    monkeypatch.setattr(events_module, "_CHUNK", 1)
    made: list[str] = []
    make = events_module.Frames._make

    def counted(self: events_module.Frames, position: str, among: Any) -> tuple[bytes, str]:
        made.append(position)
        return make(self, position, among)

    monkeypatch.setattr(events_module.Frames, "_make", counted)
    async with serving(data, layout=SMALL) as served, listening(served.app) as slow:
        await slow.piece()
        await slow.piece()
        # It takes no more: behind the piece that waits for it, none is made, and it is gone after its time.
        with anyio.fail_after(20):
            while served.hub.clients:
                await anyio.sleep(0.01)
        assert len(made) == 2
        async with listening(served.app) as other:
            assert len(await other.frames(22)) == 22


async def test_clients_at_one_place_are_read_for_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    make = events_module.Frames._make

    def counted(self: events_module.Frames, position: str, among: Any) -> tuple[bytes, str]:
        made.append((position, self._hub.version))
        return make(self, position, among)

    monkeypatch.setattr(events_module.Frames, "_make", counted)
    async with serving(data, layout=SMALL) as served, listening(served.app) as one, listening(served.app) as two:
        assert await one.frames(22) == await two.frames(22)
    assert len(made) == len(set(made))


async def test_a_heartbeat_comes_where_nothing_happens(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "HEARTBEAT_S", 0.05)
    async with serving(data, layout=SMALL) as served:
        position = (await asked(served.app, "/api/streams")).document["position"]
        async with listening(served.app, last_event_id=position) as client:
            assert [await client.piece() for _ in range(3)] == [b"retry: 1000\n\n", *[b": nothing new\n\n"] * 2]


async def test_whoever_follows_is_let_go_when_the_server_closes(data: Path) -> None:
    async with serving(data, layout=SMALL) as served, listening(served.app) as client:
        await client.frames(22)
        assert served.hub.clients == 1
        served.hub.close()
        with pytest.raises(anyio.EndOfStream):
            while True:
                await client.piece()
        assert served.hub.clients == 0


async def test_text_from_the_journal_ends_no_frame_and_forges_none(tmp_path: Path) -> None:
    hostile = 'x\n\nid: 1\ndata: {"forged":true}\r\rdata: y\u2028\u2029\x85\x00\x1b[31m'
    events = journals.story(A, 1, note=hostile)
    journals.written(tmp_path, A, events)
    async with serving(tmp_path) as served, listening(served.app) as client:
        assert [frame.data for frame in await client.frames(3)] == told(events)
        page = await asked(served.app, "/api/streams/sim-3~w~A/events")
    assert page.document["events"] == told(events)
    assert not {"\n", "\r", "\x1b", "\u2028", "\x85", "\x00"} & set(page.text)
