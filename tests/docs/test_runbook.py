"""The runbook has a section for every error of the store, and quotes what the error says. Its commands are run as every
page's are.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tickfold_eventstore import errors
from tickfold_eventstore.archive import ArchiveError

TEXT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
BTC, ETH = "sim-11/hourly/BTCUSDT", "sim-11/hourly/ETHUSDT"

ERRORS: dict[str, Exception] = {
    "StreamHeld": errors.StreamHeld(BTC, "pid 7 on desk, since 2024-01-01T00:00:00Z"),
    "CorruptJournal": errors.CorruptJournal(BTC, "rot", "00000000000000000001.jsonl", 1234, 12, "it has changed"),
    "NewerFormat": errors.NewerFormat(BTC, "a journal of format version 2", "a later Tickfold"),
    "AppendRefused": errors.AppendRefused(BTC, "there is no room for it: [Errno 28] No space left on device"),
    "RecordTooLong": errors.RecordTooLong(BTC, 1_000_001, 999_999),
    "JournalPoisoned": errors.JournalPoisoned(BTC, "the sync of a record failed ([Errno 5] Input/output error)"),
    "WrongExpectedVersion": errors.WrongExpectedVersion(BTC, 7, 8),
    "JournalClosed": errors.JournalClosed(BTC, "it belongs to the process that forked this one"),
    "StreamNotFound": errors.StreamNotFound(ETH, (BTC,)),
    "CheckpointMismatch": errors.CheckpointMismatch(BTC, "mail", 9, "the journal ends before it"),
    "UnusableName": errors.UnusableName("", "it is empty"),
    "UnsupportedPlatform": errors.UnsupportedPlatform(
        "somewhere", "nfs4 is a network file system, on which locks and syncs cannot be trusted"
    ),
    "ArchiveError": ArchiveError("data.tar is there already, and nothing is overwritten: name another file"),
}


def sections() -> dict[str, str]:
    """What stands under each heading."""
    _, *parts = re.split(r"^## (.+)\n", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_error_of_the_store_has_a_section() -> None:
    leaves = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.StoreError) and kind is not errors.StoreError
    }
    assert leaves - set(sections()) == set()
    assert leaves - set(ERRORS) == set()


@pytest.mark.parametrize("name", ERRORS)
def test_a_section_quotes_what_its_error_says(name: str) -> None:
    quoted = re.search(r"^> (.+)$", sections()[name], re.MULTILINE)
    assert quoted is not None
    told = ".+".join(re.escape(part) for part in quoted[1].split("…"))
    assert re.fullmatch(told, str(ERRORS[name])), f"{quoted[1]!r} is not {str(ERRORS[name])!r}"


def test_every_kind_of_damage_that_the_store_names_is_explained() -> None:
    source = "".join(path.read_text() for path in Path(inspect.getfile(errors)).parent.glob("*.py"))
    named = set(re.findall(r'(?:corrupt\(|damage=\(|Tail\(\()\s*"([a-z ]+)"', source))
    assert {"missing", "rot", "chain", "seal"} <= named
    rows = re.findall(r"^\| ([a-z ·]+) \|", sections()["CorruptJournal"], re.MULTILINE)
    explained = {kind for row in rows for kind in row.split(" · ")} - {"kind"}
    assert explained == named
