"""The strategy of `tickfold demo`: with the day's average or against it, one signal after the other."""

from __future__ import annotations

from datetime import timedelta

from tickfold import Context, Signal, strategy


@strategy("demo", interval="1h", lookback={"1h": 24})
def demo(ctx: Context) -> Signal:
    """Long above the mean of the last 24 hourly closes, short below it; two percent up, one and a half down."""
    average = ctx.candles("1h").close.mean()
    lifetime = timedelta(hours=18)
    if ctx.price >= average:
        return Signal.long(
            take_profit=ctx.price * 1.02, stop_loss=ctx.price * 0.985, lifetime=lifetime, note="above the day's average"
        )
    return Signal.short(
        take_profit=ctx.price * 0.98, stop_loss=ctx.price * 1.015, lifetime=lifetime, note="below the day's average"
    )
