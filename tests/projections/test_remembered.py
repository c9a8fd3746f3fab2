"""Statistics from a memory are those without one, bit for bit, whatever is remembered."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projections.stories import Story
from tickfold_eventstore import CorruptJournal, Event, Store, Stream
from tickfold_eventstore.folder import Folder
from tickfold_eventstore.log import Record
from tickfold_eventstore.record import Line
from tickfold_eventstore.signals import Ticks
from tickfold_eventstore.upcasters import VERSIONS
from tickfold_eventstore.walk import record_of
from tickfold_projections import booking, remembered
from tickfold_projections.booking import book_journal
from tickfold_projections.remembered import statistics_of_journals
from tickfold_projections.statistics import Statistics, statistics
from tickfold_projections.trades import Ledger, ledger_of

GOLDEN = Path(__file__).parents[1] / "eventstore" / "golden"


def write(store: Store, events: Sequence[Event], *, together: bool = False) -> None:
    """Append what a stream's journal does not hold yet; `together`: what happened at one time as one record."""

    def newest(records: Iterator[tuple[Event, ...]]) -> int:
        return next(records, (None,))[-1] is not None

    journal, _ = store.open(events[0].stream, newest)
    news = events[journal.head.seq :]
    records = itertools.groupby(news, key=lambda event: event.at if together else event.seq)
    for _, record in records:
        journal.append(list(record), expected_seq=journal.head.seq)
    journal.close()


def story(symbol: str, happened: Sequence[tuple[int, float]]) -> Story:
    """Starts, entries that wait, signals of both sides, rejections, stops and ticks, as `happened` has it."""
    told, minute = Story(symbol), 0
    told.start(0, ticks=Ticks())
    for gap, result in happened:
        minute += 1 + gap
        match gap % 5:
            case 0:
                told.schedule(minute)
                told.cancel(minute + gap)
            case 1:
                told.reject(minute, "why")
            case 2:
                told.start(minute + gap, ticks=Ticks())
            case 3:
                told.schedule(minute, "short")
                told.open(minute + 1, ticks=Ticks(idle=gap, waiting=1, missed=2))
                told.close(minute + gap, result, ticks=Ticks(active=gap))
            case _:
                told.trade(minute, minute + gap, result, "short" if gap % 2 else "long")
        minute += gap
    return told


happenings = st.lists(st.tuples(st.integers(0, 40), st.floats(-20, 20)), max_size=25)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """In which everything is worth to be remembered."""
    monkeypatch.setattr(remembered, "WORTH_IT", 1)
    return Store(tmp_path / "data")


@given(happenings, st.booleans(), st.none() | st.integers(0, 800), st.none() | st.integers(0, 800))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_journal_booked_without_its_events_adds_up_as_with_them(
    tmp_path_factory: pytest.TempPathFactory,
    happened: list[tuple[int, float]],
    together: bool,
    start: int | None,
    end: int | None,
) -> None:
    told = story("A", happened)
    store = Store(tmp_path_factory.mktemp("data"))
    write(store, told.events, together=together)
    first, last = (None if minute is None else told.events[0].at + minute * 60_000 for minute in (start, end))
    wanted, found = ledger_of(told.events, first, last), Ledger(first, last)
    head = book_journal(store.reader(told.stream), found)
    assert head.seq == len(told.events)
    assert vars(found) | {"accounts": None} == vars(wanted) | {"accounts": None}
    for mine, its in zip(found.accounts.values(), wanted.accounts.values(), strict=True):
        for name in ("stream", "first_seq", "last_seq", "starts", "made", "running"):
            assert getattr(mine, name) == getattr(its, name), name


def test_journals_of_earlier_versions_are_booked_as_they_are_read() -> None:
    for version in sorted(GOLDEN.iterdir()):
        if not (version / "journal").is_dir():
            continue
        store = Store(version)
        for stream in store.streams():
            ledger = Ledger()
            book_journal(store.reader(stream), ledger)
            assert ledger.trades == ledger_of(store.reader(stream).read()).trades
            assert ledger.events == ledger_of(store.reader(stream).read()).events


def test_a_record_in_another_shape_than_todays_is_made_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = story("A", [(4, 1.0)] * 5)
    write(store, told.events)
    whole: list[int] = []

    def made(folder: Folder, line: Line) -> Record:
        whole.append(line.seq)
        return record_of(folder, line)

    monkeypatch.setattr(booking, "record_of", made)
    monkeypatch.setattr(booking, "VERSIONS", VERSIONS | {"closed": 0})
    ledger = Ledger()
    book_journal(store.reader(told.stream), ledger)
    assert ledger.trades == ledger_of(told.events).trades
    assert whole == [event.seq for event in told.events if event.action == "closed"]


def files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.data_dir / "derived").rglob("*") if path.is_file())


def test_what_was_folded_once_goes_on_with_the_news(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = story("A", [(3, 1.5), (4, -2.0), (0, 0.0)] * 9), story("B", [(4, 0.7), (2, 0.0), (3, -0.1)] * 7)
    streams = [a.stream, b.stream]
    half = len(a.events) // 2
    write(store, a.events[:half])
    write(store, b.events)
    booked: list[Stream] = []
    whole = book_journal

    def book(*arguments: object, **more: object) -> object:
        booked.append(arguments[0].stream)  # type: ignore[attr-defined]  # a reader
        return whole(*arguments, **more)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(remembered, "book_journal", book)
    assert statistics_of_journals(store, streams) == statistics([*a.events[:half], *b.events])
    assert booked == streams
    assert len(files(store)) == 3
    assert statistics_of_journals(store, streams) == statistics([*a.events[:half], *b.events])
    write(store, a.events)
    assert statistics_of_journals(store, streams) == statistics([*a.events, *b.events])
    assert statistics_of_journals(store, streams[:1]) == statistics(a.events)
    assert booked == streams, "nothing was read from the beginning again"


def known(store: Store, told: Story) -> Statistics:
    return statistics_of_journals(store, [told.stream])


def test_deleting_it_loses_nothing(store: Store) -> None:
    told = story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    assert known(store, told) == statistics(told.events)
    shutil.rmtree(store.data_dir / "derived")
    assert known(store, told) == statistics(told.events)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"version":99}', b"null"])
def test_what_cannot_be_read_is_made_anew(store: Store, content: bytes) -> None:
    told = story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    known(store, told)
    for path in (store.data_dir / "derived").rglob("*"):
        if path.is_file():
            path.write_bytes(content)
    assert known(store, told) == statistics(told.events)


def test_what_an_earlier_program_remembered_is_made_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    known(store, told)
    monkeypatch.setattr(remembered, "VERSION", 2)
    assert known(store, told) == statistics(told.events)
    (answer,) = (store.data_dir / "derived" / "statistics").iterdir()
    assert answer.read_bytes().startswith(b'{"version":2,')


def test_another_journal_in_its_place_is_not_taken_for_it(store: Store, tmp_path: Path) -> None:
    told, other = story("A", [(4, 1.0)] * 12), story("A", [(4, -1.0)] * 20)
    write(store, told.events)
    known(store, told)
    shutil.rmtree(store.data_dir / "journal")
    write(store, other.events)
    assert known(store, other) == statistics(other.events)
    shorter = story("A", [(4, 2.0)] * 3)
    shutil.rmtree(store.data_dir / "journal")
    write(store, shorter.events)
    assert known(store, shorter) == statistics(shorter.events)


def test_short_journals_leave_nothing_behind(tmp_path: Path) -> None:
    store, told = Store(tmp_path / "data"), story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    assert known(store, told) == statistics(told.events)
    assert not (store.data_dir / "derived").exists()


def test_damage_is_told_and_not_remembered(store: Store) -> None:
    told = story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    (segment,) = (store.data_dir / "journal").rglob("*.jsonl")
    content = bytearray(segment.read_bytes())
    content[len(content) // 3] ^= 1
    segment.write_bytes(content)
    with pytest.raises(CorruptJournal):
        known(store, told)
    assert not (store.data_dir / "derived").exists()


def test_where_nothing_can_be_written_the_figures_are_there(store: Store) -> None:
    told = story("A", [(4, 1.0)] * 12)
    write(store, told.events)
    (store.data_dir / "derived").write_text("a file in its place")
    assert known(store, told) == statistics(told.events)
