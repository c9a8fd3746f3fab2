"""A strict reader of pages: every element is closed where it was opened, and what it holds is told."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs

VOID = {"meta", "input", "link", "img", "br", "hr"}
FETCHING = {"src", "srcset", "data", "action", "formaction", "poster", "background", "cite", "ping", "xlink:href"}


@attrs.frozen
class Element:
    """`said` is all text inside of it, `path` the names of the elements around it."""

    name: str
    attributes: dict[str, str]
    path: tuple[str, ...]
    said: list[str] = attrs.Factory(list[str])

    @property
    def text(self) -> str:
        return "".join(self.said)


class Page(HTMLParser):
    """A page as a list of its elements, in the order in which they begin."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.declared: list[str] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def named(self, name: str, kind: str | None = None) -> list[Element]:
        return [
            each
            for each in self.elements
            if each.name == name and (kind is None or kind in each.attributes.get("class", "").split())
        ]

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Each table's kind, and the cells of its rows, heads included."""
        tables: list[tuple[str, list[list[str]]]] = []
        for each in self.elements:
            if each.name == "table":
                tables.append((each.attributes["class"], []))
            elif each.name == "tr":
                tables[-1][1].append([])
            elif each.name in {"td", "th"}:
                tables[-1][1][-1].append(each.text)
        return tables

    def rows(self, kind: str) -> list[list[str]]:
        """The rows of all tables of a kind."""
        return [row for name, rows in self.tables() if kind in name.split() for row in rows]

    def handle_decl(self, decl: str) -> None:
        self.declared.append(decl)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"an attribute twice: {attrs}"
        element = Element(tag, attributes, tuple(each.name for each in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.said.append(data)
