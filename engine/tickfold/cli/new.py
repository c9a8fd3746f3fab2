"""`tickfold new`: a file to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from tickfold_projections.notation import shown

from . import options
from .output import put
from .planting import identifier, plant, strategy_text


@click.group(epilog=options.example("tickfold new strategy sma-cross"))
@options.debug
def command() -> None:
    """Write a file to begin with."""


@command.command(
    epilog=options.example("tickfold new strategy sma-cross", "tickfold new strategy bands --dir strategies")
)
@click.argument("name", callback=options.as_name)
@click.option("--dir", "directory", type=click.Path(path_type=Path), default=Path(), help="Where. Default: here.")
@options.debug
def strategy(name: str, directory: Path) -> None:
    """Write a strategy called NAME into a file of its own, which runs as it stands. Nothing is overwritten."""
    file = f"{identifier(name)}.py"
    plant(directory, {file: strategy_text(name, f"The strategy {name}.")})
    path = directory / file
    put(f"wrote {shown(str(path))}")
    put("Try:")
    put(f"   tickfold backtest {options.quoted(path)} --exchange sim:7 --symbol BTCUSDT --to 2020-02-01")
