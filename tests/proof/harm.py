"""What may happen to the files of a journal after they were written: each function yields damaged copies.

python -m tests.proof.harm --seeds 10      prints how many of each kind came to which outcome
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from random import Random

from tests.proof import plain
from tests.proof.damage import WHICH, Bench, Journal, written
from tests.proof.disk import File, Image

SECTOR = 64
Harm = Callable[[Journal, Image, Random], Iterator[Image]]


def flipped(journal: Journal, which: str, rng: Random) -> Counter[str]:
    """Outcomes of every written bit of every segment and of MARK flipped, and of a sample of the free space's."""
    bench = Bench(journal, which)
    found = Counter[str]()
    mark = f"{journal.code.place}/MARK"
    for path in [*journal.segments, *([mark] if bench.disk.exists(mark) else [])]:
        file = bench.disk.node(path)
        assert isinstance(file, File)
        size = len(file.cache)
        end = size if path.endswith("MARK") else journal.end(path)
        for place in [*range(end * 8), *rng.sample(range(end * 8, size * 8), min(64, (size - end) * 8))]:
            file.cache[place // 8] ^= 1 << place % 8
            file.disk = bytes(file.cache)
            found[bench.outcome() if place < end * 8 else bench.judged_outcome()] += 1
            file.cache[place // 8] ^= 1 << place % 8
        file.disk = bytes(file.cache)
    return found


def cut(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """The last segment ends at every byte of its last two lines, elsewhere at some; the others at some."""
    for path in journal.segments:
        content, lines, end = journal.content(path), journal.lines(path), journal.end(path)
        sizes = rng.sample(range(end), 40)
        if path == journal.segments[-1]:
            sizes += range(end - len(lines[-1]) - len(lines[-2]), len(content))
        for size in sizes:
            yield {**base, path: content[:size]}


def blanked(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """The end of what was written in the last segment turned into free space, from any byte on."""
    path = journal.segments[-1]
    content = journal.content(path)
    for size in range(journal.end(path)):
        yield {**base, path: content[:size].ljust(len(content), b"\n")}


def sectors(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """A sector zeroed, filled with garbage or with print, or back at what it held before."""
    for path in journal.segments:
        content = journal.content(path)
        for start in range(0, len(content), SECTOR):
            size = len(content[start : start + SECTOR])
            older = {image.get(path) or b"" for image in journal.older}
            fills = [bytes(size), rng.randbytes(size), bytes(rng.choices(range(32, 127), k=size))]
            fills += sorted({old[start : start + SECTOR].ljust(size, b"\n") for old in older})
            for fill in fills:
                yield {**base, path: content[:start] + fill + content[start + size :]}


def lines(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """Lines removed, repeated, swapped, and put in from another stream."""
    other = written(0, journal.code.package, symbol="B")
    foreign = other.lines(other.segments[0])
    for path in journal.segments:
        there, size = journal.lines(path), len(journal.content(path))
        places = range(len(there))
        changed = [there[:place] + there[place + 1 :] for place in places]
        changed += [there[: place + 1] + there[place:] for place in places]
        changed += [swapped(there, one, two) for one, two in itertools.combinations(places, 2)]
        changed += [[*there[:place], line, *there[place:]] for place in range(len(there) + 1) for line in foreign]
        changed += [[*there[:place], line, *there[place + 1 :]] for place in places for line in foreign]
        for now in changed:
            text = b"".join(now)
            yield {**base, path: text.ljust(max(size, -(-len(text) // journal.code.unit) * journal.code.unit), b"\n")}


def swapped(there: list[bytes], one: int, two: int) -> list[bytes]:
    now = list(there)
    now[one], now[two] = now[two], now[one]
    return now


def segments(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """Whole segments missing, under another name, twice, empty, from another stream, from an older time."""
    other = written(8, journal.code.package, symbol="B")
    for path in journal.segments:
        rest = {each: content for each, content in base.items() if each != path}
        content = journal.content(path)
        yield rest
        for first in (1, 2, 3, 7):
            named = f"{journal.code.place}/{first:020d}.jsonl"
            yield {**rest, named: content}
            yield {**base, named: content}
        for fill in (b"", b"\n" * len(content), bytes(len(content)), rng.randbytes(len(content))):
            yield {**base, path: fill}
        for foreign in other.segments:
            yield {**base, path: other.content(foreign)}
        for image in journal.older:
            if image.get(path):
                yield {**base, path: image[path]}
    yield {path: content for path, content in base.items() if path not in journal.segments}


def marks(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """MARK of another record, of none that is there, torn, longer, of noise."""
    path = f"{journal.code.place}/MARK"
    last = journal.records[-1][-1].seq
    newest = journal.marks["newest"] or b""
    for seq in (last - 1, last, last + 1, last + 1000):
        yield {**base, path: plain.mark_of(max(1, seq), b"0123456789abcdef")}
    for length in range(len(newest)):
        yield {**base, path: newest[:length]}
        yield {**base, path: newest[:length].ljust(len(newest), b"\n")}
        yield {**base, path: newest[:length].ljust(len(newest), b"\0")}
    yield {**base, path: newest + b"\n"}
    yield {**base, path: rng.randbytes(59)}


def rot_and_torn(journal: Journal, base: Image, rng: Random) -> Iterator[Image]:
    """A flipped bit in the last acknowledged record, and an append behind it that was cut short."""
    path = journal.segments[-1]
    last = journal.lines(path)[-1]
    end, size = journal.end(path), len(journal.content(path))
    room = -(-(end + 300) // journal.code.unit) * journal.code.unit
    torn = plain.line_of(last[-19:-3], journal.records[-1][-1].seq + 1, b'"events":[{"action":"torn","v":1}]')
    for length in range(1, len(torn) - 2, 5):
        text = (journal.content(path)[:end] + torn[:length]).ljust(max(size, room), b"\n")
        for place in rng.sample(range((end - len(last)) * 8, end * 8), 24):
            damaged = bytearray(text)
            damaged[place // 8] ^= 1 << place % 8
            yield {**base, path: bytes(damaged)}


KINDS: dict[str, Harm] = {
    "MARK": marks,
    "segments": segments,
    "lines": lines,
    "sectors": sectors,
    "cut short": cut,
    "end blanked": blanked,
    "rot and a torn append": rot_and_torn,
}


MANY = {"cut short", "end blanked", "rot and a torn append"}
"""Kinds of which every eighth copy goes through all that opening does and both verifiers; of the others, all do."""


def outcomes(kind: str, journal: Journal, which: str, rng: Random) -> Counter[str]:
    """What comes of each damaged copy."""
    bench = Bench(journal, which)
    found = Counter[str]()
    for number, image in enumerate(KINDS[kind](journal, journal.marked(which), rng)):
        bench.lay(image)
        found[bench.judged_outcome() if kind in MANY and number % 8 else bench.whole_outcome()] += 1
    return found


def tried(seed: int) -> dict[tuple[str, str], Counter[str]]:
    """Every kind and every MARK on one journal."""
    journal = written(seed)
    found = {("bits flipped", which): flipped(journal, which, Random(seed)) for which in WHICH}
    for kind, which in itertools.product(KINDS, WHICH):
        found[kind, which] = outcomes(kind, journal, which, Random(seed))
    return found


ALLOWED = {"right", "refused", "set aside", "undecidable"}
SEEN = {"right", "refused"}
"""Outcomes; where someone knows the newest record, every loss is seen."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Damage journals in every way; print what comes of it.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    total: dict[tuple[str, str], Counter[str]] = {}
    with ProcessPoolExecutor(asked.workers) as pool:
        for found in pool.map(tried, range(asked.seeds)):
            for key, count in found.items():
                total[key] = total.get(key, Counter()) + count
    for (kind, which), count in total.items():
        print(f"{kind}, MARK {which}: {count.total()} copies, {dict(sorted(count.items()))}")
    print(f"{sum(count.total() for count in total.values())} damaged copies of {asked.seeds} journals")
    bad = [key for key, count in total.items() if set(count) - (ALLOWED if "newest" not in key[1] else SEEN)]
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
