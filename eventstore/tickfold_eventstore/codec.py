"""Events, headers and seals as the JSON that stands in a line, and back.

The line says an event's seq and when it was recorded, the segment's header its stream; the event repeats neither.
Everything is printable ASCII: what is not is written as a JSON escape. A number that JSON lacks is refused, for it
would come back as null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, cast, get_args, get_type_hints

import msgspec

from .events import Event, EventBase
from .record import ZERO_HASH
from .signals import Stream
from .upcasters import VERSIONS, upcast

FORMAT = "tickfold-journal"
VERSION = 1
HASH = "sha256-64"

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading JSON raises where it is not what was written: other fields, no text, nested without end."""

_ENVELOPE = ("seq", "recorded_at", "exchange", "strategy", "symbol")
_UNPRINTABLE = re.compile("[^\x20-\x7e]")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a segment: whose it is, and the hash of the line before it."""

    format: str
    version: int
    stream: dict[str, str]
    hash: str
    previous: str

    @property
    def names(self) -> Stream:
        return Stream(*(self.stream.get(part, "") for part in Stream._fields))


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of a segment: how many records are in it, and the SHA-256 of all bytes before this line."""

    count: int
    sha256: str


def encode_header(stream: Stream, previous: bytes) -> bytes:
    """The header of a segment whose first line follows the hash `previous`."""
    names = stream._asdict()
    return _ascii(Header(format=FORMAT, version=VERSION, stream=names, hash=HASH, previous=previous.decode()))


def decode_header(body: bytes) -> Header:
    """Raises one of `UNREADABLE` where it is none."""
    header = msgspec.json.decode(body, type=Header)
    if header.format != FORMAT or len(header.previous) != len(ZERO_HASH):
        raise msgspec.ValidationError(f"it is no header of a {FORMAT}")
    return header


def encode_seal(count: int, digest: str) -> bytes:
    """The seal of a segment."""
    return _ascii(Seal(count=count, sha256=digest))


def decode_seal(body: bytes) -> Seal:
    """Raises one of `UNREADABLE` where it is none."""
    return msgspec.json.decode(body, type=Seal)


def encode_events(events: Sequence[Event]) -> bytes:
    """The events of one record as a JSON array. Raises `ValueError` for a number that JSON lacks."""
    return _ascii([_stored(event) for event in events])


def decode_events(body: bytes, seq: int, t: int, stream: Stream) -> tuple[Event, ...]:
    """The events of a record whose last event is number `seq`; `t` in µs. Raises as `decode_told`."""
    told = decode_told(body)
    exchange, strategy, symbol = stream
    recorded_at = t // 1000
    first = seq - len(told) + 1
    events: list[Event] = []
    for place, each in enumerate(told):
        fields = msgspec.structs.asdict(each)
        del fields["v"]
        event = _KINDS[type(each)](
            seq=first + place,
            recorded_at=recorded_at,
            exchange=exchange,
            strategy=strategy,
            symbol=symbol,
            **fields,
        )
        events.append(event)
    return tuple(events)


def decode_told(body: bytes) -> list[msgspec.Struct]:
    """What a record says of its events, in today's shapes; the line and the header say the rest.

    Raises `Newer` where a later program wrote them, one of `UNREADABLE` where they are no events.
    """
    try:
        told = _TODAY.decode(body)
    except msgspec.ValidationError:
        told = msgspec.convert(
            [upcast(each) for each in msgspec.json.decode(body, type=list[dict[str, Any]])], list[_SHAPES]
        )
    if not told:
        raise msgspec.ValidationError("a record holds at least one event")
    return told


def _stored(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(event)
    for name in _ENVELOPE:
        del told[name]
    for value in _numbers(told):
        if not math.isfinite(value):
            raise ValueError(f"{event.stream}: event {event.seq} ({event.action}) holds {value}, which JSON lacks")
    return {"action": event.action, "v": VERSIONS[event.action], **told}


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for each in cast("dict[str, Any]", value).values():
            yield from _numbers(each)
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[Any]", value):
            yield from _numbers(each)


def _ascii(value: object) -> bytes:
    """`value` as compact JSON in printable ASCII. Whatever is not stands inside a string, where an escape may stand."""
    raw = msgspec.json.encode(value)
    if raw.isascii() and b"\x7f" not in raw:
        return raw
    return _UNPRINTABLE.sub(_escape, raw.decode()).encode("ascii")


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[place : place + 2]):04x}" for place in range(0, len(units), 2))


# What an event looks like in the file: its class without the envelope, strict, in the version that is written today.


def _shape(kind: type[EventBase]) -> type[msgspec.Struct]:
    hints = get_type_hints(kind)
    fields: list[Any] = [("v", Literal[VERSIONS[kind.action]])]
    for field in msgspec.structs.fields(kind):
        if field.name not in _ENVELOPE:
            rest = () if field.required else (field.default,)
            fields.append((field.name, hints[field.name], *rest))
    return msgspec.defstruct(
        kind.__name__, fields, tag=kind.action, tag_field="action", forbid_unknown_fields=True, kw_only=True
    )


def _any_of(shapes: Iterable[Any]) -> Any:
    first, *others = shapes
    for shape in others:
        first = first | shape
    return first


_KINDS: dict[type, type[Event]] = {_shape(kind): kind for kind in get_args(Event)}
_SHAPES: Any = _any_of(_KINDS)
_TODAY: msgspec.json.Decoder[list[msgspec.Struct]] = msgspec.json.Decoder(list[_SHAPES])
