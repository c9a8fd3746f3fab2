"""Reports: from the shell over ten thousand closed signals; statistics of a million events, cold and remembered.

The floor of a report is Python with what every command imports; that of statistics is reading and verifying the lines.
Remembered figures are compared with those made anew.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from _machine import machine, median, row, seconds

from tickfold_eventstore import AcceptedSignal, Closed, Event, Opened, Store, Stream
from tickfold_eventstore.reader import Cursor
from tickfold_eventstore.signals import ProfitAndLoss, Ticks
from tickfold_projections.remembered import statistics_of_journals
from tickfold_projections.statistics import Statistics, statistics

AT = 1_640_995_200_000
MINUTE = 60_000
SHORT, LONG = 10_000, 500_000
TIMES = 5


class NoFlush:
    """The disk without its flushes, to write a long journal in a moment."""

    def __init__(self, store: Store) -> None:
        self._files = store.files

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def sync(self, descriptor: int) -> None: ...


def signals(stream: Stream, count: int) -> Iterator[Event]:
    """So many signals, opened and closed, that win, lose and run out of time."""
    chance, at = random.Random(7), AT
    for number in range(count):
        at += MINUTE * chance.randrange(5, 60)
        entry = round(40_000 + chance.gauss(0, 1_000), 2)
        signal = AcceptedSignal(
            id=f"{number:020x}",
            position="long" if number % 3 else "short",
            entry=entry,
            take_profit=round(entry * 1.012, 2),
            stop_loss=round(entry * 0.992, 2),
            lifetime_minutes=240,
            note="close over the mean",
            scheduled_at=None,
            opened_at=at,
        )
        place = {"recorded_at": at + 2_000, **stream._asdict()}
        yield Opened(seq=2 * number + 1, at=at, signal=signal, price=entry, ticks=Ticks(idle=20), **place)
        at += MINUTE * chance.randrange(5, 240)
        reason = chance.choice(["take_profit", "stop_loss", "time_expired"])
        price = round(entry * (1 + chance.gauss(0, 0.008)), 2)
        pnl = ProfitAndLoss(percentage=100 * (price / entry - 1) - 0.4, entry=entry, exit=price)
        place["recorded_at"] = at + 2_000
        yield Closed(
            seq=2 * number + 2,
            at=at,
            signal=signal,
            price=price,
            reason=reason,
            pnl=pnl,
            ticks=Ticks(active=60),
            **place,
        )


def written(data_dir: Path, stream: Stream, count: int) -> Store:
    store = Store(data_dir)
    journal, _ = Store(data_dir, files=NoFlush(store)).open(stream, lambda records: next(records, None))
    for seq, event in enumerate(signals(stream, count)):
        journal.append([event], expected_seq=seq)
    journal.close()
    return store


def command(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "tickfold.cli", *map(str, words)], check=True)


def from_the_shell(data_dir: Path) -> None:
    imports = [sys.executable, "-c", "import tickfold.cli.report"]
    floor = median([seconds(lambda: subprocess.run(imports, check=True)) for _ in range(TIMES)])
    for form in ("md", "html", "json", "csv", "backtest-kit"):
        words = ("report", "w", "--data-dir", data_dir, "--format", form, "--out", data_dir / "report")
        taken = median([seconds(lambda words=words: command(*words)) for _ in range(TIMES)])
        row(f"report of {SHORT:,} closed signals as {form}", f"{taken:.3f} s", f"Python and imports {floor:.3f} s")


def of_a_million(store: Store, stream: Stream) -> None:
    events = 2 * LONG
    reader = store.reader(stream)
    lines = seconds(lambda: sum(1 for _ in Cursor(reader.folder).lines(None)))
    found: list[Statistics] = []
    cold = seconds(lambda: found.append(statistics_of_journals(store, [stream])))
    warm = [seconds(lambda: found.append(statistics_of_journals(store, [stream]))) for _ in range(TIMES)]
    shutil.rmtree(store.data_dir / "derived" / "statistics")
    again = seconds(lambda: found.append(statistics_of_journals(store, [stream])))
    found.append(statistics(reader.read()))
    assert all(each == found[0] for each in found), "remembered figures differ from those made anew"
    row(
        f"statistics of {events:,} events, cold", f"{events / cold:,.0f} /s", f"lines verified {events / lines:,.0f} /s"
    )
    row("the same, remembered, nothing new", f"{1000 * median(warm):.2f} ms")
    row("the same, from the remembered ledger", f"{again:.2f} s", f"cold {cold:.2f} s")


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder, "short"), Stream("sim-3", "w", "A"), SHORT)
        from_the_shell(Path(folder, "short"))
        stream = Stream("sim-3", "w", "A")
        of_a_million(written(Path(folder, "long"), stream, LONG), stream)


if __name__ == "__main__":
    main()
