"""`tickfold report`: the same journal gives the same bytes, in each form, over each range."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from tests.commands.typing_commands import REPLAYED, TWO, Files, Typed
from tickfold.reports import journal_report
from tickfold_eventstore import Store, Stream
from tickfold_projections.heat import heat
from tickfold_projections.render_backtest_kit import render_backtest_kit
from tickfold_projections.render_csv import render_csv
from tickfold_projections.render_html import render_html, render_table_html
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.render_table import render_table_csv, render_table_json, render_table_markdown
from tickfold_projections.schedule import schedule
from tickfold_projections.table import heat_table, schedule_table


def test_each_form_is_that_of_the_library(type_: Typed, journals: Path) -> None:
    made = journal_report(Store(journals), "ups")
    words = ("report", "ups", "--data-dir", journals)
    assert type_(*words) == (0, render_markdown(made), "")
    assert type_(*words, "--format", "json") == (0, render_json(made), "")
    assert type_(*words, "--json") == (0, render_json(made), "")
    assert type_(*words, "--format", "csv") == (0, render_csv(made), "")
    assert type_(*words, "--no-provenance") == (0, render_markdown(made, provenance=False), "")
    assert "## Provenance" in type_(*words).out
    assert "## Provenance" not in type_(*words, "--no-provenance").out


def test_a_symbol_and_an_exchange_select(type_: Typed, journals: Path) -> None:
    stream = Stream("sim-7", "ups", "B")
    only = render_markdown(journal_report(Store(journals), "ups", streams=[stream]))
    assert type_("report", "ups", "--symbol", "B", "--data-dir", journals).out == only
    both = type_("report", "ups", "--data-dir", journals).out
    assert type_("report", "ups", "--exchange", "sim-7", "--data-dir", journals).out == both
    assert type_("report", "ups", "--exchange", "sim-8", "--data-dir", journals).code == 2


def test_adjacent_ranges_split_the_events_exactly(type_: Typed, journals: Path) -> None:
    def rows(*words: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = type_("report", "ups", "--json", *words, "--data-dir", journals).document[
            "rows"
        ]
        return found

    whole = rows()
    edge = whole[len(whole) // 2]["at"]
    before, after = rows("--to", f"@{edge}"), rows("--from", f"@{edge}")
    assert before + after == whole
    assert len(after) == len([row for row in whole if int(str(row["at"])) >= int(str(edge))])
    assert rows("--from", "2020-01-01", "--to", "2020-01-04") == whole


def test_a_killed_and_restarted_replay_has_the_report_of_one_never_killed(
    files: Files, type_: Typed, journals: Path
) -> None:
    files.write(TWO)
    for until in ("2020-01-02", "2020-01-02T07:13", "2020-01-04"):
        words = ("live", "ups.py", *REPLAYED[:-1], until, "--strategy", "ups", "--symbol", "A", "--symbol", "B")
        assert type_(*words).code == 0
    again = type_("report", "ups", "--no-provenance")
    assert again == type_("report", "ups", "--no-provenance", "--data-dir", journals)


def test_it_is_written_whole_to_a_file(files: Files, type_: Typed, journals: Path) -> None:
    words = ("report", "ups", "--data-dir", journals)
    out = files.folder / "ups.csv"
    out.write_text("older")
    assert type_(*words, "--format", "csv", "--out", out) == (0, "", "")
    assert out.read_bytes().decode() == type_(*words, "--format", "csv").out
    assert len(list(csv.reader(io.StringIO(out.read_bytes().decode())))) > 10
    assert list(files.folder.iterdir()) == [out]
    os.mkfifo(files.folder / "pipe")
    reading = os.open(files.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert type_(*words, "--out", files.folder / "pipe") == (0, "", "")
    assert os.read(reading, 1 << 20).decode() == type_(*words).out
    os.close(reading)
    assert type_(*words, "--out", files.folder).err.endswith("it is a directory: name a file\n")
    said = type_(*words, "--out", files.folder / "nowhere" / "ups.md")
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("there is no such file or directory: check the path\n")


def test_what_is_open_gets_its_price_from_the_exchange_that_is_named(
    files: Files, type_: Typed, journals: Path
) -> None:
    events = Store(journals).reader(Stream("sim-7", "ups", "A")).read()
    until = f"@{next(event.at for event in events if event.action == 'opened') + 2 * 60_000}"
    words = ("report", "ups", "--symbol", "A", "--data-dir", journals, "--to", until, "--json")
    (unpriced,) = type_(*words).document["open"]
    assert (unpriced["state"], unpriced["price"], unpriced["percentage"]) == ("opened", None, None)
    (priced,) = type_(*words, "--exchange", "sim:7").document["open"]
    assert priced["price"] is not None
    assert priced["percentage"] is not None
    sim = type_("backtest", str(files.write()), "--exchange", "sim:7", "--symbol", "A", "--to", until)
    assert f"| {priced['price']} " in sim.out
    assert type_(*words, "--exchange", "ups=sim:7").code == 2


def test_of_a_backtest_it_is_what_backtest_prints(files: Files, type_: Typed) -> None:
    path = files.write(TWO)
    ran = ("--exchange", "sim:7", "--symbol", "A", "--from", "2020-01-02", "--to", "2020-01-05")
    said = type_("report", "ups", "--kind", "backtest", "--file", path, *ran)
    assert said == type_("backtest", path, "--strategy", "ups", *ran)
    as_json = type_("report", "ups", "--kind", "backtest", "--file", path, *ran, "--json")
    assert json.loads(as_json.out)["kind"] == "backtest"
    assert not files.data.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--kind", "backtest"),
        ("--kind", "backtest", "--file", "ups.py"),
        ("--file", "ups.py"),
        ("--frame", "x"),
        ("--from", "2020-01-02", "--to", "2020-01-02"),
        ("--format", "pdf"),
        ("--kind", "heat", "--file", "ups.py"),
        ("--kind", "schedule", "--symbol", "nowhere"),
        ("--kind", "heat", "--against", "ups.json"),
        ("--log",),
        ("--kind", "heat", "--format", "html", "--log"),
        ("--against", "ups.py"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    files: Files, type_: Typed, journals: Path, words: tuple[str, ...]
) -> None:
    files.write()
    said = type_("report", "ups", "--data-dir", journals, *words)
    assert (said.code, said.out) == (2, "")


def test_a_page_is_that_of_the_library_and_the_same_bytes_twice(files: Files, type_: Typed, journals: Path) -> None:
    made = journal_report(Store(journals), "ups")
    words = ("report", "ups", "--data-dir", journals, "--format", "html")
    assert type_(*words) == (0, render_html(made), "")
    assert type_(*words, "--no-provenance") == (0, render_html(made, provenance=False), "")
    out = files.folder / "ups.html"
    assert type_(*words, "--out", out) == (0, "", "")
    assert out.read_bytes().decode() == render_html(made)


def test_a_page_of_a_killed_and_restarted_replay_is_that_of_one_never_killed(
    files: Files, type_: Typed, journals: Path
) -> None:
    files.write(TWO)
    for until in ("2020-01-02T03:01", "2020-01-04"):
        words = ("live", "ups.py", *REPLAYED[:-1], until, "--strategy", "ups", "--symbol", "A", "--symbol", "B")
        assert type_(*words).code == 0
    asked = ("report", "ups", "--no-provenance", "--format", "html")
    assert type_(*asked) == type_(*asked, "--data-dir", journals)


def test_the_scale_of_the_equity_is_chosen(type_: Typed, journals: Path) -> None:
    made = journal_report(Store(journals), "ups")
    said = type_("report", "ups", "--data-dir", journals, "--format", "html", "--log")
    assert said == (0, render_html(made, log=True), "")


def test_a_live_run_is_set_beside_its_backtest(files: Files, type_: Typed, journals: Path) -> None:
    path = files.write(TWO)
    ran = ("--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-04")
    file = files.folder / "backtest.json"
    assert type_("report", "ups", "--kind", "backtest", "--file", path, *ran, "--json", "--out", file).code == 0
    words = ("report", "ups", "--data-dir", journals, "--symbol", "A", "--against", file)
    against = type_(*words, "--json").document["against"]
    closed = against["statistics"]["closed"]["value"]
    assert {name: against[name] for name in ("shared", "differing", "missed", "extra")} == {
        "shared": closed,
        "differing": 0,
        "missed": 0,
        "extra": 0,
    }
    assert against["here"] == against["there"]
    assert type_("report", "ups", "--data-dir", journals, "--json").document["against"] is None
    live = files.folder / "live.json"
    assert type_("report", "ups", "--data-dir", journals, "--json", "--out", live).code == 0
    said = type_(*words[:-1], live)
    assert (said.code, said.out) == (2, "")
    assert "it is the report of a live run, not of a backtest" in said.err
    said = type_(*words[:-1], path)
    assert "it is no report in JSON" in said.err
    assert type_(*words[:-1], files.folder / "nowhere.json").code == 1


def test_heat_and_schedule_are_those_of_the_library_in_each_form(type_: Typed, journals: Path) -> None:
    store = Store(journals)
    for name in ("ups", "downs"):
        streams = [stream for stream in store.streams() if stream.strategy == name]
        events = [event for stream in streams for event in store.reader(stream).read()]
        for told, table, kind in (
            (heat(name, events), heat_table(heat(name, events)), "heat"),
            (schedule(name, events), schedule_table(schedule(name, events)), "schedule"),
        ):
            words = ("report", name, "--data-dir", journals, "--kind", kind)
            assert type_(*words) == (0, render_table_markdown(table), "")
            assert type_(*words, "--json") == (0, render_table_json(told), "")
            assert type_(*words, "--format", "csv") == (0, render_table_csv(table), "")
            assert type_(*words, "--format", "html") == (0, render_table_html(table), "")
    assert "| A | " in type_("report", "downs", "--kind", "schedule", "--data-dir", journals).out


def test_heat_and_schedule_take_ranges_and_symbols_as_reports_do(type_: Typed, journals: Path) -> None:
    words = ("report", "ups", "--data-dir", journals, "--json")

    def closed(*more: str) -> float:
        value: float = type_(*words, "--kind", "heat", *more).document["together"]["closed"]["value"]
        return value

    edge = "2020-01-02T12:00"
    assert closed("--to", edge) + closed("--from", edge) == closed()
    assert closed("--symbol", "A") + closed("--symbol", "B") == closed()
    assert 0 < closed("--to", edge) < closed()
    entries = type_("report", "downs", "--data-dir", journals, "--json", "--kind", "schedule").document["together"]
    assert entries["filled"]["value"] > 0


def test_the_form_of_backtest_kit_is_that_of_the_library(files: Files, type_: Typed, journals: Path) -> None:
    made = journal_report(Store(journals), "ups")
    words = ("report", "ups", "--data-dir", journals, "--format", "backtest-kit")
    assert type_(*words) == (0, render_backtest_kit(made), "")
    assert type_(*words, "--kind", "heat").code == 2
    path = files.write(TWO)
    ran = ("--exchange", "sim:7", "--symbol", "A", "--from", "2020-01-02", "--to", "2020-01-05")
    said = type_("report", "ups", "--kind", "backtest", "--file", path, *ran, "--format", "backtest-kit")
    assert said.out.startswith("# Backtest Report: ups\n\n| Signal ID |")
    assert "**Avg Peak PNL:** +" in said.out


def test_with_the_exchange_a_live_report_knows_how_each_signal_went_as_its_backtest_does(
    files: Files, type_: Typed, journals: Path
) -> None:
    path = files.write(TWO)
    ran = ("--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-04", "--json")
    backtest = type_("report", "ups", "--kind", "backtest", "--file", path, *ran).document
    live = type_("report", "ups", "--data-dir", journals, "--exchange", "sim:7", "--symbol", "A", "--json").document
    excursions = live["market"]["excursions"]
    assert excursions == backtest["market"]["excursions"]
    assert len(excursions) == sum(row["action"] == "closed" for row in live["rows"]) > 10
    assert type_("report", "ups", "--data-dir", journals, "--json").document["market"] is None


def test_where_ticks_spend_their_time_is_counted_where_live_was_asked_to(files: Files, type_: Typed) -> None:
    files.write(TWO)
    words = ("live", "ups.py", *REPLAYED, "--strategy", "ups", "--symbol", "A")
    asked = ("report", "ups", "--kind", "performance", "--json")
    assert type_(*words).code == 0
    (line,) = type_(*asked).document["symbols"]
    assert line["tick_p50"]["reason"] == "no tick was timed: run `tickfold live` with --timings"
    (kept,) = (files.data / "performance").rglob("*.json") if (files.data / "performance").exists() else (None,)
    assert kept is None
    counts = []
    for until in ("2020-01-06", "2020-01-08"):
        assert type_(*words[:-4], "--to", until, *words[-4:], "--timings").code == 0
        (line,) = type_(*asked).document["symbols"]
        assert 0 < line["tick_p50"]["value"] <= line["tick_p99"]["value"] <= line["tick_longest"]["value"]
        counts.append(line["tick_count"]["value"])
    assert 0 < counts[0] < counts[1]
    (path,) = (files.data / "performance").rglob("*.json")
    path.write_text("{")
    (line,) = type_(*asked).document["symbols"]
    assert line["tick_count"]["value"] == 0
    for form in ("md", "html", "csv"):
        assert "Questions timed" in type_(*asked[:-1], "--format", form).out
