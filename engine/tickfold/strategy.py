"""What users declare: a strategy, its windows and its callbacks."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import attrs

from .context import Context
from .errors import DeclarationError
from .market import MINUTE_MS, parse_interval
from .proposal import Signal, shown
from .registry import Registry, check_name, each_of
from .risk import Risk
from .vectorized import VectorizedForm

Answer = Signal | None
StrategyFunction = Callable[[Context], Answer | Awaitable[Answer]]
Callback = Callable[[Any], object]

CALLBACKS = ("on_open", "on_active", "on_close", "on_idle", "on_schedule", "on_cancel", "on_reject", "on_tick")


LONGEST_LOOKBACK_MINUTES = 20 * 366 * 1440
"""Some twenty years. A window is held in memory, and nobody has longer ones."""


def _lookback(windows: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(cast("object", windows), Mapping):
        raise DeclarationError(f'lookback is {shown(windows)}; write it as {{"1m": 60, "1h": 24}}, candles by interval')
    for interval, count in windows.items():
        minutes = _minutes(interval)
        if type(count) is not int or count < 1:
            raise DeclarationError(f"lookback {interval!r}: {shown(count)} is not a number of candles from 1 up")
        if count * minutes > LONGEST_LOOKBACK_MINUTES:
            raise DeclarationError(f"lookback {interval!r}: {shown(count)} candles reach back over 20 years")
    return dict(windows)


def _minutes(interval: object) -> int:
    return parse_interval(interval if isinstance(interval, str) else shown(interval))


def _rules(given: str | Risk | Sequence[str | Risk]) -> tuple[str | Risk, ...]:
    """One risk rule or several, each itself or by its name."""
    rules = tuple(each_of(given, str, Risk))
    for rule in rules:
        if not isinstance(rule, str | Risk):
            raise DeclarationError(f"risk={shown(given)}: give a Risk, its name, or a list of them")
    return rules


@attrs.define(eq=False, on_setattr=attrs.setters.frozen)
class Strategy:
    """A function that is asked at each slot, what it reads, and who hears of its signals.

    `interval` is how often it is asked ("15m"), `lookback` how many closed candles of which interval it reads
    ({"1m": 60, "1h": 24}). `function` takes a `Context` and returns a `Signal` or None; it may be `async`. `risk` names
    the rules that judge what it proposes: one that all must pass where there are several.
    """

    name: str
    function: StrategyFunction
    interval: str = "1m"
    lookback: dict[str, int] = attrs.field(factory=dict[str, int], converter=_lookback)
    callbacks: dict[str, Callback] = attrs.field(factory=dict[str, Callback])
    risk: tuple[str | Risk, ...] = attrs.field(default=(), converter=_rules)
    form: VectorizedForm | None = attrs.field(default=None, init=False, on_setattr=attrs.setters.NO_OP)
    """The vectorised form, where `vectorized` was given one."""

    def __attrs_post_init__(self) -> None:
        check_name("strategy", self.name)
        if not callable(self.function):
            raise DeclarationError(f"strategy {self.name}: {shown(self.function)} is no function of a context")
        _check_form(self.name, self.function)
        unknown = sorted(set(self.callbacks) - set(CALLBACKS))
        if unknown:
            raise DeclarationError(
                f"strategy {self.name}: no callback {unknown[0]!r}; there are {', '.join(CALLBACKS)}"
            )
        for name, call in self.callbacks.items():
            if not callable(call):
                raise DeclarationError(f"strategy {self.name}: {name} is {shown(call)}, which cannot be called")
        _minutes(self.interval)

    @property
    def interval_ms(self) -> int:
        return parse_interval(self.interval) * MINUTE_MS

    @property
    def is_async(self) -> bool:
        made: object = type(self.function).__call__  # an object that is called
        return inspect.iscoroutinefunction(self.function) or inspect.iscoroutinefunction(made)

    @property
    def hash(self) -> str:
        """Sixteen hex digits of the source and the declaration: they change when the code does."""
        try:
            source = inspect.getsource(self.function)
        except (OSError, TypeError):
            source = repr(getattr(self.function, "__code__", self.function))
        told = repr((self.name, self.interval, sorted(self.lookback.items())))
        if self.risk:
            told += repr([each if isinstance(each, str) else each.name for each in self.risk])
        return hashlib.sha256(f"{told}\n{source}".encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def vectorized(self, form: VectorizedForm) -> VectorizedForm:
        """Decorate a second form of the strategy, which answers many slots at once: `Slots` in, `Proposals` out.

        A backtest takes it only where it is asked to (`Backtest(vectorized=True)`); `tickfold audit forms` says whether
        both forms agree.

        Raises `DeclarationError` for what cannot be called so.
        """
        given: object = form  # whatever its annotation says
        if not callable(given) or inspect.iscoroutinefunction(given):
            raise DeclarationError(f"strategy {self.name}: {shown(form)} is no plain function of slots")
        if self.form is not None:
            raise DeclarationError(f"strategy {self.name}: it has a vectorised form already")
        self.form = form
        return form

    def __call__(self, ctx: Context) -> Answer | Awaitable[Answer]:
        return self.function(ctx)


def _check_form(name: str, function: StrategyFunction) -> None:
    try:
        inspect.signature(function).bind(None)
    except ValueError:  # it does not say what it takes
        return
    except TypeError as error:
        raise DeclarationError(f"strategy {name}: it cannot be called with a context and no more: {error}") from None


STRATEGIES: Registry[Strategy] = Registry("strategy")


def strategy(
    name: str,
    *,
    interval: str = "1m",
    lookback: Mapping[str, int] | None = None,
    risk: str | Risk | Sequence[str | Risk] = (),
    **callbacks: Callback,
) -> Callable[[StrategyFunction], Strategy]:
    """Declare and register a strategy; the decorated function becomes a `Strategy`.

    Raises `DeclarationError` for a name that is taken, an interval, window or callback that does not exist.
    """
    if callable(name):
        raise DeclarationError('write @strategy("name", interval="15m"): the name comes before the function')
    check_name("strategy", name)

    def register(function: StrategyFunction) -> Strategy:
        return STRATEGIES.add(name, Strategy(name, function, interval, dict(lookback or {}), callbacks, risk))

    return register


def find_strategy(given: str | Strategy) -> Strategy:
    """The strategy itself, or the one registered under that name; raises `UnknownName`, and `DeclarationError` for what
    is neither.
    """
    told: Any = given  # whatever its annotation says
    if isinstance(told, Strategy):
        return told
    if isinstance(told, str):
        return STRATEGIES.get(told)
    raise DeclarationError(
        f'{shown(told)} is no strategy: decorate its function with @strategy("name"), or give the name of one'
    )


def find_strategies(given: str | Strategy | Sequence[str | Strategy]) -> list[Strategy]:
    """One strategy or several, each itself or by its registered name. Raises as `find_strategy`, and where there is
    none.
    """
    found = [find_strategy(each) for each in each_of(given, str, Strategy)]
    if not found:
        raise DeclarationError("no strategy is given: give one, its name, or a list of them")
    return found
