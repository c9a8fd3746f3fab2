"""What journals say, for Prometheus.

Not here, because no journal holds it: how long an fsync took, when the last tick was (ticks that change nothing write
nothing), which errors a run told its listeners. Whether a process is alive, `tickfold_stream_held` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..notation import number
from .glance import Glance
from .tally import Count

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """Samples of one name; each has its labels and its value."""

    name: str
    kind: str
    text: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def exposition(metrics: Iterable[Metric]) -> str:
    """The text that Prometheus reads."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def stream_metrics(glances: Iterable[Glance], now: int) -> Iterator[Metric]:
    """Where each stream stands, at `now` (ms)."""
    known = [(_labels(glance), glance) for glance in glances]

    def gauge(name: str, text: str, value: Callable[[Glance], float | None]) -> Metric:
        samples = [(labels, found) for labels, glance in known if (found := value(glance)) is not None]
        return Metric(f"tickfold_{name}", "gauge", text, samples)

    yield gauge("stream_head_seq", "Number of the last event.", lambda glance: glance.seq)
    yield gauge(
        "stream_last_record_age_seconds",
        "Time since the last record; a stream to which nothing happens grows old and is well.",
        lambda glance: None if glance.recorded_at is None else (now - glance.recorded_at) / 1000,
    )
    yield gauge("stream_held", "Whether a process writes it now.", lambda glance: glance.holder is not None)
    yield gauge("open_signals", "Signals that are open.", lambda glance: glance.state == "active")
    yield gauge("waiting_signals", "Limit entries that wait.", lambda glance: glance.state == "waiting")
    yield gauge("unrealised_percent", "Result of an open signal at its last price.", lambda glance: glance.unrealised)
    alarms = [(labels | {"alarm": alarm.kind}, 1.0) for labels, glance in known for alarm in glance.alarms]
    yield Metric("tickfold_alarm", "gauge", "What a person should look at.", alarms)


def count_metrics(counts: Iterable[tuple[Glance, Count]]) -> Iterator[Metric]:
    """What was counted in each stream, as far as it has come."""
    known = [(_labels(glance), count) for glance, count in counts]
    actions = [(labels | {"action": name}, float(n)) for labels, count in known for name, n in count.actions.items()]
    ticks = [(labels | {"state": name}, float(n)) for labels, count in known for name, n in count.boundaries.items()]
    yield Metric("tickfold_events_total", "counter", "Events, by action.", actions)
    yield Metric("tickfold_boundaries_total", "counter", "Boundaries handled, by the state before each.", ticks)
    missed = [(labels, float(count.missed)) for labels, count in known]
    yield Metric("tickfold_slots_missed_total", "counter", "Slots at which the strategy was not asked.", missed)
    counted = [(labels, float(count.seq)) for labels, count in known]
    yield Metric("tickfold_stream_counted_seq", "gauge", "The event up to which these are counted.", counted)


def _labels(glance: Glance) -> dict[str, str]:
    return {"exchange": glance.exchange, "strategy": glance.strategy, "symbol": glance.symbol}


def _lines(metric: Metric) -> Iterator[str]:
    if metric.samples:
        yield f"# HELP {metric.name} {metric.text}"
        yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.samples:
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{{{told}}} {number(float(value))}" if told else f"{metric.name} {number(float(value))}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
