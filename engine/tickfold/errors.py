"""What can go wrong in the engine. Each error builds its sentence from facts, keeps them, and says what to do.

TickfoldError
├── DeclarationError        a strategy, frame, interval or window is declared wrongly
│   └── WindowNotDeclared   a strategy asks for candles that it did not declare
├── UnknownName             a name that nothing was registered under
├── NotOpen                 used outside its `async with`
├── LoopIsRunning           plain code was to drive what waits, inside an event loop
├── ExtraMissing            a package that an extra brings is not installed
├── StrategyFailed          a strategy raised, or returned what is no proposal
├── SlotMissed              a slot was not asked or not answered in time; told, never raised
├── ExchangeError           the exchange did not give the candles that are needed
│   ├── ExchangeUnreachable     tried as often as configured
│   ├── TryAgain                a source raises it for a fault that may pass
│   ├── BadCandles              what it gave cannot be used
│   │   └── BadCandleFile           a line of a file
│   ├── CandlesMissing          what it gave does not reach
│   ├── EndlessSource           it has no end, and none was asked for
│   ├── SpanUnknown             it does not say from when to when it has candles
│   └── NeedsAsyncio            it does not work under trio
├── CandlesFilled           a hole was filled with flat candles; told, never raised
├── CandlesForgotten        candles that were used are not given any more; told, never raised
├── CandlesNotKept          what live used could not be written to its archive; told, never raised
└── CandlesRevised          a candle that was used is given with other values now; told, never raised
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def iso(at: int | None) -> str:
    """Milliseconds since the epoch as people read them."""
    if at is None:
        return "none"
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"@{at}"


def told(error: BaseException) -> str:
    """A foreign error's kind and what it says, even where it cannot say it."""
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception:  # noqa: BLE001  # what somebody's __str__ raises is not what went wrong
        return f"{type(error).__name__}, whose message cannot be read"


class TickfoldError(Exception):
    """Base of every error that the engine raises on purpose."""


class DeclarationError(TickfoldError, ValueError):
    """Something is declared in a way that cannot be meant."""


class WindowNotDeclared(DeclarationError):
    """A strategy may read only the windows that it declares, so that none is ever short or looks ahead."""

    def __init__(self, interval: object, declared: Iterable[str]) -> None:
        known = ", ".join(declared) or "none"
        super().__init__(
            f"candles({interval!r}) is not declared (declared: {known}); "
            f"add lookback={{{interval!r}: N}} to the strategy, N being how many candles it reads"
        )
        self.interval = interval


class UnknownName(TickfoldError, LookupError):
    """Nothing of this kind has that name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...], near: str | None = None) -> None:
        hint = f"; did you mean {near!r}?" if near else ""
        super().__init__(f"no {kind} is named {name!r}{hint} (there are: {', '.join(known) or 'none'})")
        self.kind = kind
        self.name = name
        self.known = known


class NotOpen(TickfoldError, RuntimeError):
    """Runs live inside the context manager that owns their tasks."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what} needs its tasks: use it inside `{how}`")


class LoopIsRunning(TickfoldError, RuntimeError):
    """What waits cannot be driven by plain code that an event loop waits for."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} waits, and an event loop is running here already: write "
            "`async for closed in backtest.run(...)` or "
            "`await anyio.to_thread.run_sync(functools.partial(backtest.execute, ...))`"
        )
        self.what = what


class ExtraMissing(TickfoldError, ImportError):
    """What is asked for needs a package that Tickfold does without otherwise."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs {package}, which is not installed: pip install 'tickfold[{extra}]'")
        self.package = package
        self.extra = extra


class StrategyFailed(TickfoldError):
    """The strategy raised, or returned what is neither a proposal nor None. The cause is chained."""

    def __init__(self, stream: object, at: int, error: BaseException) -> None:
        super().__init__(f"strategy of {stream} failed at {iso(at)}: {told(error)}")
        self.stream = stream
        self.at = at


class SlotMissed(TickfoldError):
    """A slot passed without a question or without an answer in time."""

    def __init__(self, stream: object, at: int, waited_for: object = None) -> None:
        why = "it was not asked, or not answered, in time"
        if waited_for is not None:
            why = f"a risk rule waits for {waited_for}, which has not come so far in time"
        super().__init__(f"{stream}: the slot {iso(at)} was missed: {why}")
        self.stream = stream
        self.waited_for = waited_for
        self.at = at


class ExchangeError(TickfoldError):
    """The exchange did not give the candles that are needed."""


class ExchangeUnreachable(ExchangeError):
    """Every attempt failed. The last failure is chained."""

    def __init__(self, exchange: str, symbol: str, attempts: int, why: str) -> None:
        tried = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"{exchange} gave no candles of {symbol} in {tried}: {why}")
        self.exchange = exchange
        self.symbol = symbol
        self.attempts = attempts
        self.why = why


class TryAgain(ExchangeError):
    """A fault of the network or of the exchange that may pass; asked again, at the earliest in `after` ms."""

    def __init__(self, why: str, after: int | None = None) -> None:
        super().__init__(why)
        self.after = after


class BadCandles(ExchangeError, ValueError):
    """A candle cannot be true: says which, and the value."""

    def __init__(self, symbol: str, at: int | None, what: str) -> None:
        where = "candles" if at is None else "the candle"
        when = "" if at is None else f" at {iso(at)}"
        super().__init__(f"{where} of {symbol}{when} cannot be used: {what}")
        self.symbol = symbol
        self.at = at
        self.what = what


class BadCandleFile(BadCandles):
    """A line of a file of candles cannot be read: names the file, the line, the column and the value."""

    def __init__(self, symbol: str, path: object, line: int | None, column: str | None, what: str) -> None:
        places = (str(path), None if line is None else f"line {line}", None if column is None else f"column {column}")
        super().__init__(symbol, None, f"{', '.join(place for place in places if place)}: {what}")
        self.path = path
        self.line = line
        self.column = column


class CandlesMissing(ExchangeError):
    """What the exchange gives does not reach over the minutes that must be watched."""

    def __init__(self, symbol: str, start: int | None, end: int) -> None:
        super().__init__(f"no candles of {symbol} from {iso(start)} to {iso(end)}; they are needed to go on")
        self.symbol = symbol
        self.start = start
        self.end = end


class EndlessSource(ExchangeError):
    """The exchange has no end of its own."""

    def __init__(self, exchange: str) -> None:
        super().__init__(f"{exchange} has no end of its own: say where to stop (a frame, or --to)")
        self.exchange = exchange


class SpanUnknown(ExchangeError):
    """The exchange does not say from when to when it has candles."""

    def __init__(self, exchange: str) -> None:
        super().__init__(
            f"{exchange} does not say from when to when it has candles: name a range (a frame, or --from and --to), "
            "or give it `async def span(symbol)` that returns its first open time and the end of its candles"
        )
        self.exchange = exchange


class NeedsAsyncio(ExchangeError):
    """The client of this exchange works on asyncio alone."""

    def __init__(self, exchange: str) -> None:
        super().__init__(
            f"{exchange} is read through ccxt, whose client needs asyncio, and this runs on trio: "
            "run it with asyncio (anyio.run does so unless told otherwise), or use another exchange"
        )
        self.exchange = exchange


class CandlesFilled(TickfoldError):
    """Minutes between two delivered candles were not there, after asking twice, and stand as flat candles."""

    def __init__(self, symbol: str, start: int, end: int) -> None:
        count = (end - start) // 60_000
        super().__init__(f"{symbol}: {count} minutes from {iso(start)} had no candle and are filled, flat, volume 0")
        self.symbol = symbol
        self.start = start
        self.end = end


class CandlesForgotten(TickfoldError):
    """The exchange does not give candles any more that were used; what was decided stands."""

    def __init__(self, symbol: str, start: int, end: int) -> None:
        super().__init__(
            f"{symbol}: the candles from {iso(start)} to {iso(end)} were used, and the exchange gives them no longer; "
            "what was decided stands"
        )
        self.symbol = symbol
        self.start = start
        self.end = end


class CandlesNotKept(TickfoldError):
    """An archive could not take what live used. The cause is chained; no decision depends on it."""

    def __init__(self, symbol: str, start: int, end: int, path: object, why: str) -> None:
        super().__init__(
            f"{symbol}: the candles from {iso(start)} to {iso(end)} were not kept in {path}: {why}; the run goes on, "
            "and `tickfold candles download` can fetch them again"
        )
        self.symbol = symbol
        self.start = start
        self.end = end


class CandlesRevised(TickfoldError):
    """The exchange gives a candle otherwise than it was used; what was decided stands."""

    def __init__(self, symbol: str, used: tuple[float, ...], now: tuple[float, ...]) -> None:
        super().__init__(f"{symbol}: the candle at {iso(int(used[0]))} was used as {used[1:]}, and is now {now[1:]}")
        self.symbol = symbol
        self.used = used
        self.now = now
