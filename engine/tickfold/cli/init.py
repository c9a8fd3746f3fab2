"""`tickfold init`: a first project that runs as it stands."""

from __future__ import annotations

from pathlib import Path

import click

from . import options
from .output import put
from .planting import plant, strategy_text
from .templates import IGNORED, MARKET, README, TEST


@click.command(epilog=options.example("tickfold init trading", "tickfold init ."))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@options.debug
def command(directory: Path) -> None:
    """Write a first project into DIR: a strategy with a market to try it on, its test, a page that says what to type.

    DIR is made if it is not there. Where one of the files is there already, nothing is written.
    """
    strategy = strategy_text("first", "A first strategy, and a market to try it on.")
    strategy = strategy.replace("import Context, Signal, strategy", "import Context, Frame, Signal, exchange, strategy")
    files = {
        "strategy.py": strategy + MARKET,
        "test_strategy.py": TEST,
        "README.md": README,
        ".gitignore": IGNORED,
    }
    plant(directory, files)
    for name in files:
        put(f"wrote {directory / name}")
    put("Try:")
    if directory.resolve() != Path.cwd():
        put(f"   cd {options.quoted(directory)}")
    put("   tickfold backtest strategy.py --symbol BTCUSDT --frame first-month")
