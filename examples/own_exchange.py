"""An exchange of your own: a class or a function of a few lines, here with candles made up on the spot.

    python examples/own_exchange.py

runs one strategy over both, in memory, and prints what came of it.
"""

from __future__ import annotations

import math

from tickfold import Backtest, Context, Frame, Signal, exchange, strategy

MINUTE = 60_000


def candle(time: int) -> tuple[float, ...]:
    """Open time in ms, open, high, low, close, volume. Yours would come from a file, a database or a web service."""
    opened, close = (100 + math.sin(at / MINUTE / 40) for at in (time, time + MINUTE))
    return time, opened, max(opened, close), min(opened, close), close, 1.0


# A function is enough. What it returns is rows of numbers, oldest first, with an open time in [start, end).


async def waves(symbol: str, start: int, end: int) -> list[tuple[float, ...]]:
    return [candle(time) for time in range(start, end, MINUTE)]


# A class can say more: from when to when it has candles. It may hold a connection, and give it back in `aclose`.


class Recorded:
    name = "recorded"
    first, last = 1_704_067_200_000, 1_704_153_600_000  # 2024-01-01 and the midnight after it

    async def candles(self, symbol: str, start: int, end: int) -> list[tuple[float, ...]]:
        return [candle(time) for time in range(max(start, self.first), min(end, self.last), MINUTE)]

    async def span(self, symbol: str) -> tuple[int, int]:
        return self.first, self.last


exchange("waves", waves)


@strategy("buy-the-dip", interval="5m", lookback={"1m": 240})
def buy_the_dip(ctx: Context) -> Signal | None:
    close = ctx.candles("1m").close
    if ctx.price > close.mean() - 0.7:
        return None
    return Signal.long(take_profit=ctx.price * 1.012, stop_loss=ctx.price * 0.97, lifetime=240)


def main() -> None:
    day = Frame("first day", "2024-01-01", "2024-01-02")
    # The function has candles of the evening before as well, to fill the windows with: so it trades from midnight on.
    for source in ("waves", Recorded()):
        result = Backtest().execute("A", strategy=buy_the_dip, exchange=source, frame=day)
        for event in result.closed:
            print(f"{event.exchange}: {event.signal.entry:.2f} -> {event.price:.2f}, {event.pnl.percentage:+.2f} %")


if __name__ == "__main__":
    main()
