"""A power cut at any call of a repair: the next repair ends as it would have, and no byte is lost on the way."""

from __future__ import annotations

from random import Random

import pytest

from tests.proof.damage import Journal, written
from tests.proof.disk import Disk, Image
from tests.proof.kept import folder_of, opened
from tests.proof.powercut import Cut, power_cuts
from tests.proof.verifier import verify

SEEDS = (1, 3, 6, 8, 9)


def damaged(seed: int, rng: Random) -> tuple[Journal, Image]:
    """A journal with one flipped bit behind its first header."""
    journal = written(seed)
    path = rng.choice(journal.segments)
    content = bytearray(journal.content(path))
    content[rng.randrange(len(journal.lines(path)[0]), journal.end(path))] ^= 1
    return journal, {**journal.marked("newest"), path: bytes(content)}


def everything(image: Image) -> bytes:
    return b"\n".join(content for content in image.values() if content is not None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("place", range(4))
def test_a_repair_whose_power_is_cut_can_be_done_again_and_loses_no_byte(seed: int, place: int) -> None:
    rng = Random(seed * 100 + place)
    journal, image = damaged(seed, rng)
    code = journal.code
    good = verify(folder_of(Disk(image), code.place), code.names, code.unit)[3]
    expected = tuple(record for record in journal.records if record[-1].seq <= good)
    lines = [line for content in image.values() if content for line in content.split(b"\n") if len(line) > 60]
    disk, cuts = Disk(image), list[Cut]()
    disk.watch = lambda call: cuts.extend([] if call.startswith("sync") else power_cuts(disk, rng, 12))
    code.module("repair").accept_loss(code.store(disk), code.stream)
    disk.watch = lambda call: None
    ends = [disk.image(), *(cut.image for cut in cuts if not cut.hole)]
    assert len(ends) > 20
    for end in ends:
        kept_there = everything(end)
        assert [line for line in lines if line not in kept_there] == []
        again = Disk(end)
        code.module("repair").accept_loss(code.store(again), code.stream)
        assert opened(code, again).told == expected
