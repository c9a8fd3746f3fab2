"""Names that users gave to things, so that a command or another file can find them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Generic, TypeVar

from .errors import DeclarationError, UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """One kind of named thing. A name is taken once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Register `thing`; raises `DeclarationError` where the name is taken."""
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


def listed(given: str | Sequence[str]) -> list[str]:
    """One name or several, each once, as a list."""
    return [given] if isinstance(given, str) else list(dict.fromkeys(given))
