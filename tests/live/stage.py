"""The stage on which live is tried: a clock moved by hand, a desk, a strategy with its lines, and all that is seen.

What happens is told as lines in the order in which it happened; a line of the journal is written when its append is
done. Nothing here waits for real time: `settled` runs what can run, and time passes from one wake to the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import attrs

from tests.live.desk import Desk, moment, told
from tickfold import Config, Context, Event, Live, Signal, listen_done_live, listen_error, listen_signal_live
from tickfold.clock import ManualClock
from tickfold.handle import Handle
from tickfold.notices import Done, Fault, Result
from tickfold.strategy import Strategy
from tickfold_eventstore import Journal, Store, Stream
from tickfold_eventstore.recovery import Fold
from tickfold_eventstore.verify import verify

T = TypeVar("T")
SYMBOL = "BTCUSDT"
QUIET_STEPS = 40


async def settled(lines: Sequence[object] = (), clock: ManualClock | None = None) -> None:
    """Let everything run that can: until nothing was told and nobody went to sleep for many steps of the loop."""

    def seen() -> object:
        return len(lines), clock and clock.next_wake

    quiet, before = 0, seen()
    while quiet < QUIET_STEPS:
        await anyio.lowlevel.checkpoint()
        quiet, before = (quiet + 1, before) if seen() == before else (0, seen())


def noted(hear: Callable[[Any], object]) -> Callable[[Any], Awaitable[None]]:
    """A listener that is heard in the event loop, in step with the clock, where a plain one has a thread."""

    async def listener(value: Any) -> None:
        hear(value)

    return listener


async def time_passes(clock: ManualClock, until: int, lines: Sequence[object] = ()) -> None:
    """Move the clock to `until`, waking everyone at the time for which they sleep."""
    await settled(lines, clock)
    while clock.next_wake <= until:
        clock.move_to(int(max(clock.next_wake, clock.now())))
        await settled(lines, clock)
    clock.move_to(until)
    await settled(lines, clock)


class ToldStore(Store):
    """A store whose journals tell what they have appended."""

    def __init__(self, data_dir: Path, tell: Callable[[Event], None]) -> None:
        super().__init__(data_dir)
        self._tell = tell

    def open(self, stream: Stream, fold: Fold[T]) -> tuple[Journal, T]:
        journal, found = super().open(stream, fold)
        append = journal.append

        def appended(events: Sequence[Event], **options: Any) -> object:
            head = append(events, **options)
            for event in events:
                self._tell(event)
            return head

        vars(journal)["append"] = appended
        return journal, found


@attrs.frozen
class Line:
    """What the strategy does at one slot: answer, raise, or return something else; at once or after some time."""

    answer: object = None
    raises: Exception | None = None
    after: int = 0


@attrs.define
class Stage:
    """One stream, one life after another in one data directory."""

    data_dir: Path
    config: Config
    interval: str = "5m"
    lookback: dict[str, int] = attrs.field(factory=dict)
    waits: bool = False
    tells_ticks: bool = False
    tells_requests: bool = False
    part: dict[int, Line] = attrs.field(factory=dict)
    lines: list[str] = attrs.field(factory=list)
    clock: ManualClock = attrs.field(factory=lambda: ManualClock(moment("10:00")))
    desk: Desk = attrs.field(init=False)
    handle: Handle | None = None
    _live: Live | None = None
    _silent: bool = False
    _unsubscribe: list[Callable[[], None]] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.desk = Desk(self.clock)
        if self.tells_requests:
            self.desk.heard = lambda _, start, end: self.tell(f"exchange is asked for {told(start)} to {told(end)}")

    @property
    def stream(self) -> Stream:
        return Stream(self.desk.name, "hand", SYMBOL)

    def tell(self, text: str) -> None:
        if not self._silent:
            self.lines.append(f"{told(self.clock.now()):<9} {text}")

    # The strategy

    def strategy(self) -> Strategy:
        callbacks: dict[str, Callable[[Any], object]] = {"on_tick": noted(self._hear_tick)} if self.tells_ticks else {}
        function = self._ask_and_wait if self.waits else self._ask
        return Strategy("hand", function, self.interval, dict(self.lookback), callbacks)

    def _ask(self, ctx: Context) -> Any:
        line = self._begin_line(ctx)
        if line.after:
            self.clock.move_to(self.clock.now() + line.after)
        return self._finish_line(line)

    async def _ask_and_wait(self, ctx: Context) -> Any:
        line = self._begin_line(ctx)
        try:
            await self.clock.sleep_until(self.clock.now() + line.after)
        except BaseException:
            self.tell("strategy is cancelled")
            raise
        return self._finish_line(line)

    def _begin_line(self, ctx: Context) -> Line:
        self.tell(f"strategy is asked for {told(ctx.now)}, price={ctx.price:g}")
        return self.part.get(ctx.now, Line())

    def _finish_line(self, line: Line) -> object:
        if line.raises is not None:
            self.tell(f"strategy raises {line.raises!r}")
            raise line.raises
        if line.answer is not None or line.after:
            self.tell(f"strategy answers {spoken(line.answer)}")
        return line.answer

    # The life

    async def start(self) -> None:
        self._silent = False
        if not self._unsubscribe:
            self._unsubscribe += [
                listen_signal_live(noted(lambda event: self.tell(f"heard     {event.action}"))),
                listen_error(noted(self._hear_error)),
                listen_done_live(noted(self._hear_done)),
            ]
        self._live = Live(self.data_dir, config=self.config, clock=self.clock)
        self._live.store = ToldStore(self.data_dir, self._tell_event)
        await self._live.__aenter__()
        self.handle = self._live.background(SYMBOL, strategy=self.strategy(), exchange=self.desk)

    async def leave(self) -> None:
        """Close `Live`: the run stops now."""
        if self._live is not None:
            live, self._live = self._live, None
            await live.__aexit__(None, None, None)

    async def crash(self) -> None:
        """The process dies here: what is on the disk at this moment is all that a later life finds."""
        rescued = self.data_dir.with_name(self.data_dir.name + "-after")
        shutil.copytree(self.data_dir, rescued)
        self._silent = True
        await self.leave()
        self.data_dir = rescued

    async def end(self) -> None:
        await self.leave()
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    async def until(self, at: int) -> None:
        await time_passes(self.clock, at, self.lines)

    async def settle(self) -> None:
        await settled(self.lines, self.clock)

    def journal(self) -> list[Event]:
        """Every event in the journal, which must be sound."""
        store = Store(self.data_dir)
        if self.stream not in store.streams():
            return []
        reader = store.reader(self.stream)
        assert verify(reader).damage is None
        return list(reader.read())

    # What is seen

    def _tell_event(self, event: Event) -> None:
        self.tell(f"journal   {written(event)}")

    def _hear_tick(self, result: Any) -> None:
        if isinstance(result, Result):
            self.tell(f"tick      {result.action} {told(result.at)} price={result.price:g}")

    def _hear_error(self, fault: Fault) -> None:
        self.tell(f"error     {fault.message}" + (" (final)" if fault.final else ""))

    def _hear_done(self, done: Done) -> None:
        self.tell("done" + (f" because of {done.error!r}" if done.error is not None else ""))


def written(event: Event) -> str:
    """An event as one line of a transcript."""
    text = f"{event.action} {told(event.at)}"
    match event.action:
        case "opened" | "closed":
            text += f" price={event.price:g}"  # type: ignore[union-attr]  # both have a price
        case "scheduled":
            text += f" entry={event.signal.entry:g}"  # type: ignore[union-attr]  # it has a signal
        case "rejected":
            text += " " + "; ".join(event.reasons)  # type: ignore[union-attr]  # it has reasons
        case _:
            pass
    reason = getattr(event, "reason", "")
    alive = " alive" if getattr(event, "state_seq", 0) else ""
    ticks = {} if event.ticks is None else {name: getattr(event.ticks, name) for name in event.ticks.__struct_fields__}
    late = " late" if event.late and event.action != "started" else ""
    counts = ", ".join(f"{name} {count}" for name, count in ticks.items() if count)
    return text + (f" {reason}" if reason else "") + alive + late + f" [{counts}]"


def spoken(answer: object) -> str:
    """What a strategy returned, in the words of a transcript."""
    if not isinstance(answer, Signal):
        return repr(answer)
    entry = "" if answer.entry is None else f" entry={answer.entry:g}"
    return f"{answer.position}{entry} take_profit={answer.take_profit:g} stop_loss={answer.stop_loss:g}"
