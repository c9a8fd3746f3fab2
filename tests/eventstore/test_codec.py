"""Events are printable ASCII in the file and the same bits when they come back; what is unknown is never skipped."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.eventstore.samples import AT, KINDS, STREAM, WAITING, event
from tickfold_eventstore import (
    AcceptedSignal,
    Cancelled,
    Closed,
    Event,
    Opened,
    ProfitAndLoss,
    RefusedProposal,
    Rejected,
    Scheduled,
    Started,
    Stopped,
    Stream,
    Ticks,
)
from tickfold_eventstore.codec import (
    decode_events,
    decode_header,
    decode_seal,
    encode_events,
    encode_header,
    encode_seal,
)
from tickfold_eventstore.upcasters import Newer

PRINTABLE = re.compile(rb"[\x20-\x7e]*")

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text()
times = st.integers(0, 1 << 50)
signals = st.builds(
    AcceptedSignal,
    id=texts,
    position=st.sampled_from(["long", "short"]),
    entry=numbers,
    take_profit=numbers,
    stop_loss=numbers,
    lifetime_minutes=st.integers(1, 1440),
    note=texts,
    scheduled_at=st.none() | times,
    opened_at=st.none() | times,
)
_asked = st.none() | numbers | texts
_where: dict[str, Any] = {
    "seq": st.just(9),
    "at": times,
    "recorded_at": st.just(AT),
    **{name: st.just(part) for name, part in STREAM._asdict().items()},
    "ticks": st.none() | st.builds(Ticks, idle=times, waiting=times, active=times, missed=times),
}
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Started,
        **_where,
        version=texts,
        config_hash=texts,
        strategy_hash=texts,
        state_seq=times,
        recovered=st.none() | texts,
    ),
    st.builds(Scheduled, **_where, signal=signals),
    st.builds(Opened, **_where, signal=signals, price=numbers),
    st.builds(
        Cancelled, **_where, signal=signals, reason=st.sampled_from(["timeout", "price_rejected", "stopped", "user"])
    ),
    st.builds(
        Closed,
        **_where,
        signal=signals,
        price=numbers,
        reason=st.sampled_from(["take_profit", "stop_loss", "time_expired"]),
        pnl=st.builds(ProfitAndLoss, percentage=numbers, entry=numbers, exit=numbers),
    ),
    st.builds(
        Rejected,
        **_where,
        proposal=st.builds(
            RefusedProposal,
            position=texts,
            entry=_asked,
            take_profit=_asked,
            stop_loss=_asked,
            lifetime_minutes=_asked,
            note=texts,
        ),
        reasons=st.lists(texts).map(tuple),
    ),
    st.builds(Stopped, **_where, reason=texts, price=st.none() | numbers, state_seq=times),
)


def read(body: bytes, seq: int = 1) -> tuple[Event, ...]:
    return decode_events(body, seq, AT * 1000, STREAM)


@given(events)
def test_every_event_comes_back_bit_for_bit(given_event: Event) -> None:
    body = encode_events([given_event])
    assert PRINTABLE.fullmatch(body)
    back = read(body, 9)
    assert back == (given_event,)
    assert repr(back[0]) == repr(given_event)  # == takes -0.0 for 0.0
    assert encode_events(back) == body


@pytest.mark.parametrize("one", KINDS, ids=lambda one: one.action)
def test_every_kind_is_there_with_its_tag_and_version(one: Event) -> None:
    (stored,) = msgspec.json.decode(encode_events([one]))
    assert (stored["action"], stored["v"], stored["at"]) == (one.action, 1, AT)
    assert not {"seq", "recorded_at", "exchange", "strategy", "symbol"} & stored.keys()


def test_a_record_of_many_events_is_numbered_back_from_its_seq() -> None:
    again = [msgspec.structs.replace(each, recorded_at=AT) for each in KINDS]
    assert read(encode_events(again), 7) == tuple(again)


def test_text_is_escaped_as_JSON_does() -> None:
    body = encode_events([msgspec.structs.replace(event(1), reason='é\x7f\u2028\U0001f680"\n')])
    assert b'"reason":"\\u00e9\\u007f\\u2028\\ud83d\\ude80\\"\\n"' in body


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", ["entry", "take_profit", "stop_loss"])
def test_a_number_that_JSON_lacks_is_refused(field: str, number: float) -> None:
    signal = msgspec.structs.replace(WAITING, **{field: number})
    one = Scheduled(seq=3, at=AT, recorded_at=AT, **STREAM._asdict(), signal=signal)
    with pytest.raises(ValueError, match=f"event 3 .scheduled. holds {number}, which JSON lacks"):
        encode_events([one])


STOPPED = '{"action":"stopped","v":1,"at":1,"reason":"r","price":null,"state_seq":0}'


def test_what_the_wrong_ones_below_are_made_from_is_right() -> None:
    assert read(f"[{STOPPED}]".encode()) == (
        Stopped(seq=1, at=1, recorded_at=AT, **STREAM._asdict(), reason="r", price=None, state_seq=0),
    )


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"stopped"', '"paused"', "an event 'paused'"),
        ('"v":1', '"v":2', "version 2 of the event 'stopped'"),
        ('"v":1', '"v":"1"', "version 1 of the event 'stopped'"),
        ('"v":1,', "", "version None of the event 'stopped'"),
        ('"action":"stopped",', "", "an event 'None'"),
    ],
)
def test_an_action_or_version_that_is_not_known_is_of_a_later_program(old: str, new: str, what: str) -> None:
    with pytest.raises(Newer) as raised:
        read(f"[{STOPPED.replace(old, new)}]".encode())
    assert raised.value.what == what


@pytest.mark.parametrize(
    "body",
    [
        "[" + STOPPED.replace("}", ',"more":1}') + "]",
        "[" + STOPPED.replace('"at":1,', "") + "]",
        "[" + STOPPED.replace('"price":null', '"price":"1"') + "]",
        STOPPED,
        "[" + STOPPED.replace('"v":1', '"v":0') + "]",
        "[]",
        "[1]",
        "[",
        "",
    ],
)
def test_a_field_too_many_too_few_or_of_another_type_is_no_event(body: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read(body.encode())


@given(st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)))
def test_a_header_names_its_stream_in_any_script(names: tuple[str, str, str]) -> None:
    body = encode_header(Stream(*names), b"0123456789abcdef")
    assert PRINTABLE.fullmatch(body)
    header = decode_header(body)
    assert (header.names, header.previous, header.version) == (Stream(*names), "0123456789abcdef", 1)


def test_a_header_is_written_as_the_page_says() -> None:
    assert encode_header(STREAM, b"0" * 16) == (
        b'{"format":"tickfold-journal","version":1,"stream":{"exchange":"sim-3","strategy":"w","symbol":"A"},'
        b'"hash":"sha256-64","previous":"0000000000000000"}'
    )


@pytest.mark.parametrize(
    ("old", "new"), [(b"tickfold-journal", b"another-journal"), (b'"0000000000000000"', b'"00"'), (b"{", b"[")]
)
def test_another_header_is_none(old: bytes, new: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_header(encode_header(STREAM, b"0" * 16).replace(old, new))


def test_a_seal_counts_and_digests() -> None:
    body = encode_seal(3, "ab" * 32)
    assert body == b'{"count":3,"sha256":"' + b"ab" * 32 + b'"}'
    seal = decode_seal(body)
    assert (seal.count, seal.sha256) == (3, "ab" * 32)
