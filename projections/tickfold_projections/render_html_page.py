"""What an HTML page is made of: text made harmless, tables, sections, and the frame around them.

`Html` is text that may stand in a page as it is. Everything from outside becomes one by `text` alone.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable, Sequence
from typing import NewType

import attrs

from .notation import instant, shown
from .render_html_script import SCRIPT, script_hash
from .render_html_style import style, style_hash
from .wording import result_text

Html = NewType("Html", str)
"""Markup, or text without any."""


@attrs.frozen
class Section:
    """A part of the page; `name` is what links to it."""

    name: str
    title: str
    body: Html


@functools.lru_cache(maxsize=4096)
def text(plain: str) -> Html:
    """Text as it is: nothing in it is markup or ends an attribute, and control characters are shown."""
    return Html(html.escape(shown(plain)))


def moment(at: int) -> Html:
    """A time (ms) for a table that says UTC: `2022-01-01 00:15`, with what is finer than a minute if there is any."""
    told = instant(at)
    return Html(told[:-4].replace("T", " ") if told.endswith(":00Z") else told)


def price(value: float | str | None) -> Html:
    """A price in ten digits, or as many as it has; a text that stood in its place is said as it is."""
    if isinstance(value, float | int):
        return Html(f"{value:.10g}")
    return Html("N/A") if value is None else text(value)


def join(parts: Iterable[str]) -> Html:
    """Markup, one piece after the other."""
    return Html("".join(parts))


def table(kind: str, caption: str, columns: Sequence[str], rows: Iterable[str], *, none: str = "") -> Html:
    """Rows (made by `row`) under their columns; too wide a table scrolls by itself, by keys too."""
    lines = "\n".join(rows)
    if not lines:
        return Html(f"<p>{text(none)}</p>\n")
    heads = "".join(f'<th scope="col">{text(column)}</th>' for column in columns)
    return Html(
        f'<div class="wide" role="region" aria-label="{text(caption)}" tabindex="0">\n<table class="{kind}">\n'
        f"<caption><span>{text(caption)}</span></caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n"
        "</table>\n</div>\n"
    )


def row(name: Html, cells: Iterable[Html], *, kind: str = "") -> str:
    """A row of cells after the one that names it."""
    told = "".join([cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in cells])
    return f'<tr{_class(kind)}><th scope="row">{name}</th>{told}</tr>'


def plain_row(name: Html, cells: Iterable[Html], kind: str) -> str:
    """The same where no cell looks like anything: for tables of thousands."""
    return f'<tr class="{kind}"><th scope="row">{name}</th><td>{"</td><td>".join(cells)}</td></tr>'


def result(percentage: float | None) -> Html:
    """A net result with its sign."""
    return Html(result_text(percentage))


def cell(plain: str, *, kind: str = "") -> Html:
    """A cell of plain text that looks like its kind."""
    return Html(f"<td{_class(kind)}>{text(plain)}</td>")


def policy(*, script: bool) -> str:
    """The content security policy: the style sheet of the page, its script where it has one, and nothing else."""
    allowed = f"script-src 'sha256-{script_hash()}'; " if script else ""
    return f"default-src 'none'; style-src 'sha256-{style_hash()}'; {allowed}base-uri 'none'; form-action 'none'"


def document(
    kind: str, name: str, about: Html, sections: Sequence[Section], foot: Html, *, script: bool = False
) -> str:
    """The whole page: what it is, of which strategy, and what it says. `script`: with the one that sorts signals."""
    title = f"{kind}: {name}"
    ending = f"<script>{SCRIPT}</script>\n" if script else ""
    parts = "".join(_section(part) for part in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(script=script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>{style()}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the figures</a>\n'
        f"<header>\n<h1><span>{text(kind)}<i>: </i></span>{text(name)}</h1>\n{about}{_contents(sections)}</header>\n"
        f'<main id="main">\n{parts}</main>\n{foot}{ending}</body>\n</html>\n'
    )


def _contents(sections: Sequence[Section]) -> str:
    if len(sections) < 2:
        return ""
    links = "".join(f'<li><a href="#{part.name}">{text(part.title)}</a></li>' for part in sections)
    return f'<nav aria-label="Parts of the report"><ul>{links}</ul></nav>\n'


def _section(part: Section) -> str:
    return (
        f'<section id="{part.name}" aria-labelledby="{part.name}-title">\n'
        f'<h2 id="{part.name}-title">{text(part.title)}</h2>\n{part.body}</section>\n'
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
