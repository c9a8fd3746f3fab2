"""The files of the page, read once: nothing that is asked for becomes part of a path."""

from __future__ import annotations

import re
from hashlib import sha256
from importlib import resources
from typing import NamedTuple

from ..render_html import render_html
from ..report import report

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_STYLES = re.compile(r"'sha256-[A-Za-z0-9+/=]+'")


class File(NamedTuple):
    """A file as it is sent; `tag` changes with its content."""

    content: bytes
    medium: str
    tag: str


def files() -> dict[str, File]:
    """Every file of the page, by its name."""
    found = (each for each in (resources.files(__name__.rpartition(".")[0]) / "static").iterdir() if each.is_file())
    return {each.name: _file(each.name, each.read_bytes()) for each in found}


def policy_of_report(page: str) -> str:
    """The content security policy that a report as HTML brings along, and that it may act as nothing else."""
    found = _POLICY.search(page)
    own = found[1] if found else "default-src 'none'"
    return f"{own}; frame-ancestors 'none'; sandbox"


def policy_of_page() -> str:
    """The page's own: its scripts, its style, its server. The style of a report is let in by its hash, for a report is
    shown in a frame that has no rights, not even to an origin, and that inherits this policy.
    """
    styles = " ".join(sorted(set(_STYLES.findall(policy_of_report(render_html(report("", ())))))))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' {styles}; connect-src 'self'; img-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )


def _file(name: str, content: bytes) -> File:
    return File(content, _TYPES[name.rpartition(".")[2]], f'"{sha256(content).hexdigest()[:16]}"')
