"""The configuration takes what can be meant and refuses the rest, naming field, value, unit and range."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import attrs
import numpy as np
import pytest

from tickfold import Config, Costs
from tickfold.errors import DeclarationError

LIMIT = ", or 0, None or False: no limit"
REFUSED: list[tuple[str, Any, str]] = [
    ("costs", (0.001, 0.001), "(0.001, 0.001); it must be Costs(fee=..., slippage=...), fractions of the price"),
    ("policy", "optimistic", "'optimistic'; it must be 'pessimistic' or 'backtest_kit'"),
    ("policy", ["pessimistic"], "['pessimistic']; it must be 'pessimistic' or 'backtest_kit'"),
    ("take_profit_covers_costs", "no", "'no'; it must be True or False"),
    *(
        (
            "max_stop_loss_distance",
            given,
            f"{told}; it must be a fraction of the entry above 0 and up to 1 (0.2 is 20 %)",
        )
        for given, told in [(20, "20.0"), (-0.1, "-0.1"), (nan, "nan"), (inf, "inf"), ("0.2", "'0.2'"), (True, "True")]
    ),
    *(
        ("max_lifetime_minutes", given, f"{told}; it must be a whole number of minutes from 1 to 1000000000{LIMIT}")
        for given, told in [(nan, "nan"), (inf, "inf"), (-1, "-1"), (1.5, "1.5"), (10**30, str(10**30)), ("1", "'1'")]
    ),
    ("max_note_characters", 40_001, f"40001; it must be a whole number of characters from 1 to 40000{LIMIT}"),
    *(
        (
            "entry_timeout",
            given,
            f"{told}; it must be a whole number of ms (or a timedelta) from 1 to 60000000000000{LIMIT}",
        )
        for given, told in [
            (timedelta(days=-1), "-86400000"),
            (timedelta(microseconds=5), "datetime.timedelta(microseconds=5)"),
            (60_000.0, "60000.0"),
            (2**64, str(2**64)),
        ]
    ),
    *(
        ("max_decision_delay", given, f"{told}; it must be a whole number of ms (or a timedelta) from 1 to 86400000")
        for given, told in [(0, "0"), (None, "None"), (True, "True"), (-1, "-1"), (timedelta(days=2), "172800000")]
    ),
    ("settle", -1, "-1; it must be a whole number of ms (or a timedelta) from 0 to 59999"),
    ("settle", timedelta(minutes=1), "60000; it must be a whole number of ms (or a timedelta) from 0 to 59999"),
    ("slow_strategy", 0, "0; it must be a whole number of ms (or a timedelta) from 1 to 86400000"),
    ("fetch_attempts", 0, "0; it must be a whole number of attempts from 1 to 100"),
    ("fetch_attempts", "3", "'3'; it must be a whole number of attempts from 1 to 100"),
    ("retry_pause", 0.5, "0.5; it must be a whole number of ms (or a timedelta) from 0 to 86400000"),
    ("late_candle_pause", 0, "0; it must be a whole number of ms (or a timedelta) from 1 to 86400000"),
    ("overlap_minutes", 0, "0; it must be a whole number of minutes from 1 to 1440"),
    ("drain_grace", -1, "-1; it must be a whole number of ms (or a timedelta) from 0 to 86400000"),
]


@pytest.mark.parametrize(("field", "value", "words"), REFUSED)
def test_what_cannot_be_meant_is_refused_by_field_value_unit_and_range(field: str, value: Any, words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Config(**{field: value})
    assert str(refused.value).startswith(f"Config.{field} is {words}")


def test_every_field_is_judged() -> None:
    nothing: Any = object()
    for field in attrs.fields(Config):
        with pytest.raises(DeclarationError, match=rf"^Config\.{field.name} is <object"):
            Config(**{field.name: nothing})


def test_an_answer_must_be_able_to_come_in_time() -> None:
    with pytest.raises(DeclarationError, match=r"settle is 3000 ms and Config\.max_decision_delay 3000 ms: no answer"):
        Config(settle=3000, max_decision_delay=3000)
    assert Config(settle=2999, max_decision_delay=3000).settle == 2999


@pytest.mark.parametrize("off", [0, 0.0, None, False])
def test_a_falsy_limit_is_off_however_it_is_written(off: Any) -> None:
    limits = ["max_stop_loss_distance", "max_lifetime_minutes", "max_note_characters", "entry_timeout"]
    given: dict[str, Any] = dict.fromkeys(limits, off)
    config = Config(take_profit_covers_costs=off, **given)
    assert [getattr(config, limit) for limit in limits] == [None, None, None, 0]
    assert config.take_profit_covers_costs is False
    given = dict.fromkeys(limits)
    assert config.hash == Config(take_profit_covers_costs=False, **given).hash


def test_numbers_of_other_kinds_become_pythons_own() -> None:
    whole: Any = np.int64(90)
    fraction: Any = Decimal("0.25")
    config = Config(max_lifetime_minutes=whole, max_stop_loss_distance=fraction, settle=timedelta(seconds=3))
    values = (config.max_lifetime_minutes, config.max_stop_loss_distance, config.settle)
    assert [(type(value), value) for value in values] == [(int, 90), (float, 0.25), (int, 3000)]
    costs = Costs(fee=np.float32(0.25), slippage=Decimal("0.125"))
    assert [(type(value), value) for value in (costs.fee, costs.slippage)] == [(float, 0.25), (float, 0.125)]


@pytest.mark.parametrize("name", ["fee", "slippage"])
@pytest.mark.parametrize(
    ("value", "told"),
    [(nan, "nan"), (inf, "inf"), (-0.001, "-0.001"), (0.5, "0.5"), ("0.1", "'0.1'"), (None, "None"), (True, "True")],
)
def test_costs_are_fractions_that_leave_something(name: str, value: Any, told: str) -> None:
    with pytest.raises(ValueError, match="must be a fraction") as refused:
        Costs(**{name: value})
    assert str(refused.value) == (
        f"Costs.{name} is {told}; it must be a fraction of the price from 0 to below 0.5 (0.001 is 0.1 %), each way"
    )
