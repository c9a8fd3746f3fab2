"""Whatever call to the disk fails, the store refuses cleanly or is poisoned; it never loses and never invents."""

from __future__ import annotations

import errno
from collections import Counter
from random import Random

import pytest

from tests.proof.clearing import torn
from tests.proof.disk import Disk
from tests.proof.faulty import SHORT, Failing
from tests.proof.kept import Code, opened
from tests.proof.powercut import power_cuts
from tests.proof.refusals import calls_of_the_story, wrong
from tickfold_eventstore import JournalPoisoned

STORE = Code()
CODES = {
    "short": SHORT,
    "EIO": errno.EIO,
    "ENOSPC": errno.ENOSPC,
    "EDQUOT": errno.EDQUOT,
    "EROFS": errno.EROFS,
    "EINTR": errno.EINTR,
    "EMFILE": errno.EMFILE,
}


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for-ever"])
@pytest.mark.parametrize("code", CODES)
def test_every_call_of_a_journals_life_may_fail(code: str, for_ever: bool) -> None:
    reached = Counter[str]()
    for nth in range(1, calls_of_the_story(STORE) + 1):
        failed, fault = wrong(nth, CODES[code], for_ever=for_ever, store=STORE)
        assert not fault, f"call {nth} ({failed}): {fault}"
        reached[failed] += 1
    everywhere = {"open", "close", "lock", "size", "pread", "pwrite", "truncate", "sync", "evict", "exists", "listdir"}
    everywhere |= {"mkdir", "rename", "check_fit"}
    assert set(reached) - {""} == ({"pread", "pwrite"} if code == "short" else everywhere)


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for-ever"])
@pytest.mark.parametrize("code", CODES)
def test_every_call_of_a_start_that_finds_a_torn_append_may_fail(code: str, for_ever: bool) -> None:
    """What was torn is in quarantine or where it stood, whenever the power goes then."""
    kept, nth, ended = (STORE.record(0, 1),), 0, Counter[str]()
    while True:
        nth += 1
        disk, _, text = torn(STORE)
        failing = Failing(disk, nth=nth, code=CODES[code], for_ever=for_ever, rng=Random(nth))
        try:
            assert opened(STORE, failing).told == kept
            ended["opened"] += 1
        except (OSError, JournalPoisoned) as error:
            ended[type(error).__name__] += 1
        disk.die()
        for cut in power_cuts(disk, Random(nth), 8):
            there = b"".join(filter(None, cut.image.values()))
            assert text[1:] in there or cut.hole, (nth, failing.failed)
            assert opened(STORE, Disk(cut.image)).told == kept, (nth, failing.failed)
        if failing.calls < nth:
            break
    assert nth > 60
    assert ended["opened"] < nth
