"""Every disk that a power cut may leave, or a seeded sample where they are too many."""

from __future__ import annotations

import itertools
import marshal
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from random import Random

import attrs

from tests.proof.disk import Disk, File, Folder, Image, Node


@attrs.frozen
class Cut:
    """One outcome of a power cut. `hole`: the first gap in an un-synced write is one byte inside a sector."""

    image: Image
    how: str
    hole: bool = False


@attrs.frozen
class Question:
    """One thing that the disk is free to decide: which of `answers` versions of `part` of `owner` landed."""

    owner: File | Folder
    part: int | str
    answers: int


SIZE = -1
"""The part of a file that is its length."""

NOTE = "LOCK"
"""A file whose contents nobody goes by: they are for people. What of them landed is not asked."""


def fingerprint(image: Image) -> bytes:
    """What tells two images apart, LOCK aside."""
    files = sorted(file for file in image.items() if not file[0].endswith(f"/{NOTE}"))
    return blake2b(marshal.dumps(files, 2), digest_size=16).digest()


def power_cuts(disk: Disk, rng: Random, budget: int) -> Iterator[Cut]:
    """At most about `budget` outcomes: all where there are no more (of sectors, sizes and names), else a sample."""
    questions = list(open_questions(disk))
    landing = _Landing(disk, questions)
    total = 1
    for question in questions:
        total *= question.answers
        if total > budget:
            break
    if total <= budget:
        for answers in itertools.product(*(range(question.answers) for question in questions)):
            yield Cut(landing.image(answers), "enumerated")
    else:
        for answers in {tuple(_sample(questions, rng)): None for _ in range(budget)}:
            yield Cut(landing.image(answers), "sampled")
    dirty = [node for name, node in reachable(disk) if isinstance(node, File) and node.writes and name != NOTE]
    for _ in range(budget // 2 if dirty else 0):
        chosen = _sample(questions, rng)
        file = rng.choice(dirty)
        content = _prefix(file, rng) if rng.random() < 0.6 else _torn(file, questions, chosen, rng)
        yield Cut(landing.image(chosen, file, content), "torn", _hole(file, content))


def nothing_more_landed(disk: Disk) -> Image:
    """What a power cut leaves where only what was synced had landed."""
    return _Landing(disk, []).image(())


def open_questions(disk: Disk) -> Iterator[Question]:
    for name, node in reachable(disk):
        if isinstance(node, Folder):
            for name_in_it, found in node.versions.items():
                yield Question(node, name_in_it, len(found) + 1)
        elif name != NOTE:
            for number, found_bytes in node.versions.items():
                yield Question(node, number, len(found_bytes) + 1)
            if node.sizes:
                yield Question(node, SIZE, len(node.sizes) + 1)


def reachable(disk: Disk) -> list[tuple[str, Node]]:
    """Every file and folder that some outcome can name, each once, with one of its names."""
    found: dict[int, tuple[str, Node]] = {}
    waiting: list[tuple[str, Node]] = [("", disk.root)]
    while waiting:
        named = waiting.pop()
        node = named[1]
        if id(node) in found:
            continue
        found[id(node)] = named
        if isinstance(node, Folder):
            waiting.extend(node.disk.items())
            waiting.extend((name, one) for name, versions in node.versions.items() for one in versions if one)
    return list(found.values())


def _sample(questions: list[Question], rng: Random) -> list[int]:
    """Evenly mixed, nearly all landed, nearly none landed, one that is odd, or each write in its turn."""
    if rng.random() < 0.2:
        level = rng.randrange(max((question.answers for question in questions), default=1))
        return [min(level, question.answers - 1) for question in questions]
    newest = rng.choice((0.0, 0.03, 0.5, 0.5, 0.97, 1.0))
    odd = rng.randrange(len(questions)) if questions and rng.random() < 0.3 else -1
    answers = []
    for place, question in enumerate(questions):
        last = question.answers - 1
        if place == odd or (last > 1 and rng.random() < 0.2):
            answers.append(rng.randrange(question.answers))
        else:
            answers.append(last if rng.random() < newest else 0)
    return answers


@attrs.define
class _Landing:
    """Images of one disk at one moment. Which names landed says where the files are: that is laid out once for each."""

    disk: Disk
    questions: list[Question]
    layouts: dict[tuple[int, ...], tuple[Image, list[tuple[str, File]]]] = attrs.Factory(dict)
    """By the answers to the questions for names: what was synced, and the files of which more may have landed."""
    of_names: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.of_names = [place for place, question in enumerate(self.questions) if isinstance(question.owner, Folder)]

    def image(self, answers: Sequence[int], torn: File | None = None, content: bytes = b"") -> Image:
        """What landed by these answers; of the file `torn`, this."""
        chosen: dict[int, dict[int | str, int]] = {}
        for question, answer in zip(self.questions, answers, strict=True):
            if answer:
                chosen.setdefault(id(question.owner), {})[question.part] = answer
        key = tuple(answers[place] for place in self.of_names)
        if key not in self.layouts:
            self.layouts[key] = self._laid_out(chosen)
        synced, open_files = self.layouts[key]
        image = dict(synced)
        for path, file in open_files:
            image[path] = content if file is torn else _content(file, chosen.get(id(file), {}))
        return image

    def _laid_out(self, chosen: dict[int, dict[int | str, int]]) -> tuple[Image, list[tuple[str, File]]]:
        image: Image = {}
        open_files: list[tuple[str, File]] = []
        waiting: list[tuple[str, Folder]] = [("", self.disk.root)]
        while waiting:
            above, folder = waiting.pop()
            for name, node in _entries(folder, chosen.get(id(folder), {})):
                path = f"{above}/{name}"
                if isinstance(node, Folder):
                    image[path] = None
                    waiting.append((path, node))
                else:
                    image[path] = node.disk
                    open_files += [] if node.clean or name == NOTE else [(path, node)]
        return image, open_files


def _entries(folder: Folder, mine: dict[int | str, int]) -> Iterator[tuple[str, Node]]:
    for name in {**folder.disk, **folder.versions}:
        answer = mine.get(name, 0)
        node = folder.versions[name][answer - 1] if answer else folder.disk.get(name)
        if node is not None:
            yield name, node


def _content(file: File, mine: dict[int | str, int]) -> bytes:
    if not mine:
        return file.disk
    answer = mine.get(SIZE, 0)
    size = file.sizes[answer - 1] if answer else len(file.disk)
    sectors = {part: version for part, version in mine.items() if isinstance(part, int) and part != SIZE}
    return file.landed(sectors, size)


def _prefix(file: File, rng: Random) -> bytes:
    whole = rng.randrange(len(file.writes))
    length = len(file.writes[whole][1])
    part = rng.randrange(length + 1) if rng.random() < 0.5 else max(0, length - rng.randrange(40))
    return file.prefix(whole, part)


def _torn(file: File, questions: list[Question], answers: list[int], rng: Random) -> bytes:
    """Some sectors whole, and one of which only the first bytes are a newer version, at worst a single one."""
    mine = {q.part: a for q, a in zip(questions, answers, strict=True) if q.owner is file}
    content = bytearray(_content(file, mine))
    if not file.versions:
        return bytes(content)
    number = rng.choice(list(file.versions))
    start = number * file.sector
    versions = [file.disk[start : start + file.sector], *file.versions[number]]
    later = rng.randrange(1, len(versions))
    newer, old = versions[later], versions[rng.randrange(later)].ljust(len(versions[later]), b"\0")
    changed = [place for place in range(len(newer)) if newer[place] != old[place]] or [0]
    at = rng.choice((rng.choice(changed), changed[0] + 1, changed[-1], max(0, changed[-1] - 1)))
    mixed = newer[:at] + old[at:]
    content[start : start + len(mixed)] = mixed[: max(0, len(content) - start)]
    return bytes(content)


def _hole(file: File, content: bytes) -> bool:
    """Whether of one write a single byte inside it did not land, with landed bytes right before and right after it.

    Only a sector that tore can leave that. What did not land further on does not matter: the first gap is one byte.
    """
    for offset, data in file.writes:
        landed = content[offset : offset + len(data)]
        if len(landed) != len(data) or landed == data:
            continue
        first = next(place for place, byte in enumerate(data) if landed[place] != byte)
        if 0 < first < len(data) - 2 and landed[first + 1] == data[first + 1]:
            return True
    return False
