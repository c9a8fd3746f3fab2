"""docs/format.md is true: its dumps are what the store writes, and a verifier written from it alone agrees."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.proof import plain, verifier, worked
from tickfold_eventstore.events import Event
from tickfold_eventstore.store import encoded
from tickfold_eventstore.upcasters import VERSIONS

TEXT = worked.PAGE.read_text()
NAMES = worked.STREAM._asdict()


def test_the_dumps_are_the_bytes_that_the_store_writes() -> None:
    assert worked.shown() == worked.files()


def test_the_dumped_journal_is_sound_and_a_changed_byte_of_it_is_not() -> None:
    files = worked.shown()
    segment = worked.FILES[0]
    end = len(files[segment].rstrip(b"\n")) + 1
    assert verifier.verify(files, NAMES) == ("sound", segment, end, 2)
    for place in range(end):
        damaged = bytearray(files[segment])
        damaged[place] ^= 1
        assert verifier.verify({**files, segment: bytes(damaged)}, NAMES)[0] == "damaged", place


def test_the_plain_rules_read_it_too() -> None:
    segment, mark = (worked.shown()[name] for name in worked.FILES)
    found = plain.opening(segment, mark, 65536)
    assert (found.refused, found.seq, len(found.records)) == (0, 2, 2)


def test_a_dump_is_read_as_it_was_written() -> None:
    content = b"abc" + b"\n" * 1000 + bytes(range(256))
    assert worked.undumped(worked.dump(content)) == content


def test_the_lines_in_the_text_are_exact() -> None:
    (line,) = re.findall(r"^(\{\"n\":.*)⏎$", TEXT, re.MULTILINE)
    raw = line.encode() + b"\n"
    assert plain.is_whole(raw)
    assert plain.line_of(plain.ZERO, 123, b'"events":[{"action":"opened","v":1}]', 1730000000123456) == raw
    (mark,) = re.findall(r"^(\{\"seq\":.*)⏎$", TEXT, re.MULTILINE)
    assert plain.mark_in(mark.encode() + b"\n") == (13, b"78baed294120e23b")


def test_every_action_and_its_version_stand_in_the_table() -> None:
    told = dict(re.findall(r"^\| (\w+) \| (\d+) \| ", TEXT, re.MULTILINE))
    assert {action: int(version) for action, version in told.items()} == VERSIONS
    kinds = {kind.__name__.lower(): kind for kind in Event.__args__}
    for action, row in re.findall(r"^\| (\w+) \| \d+ \| (.*) \|$", TEXT, re.MULTILINE):
        fields = set(kinds[action].__struct_fields__)
        envelope = {"seq", "at", "recorded_at", "exchange", "strategy", "symbol", "ticks"}
        top = {name for name in re.findall(r"`(\w+)`", row) if name in fields}
        assert top == fields - envelope, action


def test_names_are_encoded_as_the_page_says() -> None:
    long = "é" * 60
    assert [encoded(name) for name in ("a-b_c.d", "BTC/USDT", ".", "..")] == ["a-b_c.d", "BTC%2FUSDT", "%2E", "%2E%2E"]
    assert len(encoded(long)) == 255
    assert encoded(long)[238] == "~"


def test_the_verifier_has_at_most_sixty_lines_of_the_standard_library_alone() -> None:
    text = Path(verifier.__file__).read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 60
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported == {"json", "re", "sys", "zlib", "hashlib", "pathlib", "urllib.parse"}
