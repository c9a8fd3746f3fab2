"""Names that users gave to things, so that a command or another file can find them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from tickfold_eventstore.errors import UnusableName

from .errors import DeclarationError, UnknownName
from .proposal import shown

T = TypeVar("T")

LONGEST_NAME = 1_000
"""Characters. A name stands in every message, and in the header of a journal."""


class Registry(Generic[T]):
    """One kind of named thing. A name is taken once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Register `thing`; raises `DeclarationError` where the name is taken, or none."""
        check_name(self.kind, name)
        if name in self._things:
            raise DeclarationError(
                f"there is a second {self.kind} with the name {name!r}; give one of them another name"
            )
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing of that name; raises `UnknownName`, which lists those that exist."""
        try:
            return self._things[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._things, n=1)
            raise UnknownName(self.kind, name, tuple(sorted(self._things)), near[0] if near else None) from None

    def names(self) -> tuple[str, ...]:
        """All names, in the order of registration."""
        return tuple(self._things)

    def clear(self) -> None:
        """Forget all names: for tests and for a tool that loads another file."""
        self._things.clear()


def listed(symbol: str | Sequence[str]) -> list[str]:
    """One symbol or several, each once, as a list. Raises `UnusableName` for what can name none, `DeclarationError`
    where there is none.
    """
    given = each_of(symbol, str, bytes)
    if not given:
        raise DeclarationError("no symbol is named: give one, or a list of them")
    for name in given:
        why = why_no_name(name)
        if why:
            raise UnusableName(shown(name), why)
    return list(dict.fromkeys(given))


def each_of(given: object, *one: type) -> list[Any]:
    """What was given as a list: several things, or one that is told by its class or by that it is no series."""
    is_one = isinstance(given, one) or not isinstance(given, Iterable)
    return [given] if is_one else list(cast("Iterable[Any]", given))


def check_name(kind: str, name: object) -> None:
    """Raise `DeclarationError` where nothing can be called that."""
    why = why_no_name(name)
    if why:
        raise DeclarationError(f"{kind} {shown(name)!r}: this cannot be its name: {why}")


def why_no_name(name: object) -> str | None:
    """What keeps `name` from being one, or None: it is text of at least one and at most 1,000 whole characters."""
    if not isinstance(name, str):
        return f"it is {type(name).__name__}, not text"
    if not name:
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters, over {LONGEST_NAME}"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it holds half of a character"
    return None
