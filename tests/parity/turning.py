"""The strategy file of the runs that are killed: it opens often, at market and at a limit, on both sides."""

from __future__ import annotations

from tickfold import Context, Signal, strategy


@strategy("turning", interval="5m", lookback={"1m": 10})
def turning(ctx: Context) -> Signal | None:
    close = ctx.candles("1m").close
    price = ctx.price
    if close[-1] == close[0]:
        return None
    match ctx.now // 300_000 % 4:
        case 0:
            return Signal.short(take_profit=price * 0.993, stop_loss=price * 1.004, lifetime=40, entry=price * 1.001)
        case 1:
            return Signal.long(take_profit=price * 1.001, stop_loss=price * 0.995, lifetime=30, note="too near")
        case _:
            return Signal.long(take_profit=price * 1.006, stop_loss=price * 0.995, lifetime=30)
