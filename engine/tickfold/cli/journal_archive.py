"""`tickfold journal export` and `import`: journals as one file, to keep or to carry elsewhere."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from tickfold_eventstore import Store
from tickfold_eventstore.archive import ArchiveError, Manifest, export, take_in
from tickfold_projections.notation import shown

from . import options
from .faults import CommandError
from .output import json_document, put
from .streams import open_store, select

Names = tuple[str, ...]


@click.command(
    name="export",
    epilog=options.example("tickfold journal export journals.tar", "tickfold journal export one.tar --symbol BTCUSDT"),
)
@click.argument("archive", type=click.Path(path_type=Path))
@options.selecting
def export_command(
    archive: Path, data_dir: Path, exchanges: Names, strategies: Names, symbols: Names, as_json: bool
) -> int:
    """Write journals into ARCHIVE, a new tar file: all, or those that the options name.

    The same journals give the same bytes. A stream that is being written goes up to its last acknowledged event.
    Checkpoints, MARK and quarantine stay behind.
    """
    store = open_store(data_dir)
    streams = select(store, exchanges, strategies, symbols)
    _tell(_carried(lambda: export(store, streams, archive)), as_json)
    return 0


@click.command(
    name="import",
    epilog=options.example("tickfold journal import journals.tar", "tickfold journal import one.tar --json"),
)
@click.argument("archive", type=click.Path(path_type=Path))
@options.data_dir
@options.as_json
@options.debug
def import_command(archive: Path, data_dir: Path, as_json: bool) -> int:
    """Put the journals of ARCHIVE into the data directory.

    Each is verified before it gets its name, and none is overwritten: where one of them is there already, nothing is
    taken in.
    """
    _tell(_carried(lambda: take_in(Store(data_dir), archive)), as_json)
    return 0


COMMANDS: Sequence[click.Command] = (export_command, import_command)


def _carried(work: Callable[[], Manifest]) -> Manifest:
    try:
        return work()
    except ArchiveError as error:
        raise CommandError(str(error)) from error
    except tarfile.TarError as error:
        raise CommandError(
            f"ARCHIVE cannot be read: {error}; give a file that `tickfold journal export` wrote"
        ) from error


def _tell(manifest: Manifest, as_json: bool) -> None:
    if as_json:
        json_document("streams", manifest.streams)
        return
    for kept in manifest.streams:
        size = sum(member.length for member in kept.files)
        put(f"{shown(str(kept.stream))}: {kept.seq} events, {size} bytes, head {kept.h}")
