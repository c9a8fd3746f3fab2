"""Where candles come from. One protocol, and one door, `fetch`, through which everything from outside is checked.

protocol     what an exchange is
trusted      fetch: asked with patience, checked, contiguous
checks       what is refused, what is filled
source       `ccxt:binance`, `csv:PATH`, `sim:SEED`, an object, a function, `Candles` → an exchange
csv_file  simulated  ccxt  memory  own      the adapters
candle_text  what stands in a CSV file
"""

from __future__ import annotations

from .own import may_be_asked_plainly
from .protocol import CandleFunction, CandleSource, Exchange, Source, span
from .source import as_exchange, is_source_text
from .trusted import fetch

__all__ = [
    "CandleFunction",
    "CandleSource",
    "Exchange",
    "Source",
    "as_exchange",
    "fetch",
    "is_source_text",
    "may_be_asked_plainly",
    "span",
]
