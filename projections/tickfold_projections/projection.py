"""A fold with a name: a state before the first event, and what each event makes of it.

Anything that can be known of a stream is one: `stream` reads it from a journal, follows it, and remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import attrs

from tickfold_eventstore.events import Event

S = TypeVar("S")


@attrs.frozen
class Projection(Generic[S]):
    """`apply` gives the state after an event; it is pure: the same for the same two, and it changes neither.

    `state` is the type of the states, as msgspec reads it back (a Struct, an attrs class, a dict, a union of them). A
    projection that means something else from now on needs another `name`, or old states would go on under it.
    """

    name: str
    initial: S
    apply: Callable[[S, Event], S]
    state: Any

    def fold(self, events: Iterable[Event], state: S) -> S:
        """The state after `events`, which follow on `state`."""
        for event in events:
            state = self.apply(state, event)
        return state
