"""Deliberate faults in the store's own source, each of which one of the trials must find.

A fault is applied to a copy of the package under a name of its own; the text it replaces must stand there exactly once.

    python -m tests.proof.mutants      tries all of them, and rewrites the table in docs/proof.md
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

import tickfold_eventstore
from tests.proof.killers import KILLERS

T = TypeVar("T")

SOURCE = Path(tickfold_eventstore.__file__).parent
PROOF = Path(__file__).parents[2] / "docs" / "proof.md"
BLOCK = re.compile(r"(<!-- mutants -->\n).*?(<!-- /mutants -->)", re.DOTALL)


@attrs.frozen
class Mutant:
    """One fault: what it leaves out or does wrong, where, and the trial that must find it."""

    name: str
    killer: str
    module: str
    old: str
    new: str


def applied(mutant: Mutant, home: Path) -> str:
    """The name of a package in this directory that is the store with the fault in it."""
    package = "mutant_" + re.sub(r"\W+", "_", mutant.name)
    shutil.copytree(SOURCE, home / package, ignore=shutil.ignore_patterns("__pycache__"))
    path = home / package / f"{mutant.module}.py"
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: what it replaces stands {text.count(mutant.old)} times in {mutant.module}.py")
    path.write_text(text.replace(mutant.old, mutant.new))
    return package


def killed(mutant: Mutant, home: Path) -> str:
    """What its trial says of the store with the fault in it; empty where it found nothing."""
    return found(mutant, home, KILLERS[mutant.killer])


def found(mutant: Mutant, home: Path, question: Callable[[str], T]) -> T:
    """The answer for the package that is the store with the fault in it."""
    package = applied(mutant, home)
    sys.path.insert(0, str(home))
    try:
        return question(package)
    finally:
        sys.path.remove(str(home))
        for module in [module for module in sys.modules if module.split(".")[0] == package]:
            del sys.modules[module]


MUTANTS = (
    # The order of an append.
    Mutant("no sync of a record", "power cut", "journal", 'self._folder.sync(data, "a record")', "pass"),
    Mutant(
        "sync before write",
        "power cut",
        "journal",
        "            write_all(self._files, data, line, self._end)\n        except OSError as error:\n"
        '            self._take_back(len(line), error)\n        self._folder.sync(data, "a record")',
        '            self._folder.sync(data, "a record")\n            write_all(self._files, data, line, self._end)\n'
        "        except OSError as error:\n            self._take_back(len(line), error)",
    ),
    Mutant(
        "MARK before the record's sync",
        "power cut",
        "journal",
        "        self._write(line)\n        self._previous = line[-19:-3]\n        self._head =",
        "        assert self._mark is not None\n"
        "        write_all(self._files, self._mark, mark_of(Head(seq, line[-19:-3].decode())), 0)\n"
        "        self._write(line)\n        self._previous = line[-19:-3]\n        self._head =",
    ),
    Mutant(
        "a record enters an extension that was not synced",
        "power cut",
        "journal",
        'self._folder.sync(data, "free space")\n        self._size = size',
        "self._size = size",
    ),
    Mutant(
        "an append grows the file",
        "power cut",
        "journal",
        "        if self._end + len(line) > self._size:\n            self._extend(len(line))\n",
        "",
    ),
    Mutant(
        "expected seq is checked after the write",
        "contract",
        "journal",
        "        if expected_seq != self._head.seq:\n"
        "            raise WrongExpectedVersion(str(self.stream), expected_seq, self._head.seq)\n"
        "        check_append(self.stream, events, self._head)\n",
        "",
    ),
    Mutant("a line longer than n can say", "contract", "journal", "if length > LONGEST:", "if False:"),
    # A new segment, a seal, a close.
    Mutant(
        "no sync of the directory of a new segment",
        "power cut",
        "folder",
        'self.sync(names, "a directory")\n            except',
        "pass\n            except",
    ),
    Mutant(
        "a new segment is renamed before its sync",
        "power cut",
        "folder",
        "                self.sync(descriptor, name)\n                self.files.rename(making, self.at(name))\n",
        "                self.files.rename(making, self.at(name))\n",
    ),
    Mutant(
        "a new segment has its own name from the start",
        "power cut",
        "folder",
        'making = self.at(f"{name}.tmp")\n        if self.files.exists(making):',
        "making = self.at(name)\n        if self.files.exists(making):",
    ),
    Mutant(
        "a seal takes a seq",
        "power cut",
        "journal",
        'line_of(self._previous, last.seq, last.t, b"seal", body)',
        'line_of(self._previous, last.seq + 1, last.t, b"seal", body)',
    ),
    Mutant(
        "the seal counts the header",
        "power cut",
        "journal",
        "encode_seal(content.count(FILLER) - 1,",
        "encode_seal(content.count(FILLER),",
    ),
    Mutant(
        "a close cuts off too much",
        "power cut",
        "journal",
        "self._files.truncate(self._data, self._end)",
        "self._files.truncate(self._data, self._end - 1)",
    ),
    # Opening.
    Mutant("no sync of the directories at open", "power cut", "store", "self.sync_directories(folder)\n", "pass\n"),
    Mutant(
        "the tail is believed before it is written again",
        "power cut",
        "recovery",
        "        _write_again(folder, found.last, torn=bool(found.torn))\n",
        "",
    ),
    Mutant(
        "no sync of the tail after recovery", "power cut", "recovery", 'folder.sync(descriptor, "the tail")', "pass"
    ),
    Mutant(
        "a torn append is not cleared away",
        "contract",
        "recovery",
        "last.raw + FILLER * (size - last.end), last.offset)",
        "last.raw, last.offset)",
    ),
    Mutant(
        "a torn append is cleared away in one go", "power cut", "recovery", "        if torn:\n", "        if False:\n"
    ),
    Mutant(
        "a torn append is cleared away in two goes without a sync between",
        "power cut",
        "recovery",
        'folder.sync(descriptor, "the end of the last record")',
        "pass",
    ),
    Mutant(
        "a refused append is taken back in one go",
        "power cut",
        "journal",
        "            write_all(self._files, data, FILLER, self._end)\n"
        '            self._folder.sync(data, "free space")\n',
        "",
    ),
    Mutant("quarantine keeps nothing", "contract", "quarantine", "    _write(folder, free, content)\n", ""),
    Mutant(
        "quarantine is not synced",
        "contract",
        "quarantine",
        '    _write(folder, free, content)\n    folder.sync_names(folder.at(QUARANTINE))\n    return f"',
        '    _write(folder, free, content)\n    return f"',
    ),
    Mutant(
        "a MARK without its checksum is believed",
        "power cut",
        "mark",
        "if found is None or b",
        "if found is None or False and b",
    ),
    Mutant(
        "the chain is not checked",
        "damage",
        "record",
        'return raw[-TAIL:] == b\', "h":"%s"}\\n\' % hash_of(previous, raw[:-TAIL])',
        "return True",
    ),
    Mutant(
        "the chain is not checked across a segment",
        "damage",
        "walk",
        "line.hash != previous or line.seq + 1 != segment:",
        "False:",
    ),
    Mutant(
        "another stream's segment is taken",
        "damage",
        "folder",
        "if header.names != self.stream and not of_any_stream:",
        "if False:",
    ),
    # The tail rules.
    Mutant(
        "rule 1 left out: MARK and checkpoints",
        "damage",
        "recovery",
        "            _check_promise(folder, head, last, reading.seen)",
        "            pass",
    ),
    Mutant("rule 1 halved: another hash", "damage", "recovery", "if head.seq >= oldest_seen and", "if False and"),
    Mutant("rule 2 without NUL", "power cut", "tail", '_ONLY_FREE = b"\\n\\0"', '_ONLY_FREE = b"\\n"'),
    Mutant("rule 3 left out: foreign bytes", "damage", "tail", "if not _WRITABLE.fullmatch(rest):", "if False:"),
    Mutant("rule 3 left out: the size", "damage", "tail", "if size % unit:", "if False:"),
    Mutant(
        "rule 4 left out: a whole line behind",
        "damage",
        "tail",
        "if any(parse(line + FILLER) for line in later if line):",
        "if False:",
    ),
    Mutant("rule 5 left out: rot", "damage", "tail", "if first and _was_whole(first, rest, len(text)):", "if False:"),
    Mutant(
        "rule 5 without the tail",
        "damage",
        "tail",
        ":len(first) + 1]) is not None:".replace(":len", ": len"),
        ":len(first) + 1]) is not None and False:".replace(":len", ": len"),
    ),
    Mutant(
        "rule 5 without the length",
        "damage",
        "tail",
        "return length is not None and (",
        "return False and length is not None and (",
    ),
    Mutant("rule 5 without the text behind", "damage", "tail", " or text_length > length - 1)", ")"),
    Mutant(
        "rule 6 left out: a byte became LF",
        "damage",
        "tail",
        'if first and rest[len(first) + 1 : len(first) + 2] not in {FILLER, b""}:',
        "if False:",
    ),
    Mutant(
        "rule 7 left out: torn is refused",
        "power cut",
        "tail",
        "    return Tail(torn=text)",
        '    return Tail(("torn", "refused"))',
    ),
    # Failing calls.
    Mutant(
        "a retry after a failed sync",
        "failing call",
        "folder",
        '            raise self.poison(f"the sync of {what} failed ({error})") from error',
        "            self.files.sync(descriptor)",
    ),
    Mutant("a failed sync is forgotten", "failing call", "folder", "self.files.poisoned.add(self.path)", "pass"),
    Mutant(
        "a poisoned stream opens again in the same process",
        "failing call",
        "store",
        "if folder.path in self.files.poisoned:",
        "if False:",
    ),
    Mutant(
        "a write that failed is not taken back",
        "failing call",
        "journal",
        "            write_all(self._files, data, FILLER, self._end)\n"
        '            self._folder.sync(data, "free space")\n'
        "            write_all(self._files, data, FILLER * length, self._end)\n        except OSError as second:",
        "            pass\n        except OSError as second:",
    ),
    Mutant("a short write is taken for a whole one", "failing call", "folder", "if taken != len(data):", "if False:"),
    # Who writes, and who reads.
    Mutant("no lock", "contract", "lock", "if not self._files.lock(descriptor):", "if False:"),
    Mutant(
        "a forked child keeps the lock",
        "contract",
        "lock",
        "os.register_at_fork(after_in_child=_leave_to_the_parent)",
        "",
    ),
    Mutant(
        "a reader goes past MARK",
        "contract",
        "reader",
        "        if self.holder() is None:\n            return None\n",
        "        return None\n",
    ),
)


def table() -> str:
    """The faults and what finds each, as they stand in the page."""
    rows = [f"| {mutant.name} | `{mutant.module}.py` | {mutant.killer} |" for mutant in MUTANTS]
    return "\n".join(["", "| fault | in | found by |", "|---|---|---|", *rows, "", ""])


def shown() -> str:
    """The table that stands in the page."""
    found = BLOCK.search(PROOF.read_text())
    return found[0].split("\n", 1)[1].removesuffix("<!-- /mutants -->") if found else ""


if __name__ == "__main__":
    PROOF.write_text(BLOCK.sub(lambda found: found[1] + table() + found[2], PROOF.read_text()))
