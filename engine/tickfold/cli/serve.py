"""`tickfold serve`: the journals of a data directory over HTTP, and a page that shows them."""

from __future__ import annotations

import asyncio
import ipaddress
import stat
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from socket import socket

import anyio
import click

from tickfold_eventstore import Store
from tickfold_projections.notation import shown

from . import options
from .asides import say
from .faults import CommandError, WrongUse
from .interrupts import Interrupts
from .output import put
from .tail import opened

_NEEDED = ("starlette", "uvicorn")
_SHORTEST_TOKEN = 16
_PORT = 8467


@click.command(
    epilog=options.example(
        "tickfold serve",
        "tickfold serve --host 0.0.0.0 --token-file token.txt --allow-host desk.example.org",
        "curl -N http://127.0.0.1:8467/api/events",
    )
)
@options.data_dir
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; all but loopback need a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: any that is free.")
@click.option("--token-file", type=click.Path(path_type=Path), help="A file that holds the token to ask for.")
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME", help="A host name of this server; may be repeated."
)
@options.debug
def command(data_dir: Path, host: str, port: int, token_file: Path | None, names: tuple[str, ...]) -> int:
    """Serve the page, the journals and their events over HTTP until Ctrl-C.

    It reads what is on disk and changes nothing: the engine may be another process, running or not. It needs the extra
    `web`. Whoever may reach it and has the token, if there is one, sees every journal.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise CommandError(f"serve needs {' and '.join(missing)}: pip install 'tickfold[web]'")
    token = None if token_file is None else _token(token_file)
    if token is None and not _is_loopback(host):
        raise WrongUse(
            f"whoever reaches {host} would see every journal: give --token-file, or leave --host at 127.0.0.1"
        )
    interrupts = Interrupts()
    with interrupts.heard():
        store, at = opened(data_dir), _listening(host, port)
        anyio.run(_serve, store, at, token, (host, *names), interrupts)
    return interrupts.code


async def _serve(store: Store, at: socket, token: str | None, names: Sequence[str], interrupts: Interrupts) -> None:
    from tickfold_projections.web.server import serving

    from ..version import VERSION

    ended = asyncio.Event()
    async with serving(store, at, token=token, version=VERSION, names=names) as (_, address):
        put(f"serving {shown(str(store.data_dir))} at {address} (Ctrl-C ends it)", flush=True)
        # A signal handler stands between any two instructions; what it asks for is done in the loop's own time.
        with interrupts.told_to(partial(asyncio.get_running_loop().call_soon_threadsafe, ended.set)):
            await ended.wait()


def _listening(host: str, port: int) -> socket:
    from tickfold_projections.web.server import listening

    try:
        return listening(host, port)
    except OSError as error:
        raise CommandError(f"cannot listen at {host} port {port}: {error.strerror}; give another place") from error


def _token(path: Path) -> str:
    """The token in a file. Said aloud where others may read it too."""
    token = path.read_text(encoding="utf-8").strip()
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise CommandError(
            f"{path} holds no token of at least {_SHORTEST_TOKEN} printable characters without a space: "
            "make one, for example with `openssl rand -hex 32`"
        )
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        say(f"{path} can be read by other users of this machine: chmod 600 {path}")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
