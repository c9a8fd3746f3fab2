"""What each question is answered with."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import attrs
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tickfold_eventstore.errors import CorruptJournal, NewerFormat, StreamNotFound
from tickfold_eventstore.events import Event, Opened, Scheduled
from tickfold_eventstore.signals import Stream

from ..active_signal import IllegalTransition, alive_after
from ..confluence import position_of, position_text
from ..notation import json_shown, shown
from . import metrics
from .accounts import MEDIA, Accounts, Form, TooBusy, TooLong
from .events import MOST_STREAMS, EventStream, Frames, beyond
from .gate import fault
from .glance import Glance, StateName, glance, lost
from .hub import Hub
from .names import by_name, id_of
from .openapi import openapi
from .page import File, files, policy_of_page, policy_of_report
from .questions import QUESTIONS, EventPage, Question, StateAfter, StateAt, StreamList
from .tally import Tally

Answer = Callable[[Request, dict[str, Any]], Awaitable[ASGIApp]]


@attrs.define
class Desk:
    """Answers questions about a hub's streams. `version` is that of the program, for /metrics and /openapi.json."""

    hub: Hub
    tally: Tally
    version: str
    accounts: Accounts = attrs.Factory(lambda self: Accounts(self.hub), takes_self=True)
    frames: Frames = attrs.Factory(lambda self: Frames(self.hub), takes_self=True)

    def app(self) -> Starlette:
        """All routes, and those of the page."""
        page, policy = files(), policy_of_page()
        routes = [Route(question.path, _asked(question, getattr(self, question.name))) for question in QUESTIONS]
        routes += [Route("/", _sent(page["index.html"], policy))]
        routes += [Route(f"/static/{name}", _sent(file, policy)) for name, file in page.items() if name != "index.html"]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _said, Exception: _failed})
        app.router.redirect_slashes = False
        return app

    async def streams(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams"""
        glances = await self._glances(sorted(self.hub.streams.heads))
        position = position_text({stream: head for stream, head in self.hub.streams.heads.items() if head})
        return _json(StreamList(_now(), self.hub.looked, position, tuple(glances)))

    async def stream(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams/{id}"""
        return _json((await self._glances([self._stream(request)]))[0])

    async def state(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams/{id}/state"""
        stream, seq, at = self._stream(request), given["seq"], given["at"]
        if seq is not None and at is not None:
            raise HTTPException(400, "seq and at both say when: give one of them")
        if at is not None:
            seq = await self.hub.ask(self.hub.streams.before, stream, at + 1)
        head = self.hub.streams.heads.get(stream, 0)
        seq = head if seq is None else seq
        if seq > head:
            raise HTTPException(404, f"{stream} has no event {seq}: it ends at event {head}")
        return _json(await self.hub.ask(self._state_at, stream, seq))

    async def events_of_stream(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams/{id}/events"""
        return _json(await self.hub.ask(self._page, self._stream(request), given["after"], given["limit"]))

    async def statistics_of_stream(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams/{id}/statistics"""
        return _encoded(await self.accounts.statistics((self._stream(request),), given["from"], given["to"]))

    async def statistics(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/statistics"""
        told = tuple(self._chosen(given["stream"]) or self.hub.streams.heads)
        return _encoded(await self.accounts.statistics(told, given["from"], given["to"]))

    async def report_of_stream(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/streams/{id}/report"""
        return await self._report((self._stream(request),), given)

    async def report(self, request: Request, given: dict[str, Any]) -> Response:
        """/api/report"""
        name = given["strategy"]
        streams = tuple(stream for stream in self.hub.streams.heads if stream.strategy == name)
        if not streams:
            known = sorted({stream.strategy for stream in self.hub.streams.heads})
            raise HTTPException(404, f"no journal of a strategy {name!r}; there are: {', '.join(known) or 'none'}")
        return await self._report(streams, given)

    async def events(self, request: Request, given: dict[str, Any]) -> ASGIApp:
        """/api/events"""
        among = frozenset(self._chosen(given["stream"])) or None
        heads = self.hub.streams.heads
        selected = [stream for stream in heads if among is None or stream in among]
        if len(selected) > MOST_STREAMS:
            raise HTTPException(400, f"that are {len(selected)} streams: select up to {MOST_STREAMS} with ?stream=")
        try:
            position = position_of(request.headers.get("last-event-id", ""), selected)
        except ValueError as error:
            raise HTTPException(400, f"Last-Event-ID: {error}") from error
        if gone := beyond(position, heads):
            told = ", ".join(f"event {seq} of {stream}" for stream, seq in gone)
            raise HTTPException(409, f"{told}: not in the journal, which is another one or was restored; begin again")
        return EventStream(self.hub, self.frames, position_text(position), among)

    async def openapi(self, request: Request, given: dict[str, Any]) -> Response:
        """/openapi.json"""
        return _json(openapi(self.version))

    async def healthz(self, request: Request, given: dict[str, Any]) -> Response:
        """/healthz"""
        return _plain("ok\n")

    async def readyz(self, request: Request, given: dict[str, Any]) -> Response:
        """/readyz"""
        if not self.hub.looked:
            return _plain("the data directory was not looked at yet, or is not there\n", 503)
        behind = self.tally.behind()
        return _plain(f"{len(behind)} streams are still being counted\n", 503) if behind else _plain("ready\n")

    async def metrics(self, request: Request, given: dict[str, Any]) -> Response:
        """/metrics"""
        known = sorted(self.hub.streams.heads)
        glances = await self._glances(known)
        counts = [
            (each, self.tally.counts[s]) for s, each in zip(known, glances, strict=True) if s in self.tally.counts
        ]
        own = [
            metrics.Metric("tickfold_build_info", "gauge", "The program.", [({"version": self.version}, 1.0)]),
            metrics.Metric("tickfold_streams", "gauge", "Streams there are.", [({}, float(len(known)))]),
            metrics.Metric("tickfold_clients", "gauge", "Who follows the events.", [({}, float(self.hub.clients))]),
        ]
        told = [*own, *metrics.stream_metrics(glances, _now()), *metrics.count_metrics(counts)]
        return Response(metrics.exposition(told), headers={"cache-control": "no-store"}, media_type=metrics.MEDIA)

    async def _glances(self, streams: Iterable[Stream]) -> list[Glance]:
        return await self.hub.ask(lambda: [self._glance(stream) for stream in streams])

    def _glance(self, stream: Stream) -> Glance:
        streams = self.hub.streams
        error = streams.faults.get(stream)
        try:
            return glance(streams.reader(stream), streams.heads.get(stream, 0), error)
        except StreamNotFound as gone:
            return lost(stream, gone)

    def _stream(self, request: Request) -> Stream:
        return self._chosen([request.path_params["id"]])[0]

    def _chosen(self, names: list[str]) -> list[Stream]:
        """The streams that texts name, each once. Raises `HTTPException` for one that names none, or several."""
        known = by_name(self.hub.streams.heads)
        chosen: dict[Stream, None] = {}
        for text in names:
            found = known.get(text, [])
            if len(found) > 1:
                raise HTTPException(404, f"{len(found)} streams are called {text!r}: name it by its id")
            if not found:
                there = ", ".join(map(str, list(self.hub.streams.heads)[:20])) or "none"
                raise HTTPException(404, f"no stream {text[:200]!r}; there are: {there}")
            chosen[found[0]] = None
        return list(chosen)

    def _page(self, stream: Stream, after: int, limit: int) -> EventPage:
        streams = self.hub.streams
        events = tuple(streams.of(stream, after, limit))
        seen = {event.seq: event for event in events}
        head, last = streams.heads[stream], events[-1].seq if events else after
        states = tuple(self._state_after(stream, event, seen) for event in events)
        return EventPage(id_of(stream), events, states, head, last if last < head else None)

    def _state_at(self, stream: Stream, seq: int) -> StateAt:
        events = self.hub.streams.of(stream, seq - 1, 1) if seq else []
        if not events:
            return StateAt(id_of(stream), 0, None, "flat", 0, None)
        after = self._state_after(stream, events[0], {seq: events[0]})
        saying = self.hub.streams.of(stream, after.state_seq - 1, 1)[0] if after.state_seq else None
        return StateAt(id_of(stream), seq, events[0].at, after.state, after.state_seq, saying)

    def _state_after(self, stream: Stream, event: Event, seen: dict[int, Event]) -> StateAfter:
        """An event says by itself which event says what is alive after it."""
        seq = alive_after(event)
        if not seq:
            return StateAfter("flat", 0)
        saying = seen.get(seq) or self.hub.streams.of(stream, seq - 1, 1)[0]
        seen[seq] = saying
        return StateAfter(_began_by(saying), seq)

    async def _report(self, streams: tuple[Stream, ...], given: dict[str, Any]) -> Response:
        form: Form = given["format"]
        made = await self.accounts.report(streams, form, given["from"], given["to"])
        headers = {"cache-control": "no-store"}
        if form == "html":
            headers["content-security-policy"] = policy_of_report(made.decode())
        return Response(made, headers=headers, media_type=MEDIA[form])


def _asked(question: Question, answer: Answer) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The endpoint of a question: its parameters judged, and what may go wrong said in words."""

    async def endpoint(request: Request) -> ASGIApp:
        given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            given.setdefault(name, []).append(value)
        try:
            return await answer(request, question.read(given))
        except ValueError as error:
            return fault(400, shown(str(error)))
        except (CorruptJournal, NewerFormat, IllegalTransition) as error:
            return fault(409, shown(str(error)))
        except TooLong as error:
            return fault(413, str(error))
        except TooBusy as error:
            return fault(503, str(error), {"retry-after": "5"})

    return endpoint


def _sent(file: File, policy: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        headers = {"etag": file.tag, "cache-control": "no-cache", "content-security-policy": policy}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.medium)

    return endpoint


async def _said(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.detail == "Not Found":
        return fault(404, "there is nothing at this path: see /openapi.json")
    return fault(error.status_code, shown(error.detail))


async def _failed(_request: Request, _error: Exception) -> Response:
    return fault(500, "something went wrong here: the log of the server says what")


def _began_by(event: Event) -> StateName:
    """What an event that says what is alive begins."""
    match event:
        case Scheduled():
            return "waiting"
        case Opened():
            return "active"
        case _:
            raise ValueError(f"{event.stream}: event {event.seq} ({event.action}) begins no state")


def _json(value: object) -> Response:
    return _encoded(msgspec.json.encode(value))


def _encoded(value: bytes) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(json_shown(value.decode()), headers=headers, media_type="application/json")


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, {"cache-control": "no-store"}, "text/plain; charset=utf-8")


def _now() -> int:
    return time.time_ns() // 1_000_000
