"""The worked example of docs/format.md: a small journal as the store writes it, as a hexdump, and back.

`python -m tests.proof.worked` rewrites the dumps in the page.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.proof.disk import Disk
from tickfold_eventstore.events import Opened, Started
from tickfold_eventstore.signals import AcceptedSignal, Stream
from tickfold_eventstore.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
STREAM = Stream("sim-3", "w", "A")
FILES = ("00000000000000000001.jsonl", "MARK")


def files() -> dict[str, bytes]:
    """The segment and MARK of a journal of two records."""
    disk = Disk()
    journal, _ = Store("/data", files=disk).open(STREAM, list)
    where = STREAM._asdict()
    started = Started(
        seq=1,
        at=1_730_000_040_000,
        recorded_at=1_730_000_040_123,
        **where,
        version="0.1.0",
        config_hash="c0",
        strategy_hash="5e",
        state_seq=0,
        recovered=None,
    )
    signal = AcceptedSignal(
        id="a1",
        position="long",
        entry=100.0,
        take_profit=102.5,
        stop_loss=99.0,
        lifetime_minutes=60,
        note="café ✓",
        scheduled_at=None,
        opened_at=1_730_000_100_000,
    )
    opened = Opened(seq=2, at=1_730_000_100_000, recorded_at=1_730_000_102_000, **where, signal=signal, price=100.0)
    journal.append([started], expected_seq=0)
    journal.append([opened], expected_seq=1)
    return {name: disk.image()[f"/data/journal/sim-3/w/A/{name}"] or b"" for name in FILES}


def dump(content: bytes) -> str:
    """As `hexdump -C` prints it."""
    rows, before, starred = [], b"", False
    for place in range(0, len(content), 16):
        part = content[place : place + 16]
        if part == before and len(part) == 16:
            if not starred:
                rows.append("*")
            starred = True
            continue
        before, starred = part, False
        left, right = part[:8].hex(" "), part[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        rows.append(f"{place:08x}  {left:<23}  {right:<23}  |{text}|")
    return "\n".join([*rows, f"{len(content):08x}"])


def undumped(text: str) -> bytes:
    """The bytes of such a dump."""
    content, row, repeats = b"", b"", False
    for line in text.splitlines():
        if line == "*":
            repeats = True
            continue
        place = int(line[:8], 16)
        while repeats and len(content) < place:
            content += row
        repeats = False
        assert len(content) == place, line
        row = bytes.fromhex(line[10:58].strip())
        content += row
    return content


def blocks() -> str:
    return "".join(f"`{name}`:\n\n```hexdump\n{dump(content)}\n```\n\n" for name, content in files().items())


def shown() -> dict[str, bytes]:
    """The files whose dumps stand in the page."""
    found = re.findall(r"`([^`\n]+)`:\n\n```hexdump\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    return {name: undumped(text) for name, text in found}


if __name__ == "__main__":
    start, end = "<!-- dumps -->\n", "<!-- /dumps -->"
    head, _, rest = PAGE.read_text().partition(start)
    PAGE.write_text(head + start + "\n" + blocks() + end + rest.partition(end)[2])
