"""The example of a user's own exchange runs, as a program, and says what its page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_exchange.py"


def test_the_example_trades_over_a_function_and_over_a_class() -> None:
    run = subprocess.run([sys.executable, "-W", "error", str(EXAMPLE)], capture_output=True, text=True, check=True)
    trade = re.compile(r"(waves|recorded): (\d+\.\d\d) -> (\d+\.\d\d), \+0\.\d\d %")
    trades = [trade.fullmatch(line) for line in run.stdout.splitlines()]
    assert all(trades), run.stdout
    sources = [found[1] for found in trades if found]
    assert sources == ["waves"] * 6 + ["recorded"] * 5
    assert run.stderr == ""
