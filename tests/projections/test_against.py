"""A live run beside its backtest: which signals both know, and what is said where live did worse."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tests.projections.reading_html import Page
from tests.projections.stories import Story, trades
from tickfold_projections.against import beside_backtest
from tickfold_projections.diagnoses import diagnoses
from tickfold_projections.render_html import render_html
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Against, Report, report
from tickfold_projections.statistics import statistics


def backtest(results: Sequence[float], every: float = 60) -> Report:
    return report("w", trades(results, every=every), kind="backtest")


def beside(live: Sequence[float], there: Sequence[float], *, exchange: str = "sim-1") -> Report:
    story = Story(exchange=exchange)
    for number, result in enumerate(live):
        story.trade(number * 60, number * 60 + 30, result)
    return beside_backtest(report("w", story.events), backtest(there))


def about(told: Report, beginning: str) -> list[str]:
    return [each for each in diagnoses(told) if each.startswith(beginning)]


def test_the_same_signals_are_known_by_their_ids() -> None:
    story = Story()
    # The second of the backtest was not opened here, the fourth ended otherwise, the last came after the end.
    for minute, result in ((0, 1.0), (120, 2.0), (180, -1.0), (200, 0.5)):
        story.trade(minute, minute + 20, result)
    there = [1.0, 3.0, 2.0, 1.0, 4.0]
    assert beside_backtest(report("w", story.events), backtest(there)).against == Against(
        statistics=statistics(trades(there)), shared=3, differing=1, here=2.0, there=4.0, missed=1, extra=1
    )


def test_the_sum_of_rounding_is_no_other_result() -> None:
    assert beside([0.1 + 0.2], [0.3]).against == Against(
        statistics=statistics(trades([0.3])), shared=1, differing=0, here=0.1 + 0.2, there=0.3, missed=0, extra=0
    )


def test_an_exchange_of_another_name_knows_none_of_them() -> None:
    against = beside([1.0, 1.0], [1.0, 1.0], exchange="elsewhere").against
    assert against is not None
    assert (against.shared, against.missed, against.extra) == (0, 2, 2)


def test_nothing_happened_here_and_nothing_is_missed() -> None:
    against = beside([], [1.0, 1.0]).against
    assert against is not None
    assert (against.shared, against.missed, against.extra) == (0, 0, 0)


def test_live_that_is_worse_by_two_standard_errors_is_told_with_both_means() -> None:
    here, there = [0.1, -0.1] * 10, [1.1, 0.9] * 10
    assert about(beside(here, there), "Live is worse") == [
        (
            "Live is worse than its backtest: on average +0.0000 % over 20 signals, there +1.0000 % over 20; "
            "that is 30.8 standard errors."
        )
    ]
    assert about(beside(there, here), "Live is worse") == []
    assert about(beside([2.0, -2.0] * 10, [2.1, -1.9] * 10), "Live is worse") == []
    assert about(beside(here[:9], there), "Live is worse") == []
    assert about(beside(here, there[:9]), "Live is worse") == []
    assert about(beside([1.0] * 10, [2.0] * 10), "Live is worse") == [
        (
            "Live is worse than its backtest: on average +1.0000 % over 10 signals, there +2.0000 % over 10, "
            "and neither varies."
        )
    ]


def test_the_same_signals_that_ended_worse_are_told() -> None:
    assert about(beside([1.0, -1.0, 2.0], [1.0, 0.5, 2.0]), "The same signals") == [
        "The same signals ended worse than in the backtest: 1 of 3 otherwise, +2.00 % here, +3.50 % there."
    ]
    assert about(beside([1.0, 1.5], [1.0, 0.5]), "The same signals") == []
    assert about(beside([1.0, 0.5], [1.0, 0.5]), "The same signals") == []


def test_signals_that_are_missing_here_are_told_where_others_are_shared() -> None:
    story = Story()
    for minute in (0, 120):
        story.trade(minute, minute + 30, 1.0)
    told = beside_backtest(report("w", story.events), backtest([1.0, 1.0, 1.0]))
    assert about(told, "Signals of the backtest") == [
        "Signals of the backtest are missing: 1 that closed there in this time did not here; 2 did in both."
    ]
    assert about(beside([1.0], [1.0, 1.0], exchange="elsewhere"), "Signals of the backtest") == []


def test_nothing_is_said_of_a_backtest_with_results_that_no_market_gives() -> None:
    assert about(beside([1.0, -1.0] * 10, [1e200, 3e200] * 10), "Live is worse") == []


def test_it_is_in_the_page_and_in_json() -> None:
    told = beside([1.0, -1.0], [1.0, 0.5])
    page = Page(render_html(told))
    section = next(rows for kind, rows in page.tables() if rows[0] == ["Statistic", "Live", "Backtest"])
    assert [line for line in section if line[0] == "Total PNL"] == [["Total PNL", "+0.0000 %", "+1.5000 %"]]
    assert "\n- The same signals ended worse than in the backtest: 1 of 2 otherwise" in render_markdown(told)
    assert msgspec.json.decode(render_json(told), type=Report) == told
    assert "Beside its backtest" not in render_html(report("w", trades([1.0])))
