"""Whatever is done to a journal, in whatever order, it equals a list."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.proof.disk import Disk
from tests.proof.faulty import SHORT, Failing
from tests.proof.kept import Code, Kept, opened
from tests.proof.powercut import nothing_more_landed
from tickfold_eventstore.errors import AppendRefused, JournalClosed, JournalPoisoned, StreamHeld, WrongExpectedVersion

CODE = Code()
RUNS = int(os.environ.get("TICKFOLD_STATE_MACHINE_RUNS", "300"))
SIZES = st.integers(0, 1600)


class JournalAsAList(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.model: list[tuple[Any, ...]] = []
        self.failing = Failing(Disk())
        self.subject = self.opened()

    def opened(self) -> Kept:
        subject = opened(CODE, self.failing)
        assert list(subject.told) == self.model
        return subject

    @property
    def disk(self) -> Disk:
        assert isinstance(self.failing.files, Disk)
        return self.failing.files

    @rule(size=SIZES)
    def append(self, size: int) -> None:
        record = CODE.record(len(self.model), size)
        self.subject.append(record)
        self.model.append(record)

    @rule(expected=st.integers(-1, 60), size=SIZES)
    def append_expecting_another_head(self, expected: int, size: int) -> None:
        record = CODE.record(len(self.model), size)
        if expected == record[0].seq - 1:
            return
        with pytest.raises(WrongExpectedVersion):
            self.subject.journal.append(record, expected_seq=expected)

    @rule(size=SIZES, which=st.integers(1, 6), code=st.sampled_from([SHORT, errno.ENOSPC]))
    def append_while_a_call_fails(self, size: int, which: int, code: int) -> None:
        record = CODE.record(len(self.model), size)
        self.failing.nth, self.failing.code = self.failing.calls + which, code
        try:
            self.subject.append(record)
        except AppendRefused:
            return
        except JournalPoisoned:
            self.disk.die()
            self.subject = opened(CODE, self.failing)
            assert list(self.subject.told) in (self.model, [*self.model, record])
            self.model = list(self.subject.told)
        else:
            self.model.append(record)
        finally:
            self.failing.nth = 0

    @rule()
    def close_and_open(self) -> None:
        self.subject.close()
        with pytest.raises(JournalClosed):
            self.subject.append(CODE.record(len(self.model), 1))
        self.subject = self.opened()

    @rule()
    def kill_and_open(self) -> None:
        self.disk.die()
        self.subject = self.opened()

    @rule()
    def cut_the_power_and_open(self) -> None:
        self.failing = Failing(Disk(nothing_more_landed(self.disk)))
        self.subject = self.opened()

    @rule()
    def open_twice(self) -> None:
        with pytest.raises(StreamHeld):
            opened(CODE, self.failing)

    @precondition(lambda self: self.model)
    @rule(share=st.floats(0, 1))
    def read_from(self, share: float) -> None:
        events = [event for record in self.model for event in record]
        first = 1 + int(share * (len(events) - 1))
        assert list(self.subject.journal.read(first)) == events[first - 1 :]
        if self.disk.exists(CODE.place):
            assert list(CODE.store(self.failing).reader(CODE.stream).read(first)) == events[first - 1 :]

    @invariant()
    def it_is_the_list(self) -> None:
        told = [record.events for record in self.subject.journal.read_backwards()]
        assert told[::-1] == self.model
        assert self.subject.journal.head.seq == (self.model[-1][-1].seq if self.model else 0)


TestJournalAsAList = JournalAsAList.TestCase
TestJournalAsAList.settings = settings(
    max_examples=RUNS, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
