"""What to do: an event-sourced engine for trading signals.

A strategy proposes a signal; the engine watches it every minute until it closes. Each decision is in an fsync'd
journal before anyone hears of it, and everything else is a fold over that journal.
"""

from __future__ import annotations

from tickfold_eventstore.events import (
    Cancelled,
    Closed,
    Event,
    Opened,
    Rejected,
    Scheduled,
    Started,
    Stopped,
)
from tickfold_projections.profit import Costs

from .backtest import Backtest
from .candles import Candles
from .config import Config
from .context import Context
from .errors import TickfoldError
from .frame import Frame
from .listeners import (
    listen_done_backtest,
    listen_done_backtest_once,
    listen_done_live,
    listen_done_live_once,
    listen_error,
    listen_error_once,
    listen_performance,
    listen_performance_once,
    listen_progress,
    listen_progress_once,
    listen_signal,
    listen_signal_backtest,
    listen_signal_backtest_once,
    listen_signal_live,
    listen_signal_live_once,
    listen_signal_once,
)
from .live import Live
from .notices import Active, Idle, Waiting
from .proposal import Signal
from .risk import Risk, RiskGroup
from .sources import exchange
from .strategy import strategy
from .vectorized import Proposals, Slots

__all__ = [
    "Active",
    "Backtest",
    "Cancelled",
    "Candles",
    "Closed",
    "Config",
    "Context",
    "Costs",
    "Event",
    "Frame",
    "Idle",
    "Live",
    "Opened",
    "Proposals",
    "Rejected",
    "Risk",
    "RiskGroup",
    "Scheduled",
    "Signal",
    "Slots",
    "Started",
    "Stopped",
    "TickfoldError",
    "Waiting",
    "exchange",
    "listen_done_backtest",
    "listen_done_backtest_once",
    "listen_done_live",
    "listen_done_live_once",
    "listen_error",
    "listen_error_once",
    "listen_performance",
    "listen_performance_once",
    "listen_progress",
    "listen_progress_once",
    "listen_signal",
    "listen_signal_backtest",
    "listen_signal_backtest_once",
    "listen_signal_live",
    "listen_signal_live_once",
    "listen_signal_once",
    "strategy",
]
