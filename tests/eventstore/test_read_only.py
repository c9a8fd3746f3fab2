"""A journal on a file system that cannot be written can be read: a mounted backup, for one."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.machine import EVENTS
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.verify import verify

STREAM = Stream("x", "s", "A")


@pytest.mark.parametrize("refusal", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_it_is_verified_where_opening_for_writing_is_refused(
    refusal: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    journal, _ = store.open(STREAM, lambda records: None)
    journal.append([msgspec.structs.replace(EVENTS["rejected"], seq=1)], expected_seq=0)
    journal.close()
    plain = os.open
    refused: list[str] = []

    def read_only(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_RDWR:
            refused.append(str(path))
            raise OSError(refusal, os.strerror(refusal), str(path))
        return plain(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", read_only)
    verdict = verify(store.reader(STREAM))
    assert (verdict.damage, verdict.head.seq) == (None, 1)
    assert refused
