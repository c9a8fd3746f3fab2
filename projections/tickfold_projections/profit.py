"""What a signal earns, net of fees and slippage, in percent of its entry."""

from __future__ import annotations

from typing import Any, SupportsFloat

import attrs

from tickfold_eventstore.signals import Position, ProfitAndLoss


def _number(value: SupportsFloat) -> Any:
    """Python's float of a number of any kind; what is none, as it is: the check says so."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _fraction(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if not isinstance(value, float) or not 0 <= value < 0.5:
        raise ValueError(
            f"Costs.{attribute.name} is {value!r:.100}; it must be a fraction of the price from 0 to below 0.5 "
            "(0.001 is 0.1 %), each way"
        )


@attrs.frozen
class Costs:
    """What trading costs, per side, as fractions of the price: 0.001 is 0.1 %. Funding is not in it.

    Raises `ValueError` for what is no fraction from 0 to below 0.5: more would take all that is traded.
    """

    fee: float = attrs.field(default=0.001, converter=_number, validator=_fraction)
    slippage: float = attrs.field(default=0.001, converter=_number, validator=_fraction)


def profit_and_loss(position: Position, entry: float, exit: float, costs: Costs) -> ProfitAndLoss:  # noqa: A002  # the field's word
    """The net result of entering at `entry` and leaving at `exit`, both before slippage.

    Slippage moves both prices against the position; both fees are taken off the gross percentage.
    """
    paid = costs.slippage if position == "long" else -costs.slippage
    opened = entry * (1 + paid)
    closed = exit * (1 - paid)
    gross = (closed - opened) / opened * 100 if position == "long" else (opened - closed) / opened * 100
    return ProfitAndLoss(percentage=gross - 2 * (costs.fee * 100), entry=entry, exit=exit)


def break_even_distance(position: Position, costs: Costs) -> float:
    """How far from the entry, as a fraction of it, the exit must be for a result of zero.

    It solves `profit_and_loss(...) = 0` for exit / entry.
    """
    if position == "long":
        return (1 + costs.slippage) * (1 + 2 * costs.fee) / (1 - costs.slippage) - 1
    return 1 - (1 - costs.slippage) * (1 - 2 * costs.fee) / (1 + costs.slippage)
