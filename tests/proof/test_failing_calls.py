"""Whatever call to the disk fails, the store refuses cleanly or is poisoned; it never loses and never invents."""

from __future__ import annotations

import errno
from collections import Counter

import pytest

from tests.proof.faulty import SHORT
from tests.proof.kept import Code
from tests.proof.refusals import calls_of_the_story, wrong

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
