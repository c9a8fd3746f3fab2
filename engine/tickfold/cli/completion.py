"""`tickfold completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from . import options

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog=options.example(
        "tickfold completion bash >> ~/.bashrc",
        "tickfold completion zsh >> ~/.zshrc",
        "tickfold completion fish > ~/.config/fish/completions/tickfold.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@options.debug
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "tickfold", "_TICKFOLD_COMPLETE").source())
