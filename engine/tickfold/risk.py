"""Risk rules: how much may be alive at once, over all streams whose strategies name the rule. Pure.

A `Book` is a fold over those streams' events. It answers *as of a slot*, so a stream that has gone on ahead of another
changes nothing: what counts is what was alive at that slot, whatever has become of it since.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any

import attrs

from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Scheduled
from tickfold_eventstore.signals import AcceptedSignal, Stream

from .errors import DeclarationError
from .proposal import Signal, shown
from .registry import Registry

DAY_MS = 86_400_000


@attrs.frozen
class Alive:
    """A signal that is scheduled or open, and where."""

    stream: Stream
    signal: AcceptedSignal


@attrs.frozen
class Request:
    """What a rule judges: a proposal without faults, and what else is alive under the rule, in the order of streams.

    `at` is the slot in ms, `price` the level that it waits for or the price that it opens at.
    """

    stream: Stream
    at: int
    price: float
    proposal: Signal
    alive: tuple[Alive, ...]


Validator = Callable[[Request], str | None]
"""Says why a proposal may not be taken, or None."""


def _symbols(given: Iterable[str]) -> frozenset[str]:
    return frozenset(given)


@attrs.frozen
class RiskGroup:
    """Symbols that move together, and how many signals in them may be alive at once."""

    symbols: frozenset[str] = attrs.field(converter=_symbols)
    max_open: int = attrs.field()


def _milliseconds(value: timedelta | int) -> int:
    return value // timedelta(milliseconds=1) if isinstance(value, timedelta) else value


def _limit(instance: Risk, attribute: attrs.Attribute[Any], value: object) -> None:
    """A limit is a finite number from 0 up; a falsy one is off."""
    if value is None or value is False:
        return
    if value is True or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise DeclarationError(f"risk rule {instance.name!r}: {attribute.name} is {value!r}, not a number from 0 up")


def _validators(given: Iterable[Validator]) -> tuple[Validator, ...]:
    return tuple(given)


RISKS: Registry[Risk] = Registry("risk rule")


@attrs.frozen(eq=False)
class Risk:
    """A rule, registered under its name when it is made; a strategy names it: `@strategy(..., risk="one")`.

    It counts what is scheduled or open in all streams of the run whose strategies name it. Limits of 0 or None are off:
    `max_open` signals in all, `max_per_symbol` of them in one symbol, `max_daily_loss` percent summed over what closed
    since midnight UTC, `cooldown` (timedelta or ms) in which a symbol rests after a signal in it closed, `groups` of
    symbols with limits of their own. Each of `validators` gets a `Request` and returns a reason to refuse, or None; one
    that raises refuses. Raises `DeclarationError`.
    """

    name: str
    max_open: int | None = attrs.field(default=None, validator=_limit, kw_only=True)
    max_per_symbol: int | None = attrs.field(default=None, validator=_limit, kw_only=True)
    max_daily_loss: float | None = attrs.field(default=None, validator=_limit, kw_only=True)
    cooldown: int = attrs.field(default=0, converter=_milliseconds, validator=_limit, kw_only=True)
    groups: Mapping[str, RiskGroup] = attrs.field(factory=dict[str, RiskGroup], kw_only=True)
    validators: Sequence[Validator] = attrs.field(default=(), converter=_validators, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.name:
            raise DeclarationError("a risk rule needs a name")
        RISKS.add(self.name, self)

    @property
    def looks_back(self) -> bool:
        """Whether signals that have ended still count."""
        return bool(self.max_daily_loss or self.cooldown)

    def counts_from(self, slot: int) -> int:
        """The time (ms) from which on a signal's end still matters at `slot`."""
        return min(slot - slot % DAY_MS, slot - self.cooldown) if self.looks_back else slot


def find_risks(given: Sequence[str | Risk]) -> tuple[Risk, ...]:
    """Each rule itself, or the one registered under that name; raises `UnknownName`."""
    return tuple(RISKS.get(each) if isinstance(each, str) else each for each in given)


@attrs.define(eq=False)
class _Life:
    """One signal from its proposal to its end (None: not yet). `loss`: what it brought, in percent; 0 for an entry."""

    stream: Stream
    signal: AcceptedSignal
    since: int
    until: int | None = None
    closed: Closed | None = None


class Book:
    """What was alive under one rule, and when. It forgets what no later slot can ask for."""

    def __init__(self, rule: Risk) -> None:
        self.rule = rule
        self._alive: dict[Stream, _Life] = {}
        self._ended: list[_Life] = []

    def hear(self, event: Event) -> None:
        """Take in the next event of a stream, or an end that was found in its journal."""
        match event:
            case Scheduled(signal=signal) | Opened(signal=signal):
                self.hold(event.stream, signal)
            case Closed(signal=signal) | Cancelled(signal=signal):
                life = self._alive.pop(event.stream, None) or _Life(event.stream, signal, _since(signal))
                life.until = event.at
                life.closed = event if isinstance(event, Closed) else None
                self._ended.append(life)
            case _:
                pass

    def hold(self, stream: Stream, signal: AcceptedSignal) -> None:
        """Count a signal that is alive."""
        life = self._alive.setdefault(stream, _Life(stream, signal, _since(signal)))
        life.signal = signal

    def forget(self, stream: Stream) -> None:
        """Begin anew with a stream, whose journal is about to be read."""
        self._alive.pop(stream, None)
        self._ended = [life for life in self._ended if life.stream != stream]

    def reasons(self, event: Opened | Scheduled, proposal: Signal) -> tuple[str, ...]:
        """Why the rule refuses the proposal that would become `event`; empty where it does not."""
        slot = event.at
        begin = self.rule.counts_from(slot)
        self._ended = [life for life in self._ended if _end(life) > slot or (life.closed and _end(life) >= begin)]
        alive = [
            Alive(life.stream, life.signal)
            for life in (*self._ended, *self._alive.values())
            if life.since <= slot and (life.until is None or life.until > slot)
        ]
        closed = [life.closed for life in self._ended if life.closed and life.closed.at <= slot]
        alive.sort(key=attrgetter("stream"))
        request = Request(event.stream, slot, event.signal.entry, proposal, tuple(alive))
        found = (*_crowd(self.rule, request), *_past(self.rule, request, closed), *_said(self.rule, request))
        return tuple(f"risk rule {self.rule.name}: {reason}" for reason in found)


def reasons(books: Sequence[Book], event: Opened | Scheduled, proposal: Signal) -> tuple[str, ...]:
    """Why the rules refuse the proposal that would become `event`; empty where none does."""
    return tuple(reason for book in books for reason in book.reasons(event, proposal))


def _since(signal: AcceptedSignal) -> int:
    """The slot at which a signal was proposed."""
    since = signal.opened_at if signal.scheduled_at is None else signal.scheduled_at
    assert since is not None
    return since


def _end(life: _Life) -> int:
    assert life.until is not None
    return life.until


def _crowd(rule: Risk, request: Request) -> Iterator[str]:
    """Too many at once: in all, in the symbol, in a group."""
    symbol = request.stream.symbol
    same = [each for each in request.alive if each.stream.symbol == symbol]
    if rule.max_open and len(request.alive) >= rule.max_open:
        yield f"{_count(request.alive)}; at most {rule.max_open} may be"
    if rule.max_per_symbol and len(same) >= rule.max_per_symbol:
        yield f"{_count(same)} in {symbol}; at most {rule.max_per_symbol} may be"
    for name, group in rule.groups.items():
        members = [each for each in request.alive if each.stream.symbol in group.symbols]
        if symbol in group.symbols and group.max_open and len(members) >= group.max_open:
            yield f"{_count(members)} in the group {name}; at most {group.max_open} may be"


def _count(alive: Sequence[Alive]) -> str:
    streams = ", ".join(str(each.stream) for each in alive)
    return f"1 signal is alive ({streams})" if len(alive) == 1 else f"{len(alive)} signals are alive ({streams})"


def _past(rule: Risk, request: Request, closed: Sequence[Closed]) -> Iterator[str]:
    """What has ended: the day's loss, and rest after a close. `closed` ended at or before the slot."""
    midnight = request.at - request.at % DAY_MS
    # fsum gives the same bits in whatever order the closes came to be known.
    day = math.fsum(each.pnl.percentage for each in closed if each.at >= midnight)
    if rule.max_daily_loss and day <= -rule.max_daily_loss:
        yield f"what closed since midnight UTC lost {-day:.4f} %; at {rule.max_daily_loss} % the day is over"
    ends = [each.at for each in closed if each.symbol == request.stream.symbol]
    if rule.cooldown and ends and request.at < max(ends) + rule.cooldown:
        left = (max(ends) + rule.cooldown - request.at) / 60_000
        yield f"{request.stream.symbol} rests for {left:g} more minutes after its last close"


def _said(rule: Risk, request: Request) -> Iterator[str]:
    for validator in rule.validators:
        name = getattr(validator, "__qualname__", repr(validator))
        reason = _asked(validator, name, request)
        if reason is not None:
            yield reason if isinstance(reason, str) else f"{name} returned {shown(reason)}, neither a reason nor None"


def _asked(validator: Validator, name: str, request: Request) -> object:
    try:
        return validator(request)
    except Exception as error:  # noqa: BLE001  # a guard that fails lets nothing through
        return f"{name} raised {type(error).__name__}: {error}"
