"""The pages of the documentation as data: their fenced blocks, what is to be done with each, and their links.

A block says by its language, and by its first line, what it is:

    python     with a first line `# name.py`: a file of that name; without: a whole program, run as it stands
    console    lines after `$ ` are typed into one shell, a page long; what stands below each is what it prints
    sh         lines for the reader's own shell, run as they stand, nothing compared
    csv json   with the name of a file above it, as in `rows.csv`: a file of that name
    text mermaid      nothing to run

In what a command prints, `…` stands for anything within a line and a line of `...` for any lines. A comment
`<!-- not run: WHY -->` before a block says that it cannot run in a test; those are listed and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]

LANGUAGES = {"python", "console", "sh", "csv", "json", "text", "mermaid"}

OF_OTHERS = {"docs/format.md", "docs/proof.md"}
"""Pages whose blocks are tried by tests of their own."""

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (?P<why>[^>]+?) -->\s*\Z")
_NAMED_ABOVE = re.compile(r"`(?P<name>[\w./-]+\.(?:csv|json))`[^\n]*\n\s*\Z")
_FILE_NAME = re.compile(r"# (?P<name>[\w/-]+\.py)\n")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *$", re.MULTILINE)


@attrs.frozen
class Block:
    """A fenced block. `line` is that of its fence, `not_run` why a test cannot run it (None: it can)."""

    page: str
    line: int
    language: str
    body: str
    file: str | None
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@attrs.frozen
class Command:
    """What is typed, and what is printed then; None: the page does not say."""

    text: str
    printed: str | None


def pages() -> list[str]:
    """Every page that people read, by its path below the root."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def run_pages() -> list[str]:
    """The pages whose blocks are run."""
    return [page for page in pages() if page not in OF_OTHERS]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, from its top to its foot."""
    for found in _FENCE.finditer(text):
        before, body = text[: found.start()], found["body"]
        first = _FILE_NAME.match(body) if found["info"] == "python" else _NAMED_ABOVE.search(before)
        excuse = _NOT_RUN.search(before)
        yield Block(
            page=page,
            line=before.count("\n") + 1,
            language=found["info"],
            body=body,
            file=first["name"] if first else None,
            not_run=excuse["why"] if excuse else None,
        )


def commands(body: str) -> list[Command]:
    """The commands of a console block. One goes on below where it ends in a backslash, or where `> ` stands there."""
    found: list[tuple[list[str], list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif not found:
            raise ValueError(f"a console block begins with a command, not with {line!r}")
        elif not found[-1][1] and (line.startswith("> ") or found[-1][0][-1].endswith("\\")):
            found[-1][0].append(line.removeprefix("> "))
        else:
            found[-1][1].append(line)
    return [Command("\n".join(typed), "\n".join(printed) if printed else None) for typed, printed in found]


def matches(printed: str, actual: str) -> bool:
    """Whether a command printed what the page shows."""
    plain = "".join(f"{line.rstrip()}\n" for line in actual.rstrip().splitlines())
    return re.fullmatch("".join(map(_meant, printed.rstrip().splitlines())), plain) is not None


def _meant(line: str) -> str:
    """What fits a line of a page."""
    return r"(?:.*\n)*?" if line.strip() == "..." else "[^\n]*".join(map(re.escape, line.split("…"))) + r"\n"


def links(text: str) -> list[str]:
    """Where the links of a page lead to, outside its blocks."""
    return [found["target"] for found in _LINK.finditer(_FENCE.sub("", text))]


def anchors(text: str) -> set[str]:
    """The headings of a page, as links name them."""
    plain = (found["text"].lower() for found in _HEADING.finditer(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def code_spans(text: str) -> list[str]:
    """What stands between single backticks, outside the blocks; a span may go on in the next line."""
    spans = re.findall(r"`([^`]+)`", _FENCE.sub("", text))
    return [" ".join(span.split()) for span in spans if span.strip()]


def named_files(text: str) -> list[str]:
    """What a page names as files of this project."""
    places = ("docs/", "tests/", "examples/", "engine/", "eventstore/", "projections/", "benchmarks/", "requirements/")
    return [span for span in code_spans(text) if span.startswith(places)]
