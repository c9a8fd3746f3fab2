"""Every disk that a power cut may leave, or a seeded sample where they are too many."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
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


def power_cuts(disk: Disk, rng: Random, budget: int) -> Iterator[Cut]:
    """At most about `budget` outcomes: all where there are no more (of sectors, sizes and names), else a sample."""
    questions = list(open_questions(disk))
    total = 1
    for question in questions:
        total *= question.answers
        if total > budget:
            break
    if total <= budget:
        for answers in itertools.product(*(range(question.answers) for question in questions)):
            yield Cut(_image(disk, questions, answers), "enumerated")
    else:
        for _ in range(budget):
            yield Cut(_image(disk, questions, _sample(questions, rng)), "sampled")
    dirty = [node for node in reachable(disk) if isinstance(node, File) and node.writes]
    for _ in range(budget // 2 if dirty else 0):
        chosen = _sample(questions, rng)
        file = rng.choice(dirty)
        content = _prefix(file, rng) if rng.random() < 0.6 else _torn(file, questions, chosen, rng)
        yield Cut(_image(disk, questions, chosen, {id(file): content}), "torn", _hole(file, content))


def nothing_more_landed(disk: Disk) -> Image:
    """What a power cut leaves where only what was synced had landed."""
    return _image(disk, [], [])


def open_questions(disk: Disk) -> Iterator[Question]:
    for node in reachable(disk):
        if isinstance(node, Folder):
            for name, found in node.versions.items():
                yield Question(node, name, len(found) + 1)
            continue
        for number, found_bytes in node.versions.items():
            yield Question(node, number, len(found_bytes) + 1)
        if node.sizes:
            yield Question(node, SIZE, len(node.sizes) + 1)


def reachable(disk: Disk) -> list[Node]:
    """Every file and folder that some outcome can name, each once."""
    found: dict[int, Node] = {}
    waiting: list[Node] = [disk.root]
    while waiting:
        node = waiting.pop()
        if id(node) in found:
            continue
        found[id(node)] = node
        if isinstance(node, Folder):
            waiting.extend(node.disk.values())
            waiting.extend(one for versions in node.versions.values() for one in versions if one is not None)
    return list(found.values())


def _sample(questions: list[Question], rng: Random) -> list[int]:
    """Evenly mixed, nearly all landed, nearly none landed, or all of one file before another."""
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


def _image(
    disk: Disk, questions: list[Question], answers: tuple[int, ...] | list[int], given: dict[int, bytes] | None = None
) -> Image:
    chosen: dict[int, dict[int | str, int]] = {}
    for question, answer in zip(questions, answers, strict=True):
        chosen.setdefault(id(question.owner), {})[question.part] = answer
    image: Image = {}
    waiting: list[tuple[str, Folder]] = [("", disk.root)]
    while waiting:
        path, folder = waiting.pop()
        mine = chosen.get(id(folder), {})
        for name, node in _entries(folder, mine):
            if isinstance(node, Folder):
                image[f"{path}/{name}"] = None
                waiting.append((f"{path}/{name}", node))
            elif given and id(node) in given:
                image[f"{path}/{name}"] = given[id(node)]
            else:
                image[f"{path}/{name}"] = _content(node, chosen.get(id(node), {}))
    return image


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
    """Some sectors whole, and one of which only the first bytes are the newer version."""
    mine = {q.part: a for q, a in zip(questions, answers, strict=True) if q.owner is file}
    content = bytearray(_content(file, mine))
    if not file.versions:
        return bytes(content)
    number = rng.choice(list(file.versions))
    start = number * file.sector
    newer = file.versions[number][-1]
    old = bytes(file.disk[start : start + file.sector]).ljust(len(newer), b"\0")
    changed = [place for place in range(len(newer)) if newer[place] != old[place]] or [0]
    at = rng.choice((rng.choice(changed), changed[-1], max(0, changed[-1] - 1)))
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
