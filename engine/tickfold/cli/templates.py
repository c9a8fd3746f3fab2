"""The files of a first project, with gaps (`$name`) that `init` and `new` fill in."""

from __future__ import annotations

STRATEGY = '''\
"""$title"""

from __future__ import annotations

from datetime import timedelta

from tickfold import Context, Signal, strategy


@strategy($name, interval="1h", lookback={"1h": 24})
def $function(ctx: Context) -> Signal | None:
    """Long while the price is above the mean of the last 24 hourly closes; otherwise nothing."""
    mean = ctx.candles("1h").close.mean()
    if ctx.price <= mean:
        return None
    return Signal.long(
        take_profit=ctx.price * 1.02,
        stop_loss=ctx.price * 0.985,
        lifetime=timedelta(hours=18),
        note="above the mean",
    )
'''

MARKET = """

# Where candles come from, and over which range to try: a seeded market that needs no network. For real ones write
# csv:PATH or ccxt:ID in its place, or give --exchange.
exchange("practice", "sim:7")
Frame("first-month", "2020-01-01", "2020-02-01")
"""

TEST = '''\
"""What the strategy does over the first month. Run it with `pytest`, or with `python test_strategy.py`."""

from __future__ import annotations

from strategy import first

from tickfold import Backtest


RANGE = {"exchange": "practice", "frame": "first-month"}


def test_it_trades_and_every_signal_has_its_levels_on_the_right_side() -> None:
    result = Backtest().execute("BTCUSDT", strategy=first, **RANGE)
    assert result.closed
    for closed in result.closed:
        assert closed.signal.stop_loss < closed.signal.entry < closed.signal.take_profit


def test_the_same_candles_give_the_same_events() -> None:
    one, other = (Backtest().execute("BTCUSDT", strategy=first, **RANGE) for _ in range(2))
    assert one.events == other.events


if __name__ == "__main__":
    test_it_trades_and_every_signal_has_its_levels_on_the_right_side()
    test_the_same_candles_give_the_same_events()
'''

README = """\
# A first project

`strategy.py` holds a strategy, a market to try it on and a range of time. These run as they stand:

```sh
tickfold backtest strategy.py --symbol BTCUSDT --frame first-month
tickfold live strategy.py --symbol BTCUSDT --clock replay --to 2020-02-01
tickfold report first
tickfold status
python test_strategy.py
```

Over a real exchange, until Ctrl-C:

```sh
tickfold live strategy.py --symbol BTC/USDT --exchange ccxt:binance
```

Journals lie in `data/`. They are the memory of every run: back them up, and never edit them.
"""

IGNORED = "data/\n__pycache__/\n"
