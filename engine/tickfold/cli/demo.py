"""`tickfold demo`: the whole story, with real processes and a real SIGKILL.

A strategy trades a month of simulated candles, is killed while a signal is open, started again, and goes on; the same
run, never killed, must give the same report, byte for byte.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
import click
import msgspec

from tickfold_eventstore import Reader, Store, Stream
from tickfold_eventstore.events import Closed, Started, Stopped
from tickfold_projections.active_signal import Flat, Recovered, recover
from tickfold_projections.notation import instant

from . import options
from .faults import DONE, ERROR, CommandError, WrongUse
from .output import price, put, state_text

STRATEGY = Path(__file__).with_name("demo_strategy.py")
STREAM = Stream("sim-7", "demo", "BTCUSDT")
RUN = (
    *("live", str(STRATEGY), "--exchange", "sim:7", "--symbol", STREAM.symbol),
    *("--clock", "replay", "--to", "2020-02-01"),
)

KILLED_AT = 5
"""The number of the `opened` event at which the process is killed."""
ATTEMPTS = 20


@click.command(epilog=options.example("tickfold demo", "tickfold demo --data-dir story"))
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="An empty or new directory for the two journals. Default: a new one among the temporary files.",
)
@options.debug
def command(data_dir: Path | None) -> int:
    """Trade a simulated month, die by SIGKILL with a signal open, start again, and prove that nothing was lost.

    Uses no network. Exit code 1 where anything differs.
    """
    if data_dir is not None and data_dir.exists() and any(data_dir.iterdir()):
        raise WrongUse(f"{data_dir} is not empty: give a new directory, so that nothing of yours is touched")
    home = Path(tempfile.mkdtemp(prefix="tickfold-demo-")) if data_dir is None else data_dir
    return Story(home).told()


@attrs.frozen
class Story:
    """Two runs of one strategy over one month, each with a data directory below `home`."""

    home: Path

    @property
    def killed(self) -> Path:
        return self.home / "killed"

    @property
    def unkilled(self) -> Path:
        return self.home / "unkilled"

    def told(self) -> int:
        """Tell it; the exit code."""
        put(
            "A strategy trades January 2020 of a simulated market. Each event is on the disk before anyone hears of it."
        )
        put("In what follows,")
        put(f"   STRATEGY={shlex.quote(str(STRATEGY))}")
        put(f"   DIR={shlex.quote(str(self.home))}")
        put()
        alive = self._kill()
        self._go_on(alive)
        self._run_unkilled()
        same = self._compare()
        self._end(alive.seq)
        return DONE if same else ERROR

    def _kill(self) -> Recovered:
        """Run until a signal is open, kill, and look whether it still was."""
        command = (*RUN, "--data-dir", str(self.killed), "--json")
        put(f"1. Run it, and kill it with SIGKILL as it opens signal number {KILLED_AT}:")
        self._show(command)
        for attempt in range(ATTEMPTS):
            if self._run_and_kill(command, 1 if attempt else KILLED_AT):
                found = self._recovered()
                if not isinstance(found.state, Flat):
                    put(f"   Killed. Its journal ends with event {found.seq}: {state_text(found.state)}.")
                    put()
                    return found
                put("   (it died between two signals: once more)", flush=True)
            else:
                put("   (it came to its end before the kill: once more, from the beginning)", flush=True)
                shutil.rmtree(self.killed)
        raise CommandError(f"no signal was open in {ATTEMPTS} kills, which cannot be: look at {self.killed}")

    def _run_and_kill(self, command: Sequence[str], number_of_opened: int) -> bool:
        """Run a command until its output tells of that `opened`, and kill it when its journal says that one is open.

        False where it came to its end before that.
        """
        opened = 0
        with subprocess.Popen(_python(command), stdout=subprocess.PIPE) as process:  # noqa: S603  this very program
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    opened += msgspec.json.decode(line, type=_Action).action == "opened"
                    if opened == number_of_opened:
                        break
                # Output lags behind: what it tells of may have closed. The next one opens within milliseconds.
                while (
                    opened == number_of_opened and process.poll() is None and isinstance(self._recovered().state, Flat)
                ):
                    continue
            finally:
                process.send_signal(signal.SIGKILL)
        if process.returncode not in {0, -signal.SIGKILL}:
            raise CommandError(f"the run failed with exit code {process.returncode}")
        # It may have been through when the signal came.
        return not isinstance(next(self._reader().read_backwards()).events[-1], Stopped)

    def _recovered(self) -> Recovered:
        """What a start would find now."""
        return recover(record.events for record in self._reader().read_backwards())

    def _reader(self) -> Reader:
        return Store(self.killed).reader(STREAM)

    def _go_on(self, alive: Recovered) -> None:
        put("2. Start it again with the same command. Start is recover; there is no other way to start:")
        self._shown_call(*RUN, "--data-dir", str(self.killed))
        later = list(self._reader().read(alive.seq + 1))
        started = next(event for event in later if isinstance(event, Started))
        closed = next((event for event in later if isinstance(event, Closed)), None)
        put(f"   It goes on from {instant(started.at)} with the signal of event {started.state_seq},")
        put(f"   which {_end_of(closed)}.")
        put()

    def _run_unkilled(self) -> None:
        put("3. The same month in another directory, never killed:")
        self._shown_call(*RUN, "--data-dir", str(self.unkilled))
        put()

    def _compare(self) -> bool:
        """Whether both reports are the same bytes; both journals are sound, or this does not return."""
        put("4. Verify both journals, and compare the reports:")
        for data_dir in (self.killed, self.unkilled):
            put(f"   {self._shown_call('journal', 'verify', '--data-dir', str(data_dir)).decode().strip()}")
        killed, unkilled = (
            self._shown_call("report", STREAM.strategy, "--no-provenance", "--data-dir", str(data_dir))
            for data_dir in (self.killed, self.unkilled)
        )
        if killed == unkilled:
            put(f"   The reports are EQUAL, byte for byte ({len(killed)} bytes). Here it is:")
        else:
            put(f"   The reports DIFFER ({len(killed)} and {len(unkilled)} bytes). That must not be; please report it.")
        put()
        put(killed.decode().rstrip())
        return killed == unkilled

    def _end(self, seq: int) -> None:
        journal = Path(self._reader().folder.path)
        data_dir = ("--data-dir", str(self.killed))
        put()
        put(f"The journal of the killed run lies in {journal}")
        put("Try:")
        put(f"   {_typed()} {shlex.join(('replay', '--at', str(seq), *data_dir))}")
        put(f"   {_typed()} {shlex.join(('journal', 'show', *data_dir))}")
        lines = f"{shlex.quote(str(journal))}/*.jsonl"
        if shutil.which("jq"):
            put(f"   jq -c '.events[]? | [.action, .signal.position, .pnl.percentage]' {lines}")
        else:
            put(f"   head -n 3 {lines}")
            put("The journal is lines of JSON: with jq, which is not installed here, the shell can query them.")

    def _shown_call(self, *command: str) -> bytes:
        self._show(command)
        return _call(command)

    def _show(self, command: Sequence[str]) -> None:
        """The command, as a reader of the first lines can type it; it is run next."""
        names = {str(STRATEGY): "$STRATEGY", str(self.killed): "$DIR/killed", str(self.unkilled): "$DIR/unkilled"}
        put(f"   $ tickfold {' '.join(names.get(word, shlex.quote(word)) for word in command)}", flush=True)


def _end_of(closed: Closed | None) -> str:
    if closed is None:
        return "is open at the end of the month still"
    end = f"{closed.reason} at {price(closed.price)}, {closed.pnl.percentage:+.4f} %"
    return f"ends at its own candle, {instant(closed.at)}: {end}"


def _typed() -> str:
    """What to type for this very command: its name where the shell finds it under that, else its path."""
    here = Path(sys.executable).with_name("tickfold")
    if shutil.which("tickfold") == str(here) or not here.exists():
        return "tickfold"
    return shlex.quote(str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here))


class _Action(msgspec.Struct):
    action: str


def _call(command: Sequence[str]) -> bytes:
    """What a command writes to stdout; one that fails ends the demo with what it said."""
    done = subprocess.run(_python(command), capture_output=True, check=False)  # noqa: S603  this very program
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CommandError(f"tickfold {shlex.join(command)} failed with exit code {done.returncode}: {said}")
    return done.stdout


def _python(command: Sequence[str]) -> list[str]:
    # -P: what lies in the folder that this is run in must not stand in the place of a module.
    return [sys.executable, "-P", "-m", "tickfold.cli", *command]
