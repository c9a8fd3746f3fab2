"""Each route as data: what may be asked, what each parameter may be, what the answer looks like.

The router and /openapi.json are made from the same table, so neither knows a route or a parameter that the other does
not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
import msgspec

from tickfold_eventstore.events import Event

from ..statistics import Statistics
from .glance import Glance, StateName

LONGEST_PAGE = 1000
"""Events that one answer may hold."""

_LATEST = 1 << 53


class StateAfter(msgspec.Struct, frozen=True):
    """What is alive after an event: `state_seq` is the seq of the event that says so, 0 where nothing is."""

    state: StateName
    state_seq: int


class StreamList(msgspec.Struct, frozen=True):
    """Every stream at a glance. `now` is the server's time (ms), `position` what to give as `Last-Event-ID` to go on
    from here; `ready`: all of the data directory was looked at.
    """

    now: int
    ready: bool
    position: str
    streams: tuple[Glance, ...]


class EventPage(msgspec.Struct, frozen=True):
    """Events in the order of their seq, and beside each what is alive after it. `next`: what to give as `after` for the
    next page, null where there is none yet. `head`: the last event there is.
    """

    stream: str
    events: tuple[Event, ...]
    states: tuple[StateAfter, ...]
    head: int
    next: int | None


class StateAt(msgspec.Struct, frozen=True):
    """The state of a stream after event `seq`. `event` is the one that says what is alive, null where nothing is."""

    stream: str
    seq: int
    at: int | None
    state: StateName
    state_seq: int
    event: Event | None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, in words."""

    error: str


@attrs.frozen
class Parameter:
    """Something that may be given once (or, `many`, several times) in the query, or must be in the path."""

    name: str
    text: str
    kind: Literal["integer", "string"] = "string"
    least: int = 0
    most: int = _LATEST
    one_of: tuple[str, ...] = ()
    default: str | int | None = None
    many: bool = False
    needed: bool = False

    def schema(self) -> dict[str, Any]:
        """What it may be, as OpenAPI says it."""
        value: dict[str, Any] = {"type": self.kind}
        if self.kind == "integer":
            value |= {"minimum": self.least, "maximum": self.most}
        elif self.one_of:
            value |= {"enum": list(self.one_of)}
        else:
            value |= {"minLength": 1}
        if self.default is not None:
            value |= {"default": self.default}
        return {"type": "array", "items": value} if self.many else value

    def read(self, given: Sequence[str]) -> Any:
        """What was given, judged; raises `ValueError`, which says what it may be."""
        if self.many:
            return [self._read(text) for text in given]
        if len(given) > 1:
            raise ValueError(f"{self.name} may be given once, not {len(given)} times")
        if not given and self.needed:
            raise ValueError(f"{self.name} is needed: {self.text}")
        return self._read(given[0]) if given else self.default

    def _read(self, text: str) -> str | int:
        if self.kind == "integer":
            plain = text.isascii() and text.isdigit() and len(text) <= len(str(_LATEST))
            if not plain or not self.least <= int(text) <= self.most:
                raise ValueError(f"{self.name} is a whole number from {self.least} to {self.most}, not {text[:40]!a}")
            return int(text)
        if self.one_of and text not in self.one_of:
            raise ValueError(f"{self.name} is one of {', '.join(self.one_of)}, not {text[:40]!a}")
        if not text:
            raise ValueError(f"{self.name} is empty: {self.text}")
        return text


@attrs.frozen
class Question:
    """A route: its path, what it is for, its parameters, and its answer: a type as JSON, or a medium."""

    path: str
    name: str
    text: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()

    def read(self, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The parameters of a query. Raises `ValueError` for one that is wrong, or that there is not."""
        known = {each.name: each for each in self.parameters}
        for name in given:
            if name not in known:
                raise ValueError(f"there is no parameter {name[:40]!a} here; there are: {', '.join(known) or 'none'}")
        return {name: each.read(given.get(name, ())) for name, each in known.items()}


STREAM = Parameter("stream", "Only this stream: its id, or exchange/strategy/symbol; may be repeated.", many=True)
_BOUNDS = (
    Parameter("from", "Only events with an at from this time (ms) on.", "integer"),
    Parameter("to", "Only events with an at before this time (ms).", "integer"),
)
_FORM = Parameter("format", "What to make of it.", one_of=("html", "md", "json", "csv"), default="html")

QUESTIONS = (
    Question("/api/streams", "streams", "Every stream at a glance.", StreamList),
    Question("/api/streams/{id}", "stream", "One stream at a glance.", Glance, (), (404,)),
    Question(
        "/api/streams/{id}/state",
        "state",
        "What was alive after event seq, or at a time; without either, what is alive now.",
        StateAt,
        (
            Parameter("seq", "The number of the event.", "integer"),
            Parameter("at", "A time (ms): events with an at up to it are taken in.", "integer"),
        ),
        (404, 409),
    ),
    Question(
        "/api/streams/{id}/events",
        "events_of_stream",
        "A page of a stream's events, oldest first, with the state after each.",
        EventPage,
        (
            Parameter("after", "Begin behind this event.", "integer", default=0),
            Parameter("limit", "At most so many.", "integer", least=1, most=LONGEST_PAGE, default=100),
        ),
        (404, 409),
    ),
    Question(
        "/api/streams/{id}/statistics", "statistics_of_stream", "Its figures.", Statistics, _BOUNDS, (404, 409, 503)
    ),
    Question(
        "/api/streams/{id}/report", "report_of_stream", "Its report.", "report", (_FORM, *_BOUNDS), (404, 409, 413, 503)
    ),
    Question(
        "/api/statistics", "statistics", "Figures of streams together.", Statistics, (STREAM, *_BOUNDS), (404, 409, 503)
    ),
    Question(
        "/api/report",
        "report",
        "The report of a strategy.",
        "report",
        (
            Parameter("strategy", "The name of the strategy.", needed=True),
            _FORM,
            *_BOUNDS,
        ),
        (404, 409, 413, 503),
    ),
    Question(
        "/api/events",
        "events",
        "The events as they come (SSE): data is the flat event, id the position behind it. With Last-Event-ID it goes "
        "on from there; without, it begins at the first event.",
        "text/event-stream",
        (STREAM,),
        (404, 409),
    ),
    Question("/openapi.json", "openapi", "This description.", "application/json"),
    Question("/healthz", "healthz", "Whether the server runs.", "text/plain"),
    Question(
        "/readyz", "readyz", "Whether all of the data directory was looked at and counted.", "text/plain", (), (503,)
    ),
    Question("/metrics", "metrics", "Figures for Prometheus.", "text/plain"),
)
"""Every route but the page's own."""
