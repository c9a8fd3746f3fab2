"""Buys while the short average of the hourly closes is above the long one.

tickfold backtest examples/sma_cross.py --exchange sim:7 --symbol BTCUSDT --to 2020-02-01
"""

from __future__ import annotations

from datetime import timedelta

from tickfold import Context, Signal, strategy


@strategy("sma-cross", interval="15m", lookback={"1h": 24})
def sma_cross(ctx: Context) -> Signal | None:
    close = ctx.candles("1h").close  # closed candles only, oldest first
    if close[-5:].mean() > close.mean():
        return Signal.long(
            take_profit=ctx.price * 1.02,
            stop_loss=ctx.price * 0.99,
            lifetime=timedelta(hours=12),
            note="5 h above 24 h",
        )
    return None
