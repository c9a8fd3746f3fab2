"""`tickfold journal repair`, `export` and `import`: what they say, what they change, and with which code they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import damage
from tests.commands.typing_commands import Typed
from tickfold_eventstore import Store

UPS = "sim-7/ups/A"
ONLY = ("--strategy", "ups", "--symbol", "A")


@pytest.fixture
def hurt(journals: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return damage.copy_of(journals, tmp_path / "hurt")


def contents(data_dir: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}


def test_a_sound_journal_needs_no_repair(type_: Typed, journals: Path) -> None:
    said = type_("journal", "repair", "--data-dir", journals, *ONLY)
    assert said.code == 0
    assert said.out == f"{UPS}: sound up to event {len(events(journals))}; nothing to repair\n"


def events(data_dir: Path) -> list[int]:
    store = Store(data_dir)
    (stream,) = [each for each in store.streams() if str(each) == UPS]
    return [event.seq for event in store.reader(stream).read()]


def test_a_dry_run_where_opening_refuses_ends_with_3_and_changes_nothing(type_: Typed, hurt: Path) -> None:
    last = events(hurt)[-1]
    damage.flip(damage.segment(hurt, UPS), -1)
    before = contents(hurt)
    said = type_("journal", "repair", "--data-dir", hurt)
    assert said.code == 3
    assert f"keeps:    events 1 to {last - 1}\n" in said.out
    assert f"gives up: events {last} to {last}, and what came after them, if anything did\n" in said.out
    assert "opening:  refuses\n" in said.out
    assert "--accept-loss" in said.out
    assert contents(hurt) == before


def test_a_dry_run_where_opening_goes_on_ends_with_0(type_: Typed, hurt: Path) -> None:
    damage.flip(damage.segment(hurt, UPS), 4)
    said = type_("journal", "repair", "--data-dir", hurt, *ONLY)
    assert said.code == 0
    assert "goes on by itself" in said.out


def test_verify_names_repair_as_the_next_command_and_repair_makes_it_sound(type_: Typed, hurt: Path) -> None:
    last = events(hurt)[-1]
    damage.flip(damage.segment(hurt, UPS), -1)
    judged = type_("journal", "verify", "--data-dir", hurt, *ONLY)
    assert judged.code == 3
    assert "next:  tickfold journal repair" in judged.out
    done = type_("journal", "repair", "--data-dir", hurt, *ONLY, "--accept-loss")
    assert done.code == 0
    assert "moved:" in done.out
    assert type_("journal", "verify", "--data-dir", hurt).code == 0
    assert events(hurt)[-1] == last - 1


def test_as_json_it_is_one_document(type_: Typed, hurt: Path) -> None:
    last = events(hurt)[-1]
    damage.flip(damage.segment(hurt, UPS), -1)
    (told,) = type_("journal", "repair", "--data-dir", hurt, *ONLY, "--json").document["streams"]
    assert (told["refuses"], told["kept_seq"], told["last_known_seq"], told["accepted"]) == (
        True,
        last - 1,
        last,
        False,
    )
    assert [move["file"] for move in told["moves"]] == [damage.segment(hurt, UPS).name]


def test_a_journal_of_a_later_version_is_left_to_it(type_: Typed, hurt: Path) -> None:
    damage.of_a_later_version(damage.segment(hurt, UPS))
    before = contents(hurt)
    said = type_("journal", "repair", "--data-dir", hurt, "--accept-loss")
    assert said.code == 1
    assert "format version 99" in said.err
    assert {path: content for path, content in contents(hurt).items() if not path.endswith("LOCK")} == {
        path: content for path, content in before.items() if not path.endswith("LOCK")
    }


def test_what_was_exported_is_taken_in_elsewhere(type_: Typed, journals: Path, tmp_path: Path) -> None:
    archive, other = tmp_path / "all.tar", tmp_path / "other"
    assert type_("journal", "export", archive, "--data-dir", journals).code == 0
    taken = type_("journal", "import", archive, "--data-dir", other)
    assert taken.code == 0
    assert [line.split(":")[0] for line in taken.out.splitlines()] == ["sim-7/downs/A", UPS, "sim-7/ups/B"]
    shown = type_("journal", "show", "--data-dir", journals, "--json")
    assert type_("journal", "show", "--data-dir", other, "--json").out == shown.out


def test_neither_an_archive_nor_a_stream_is_overwritten(type_: Typed, journals: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    assert type_("journal", "export", archive, "--data-dir", journals).code == 0
    again = type_("journal", "export", archive, "--data-dir", journals)
    assert (again.code, "there already" in again.err) == (1, True)
    back = type_("journal", "import", archive, "--data-dir", journals)
    assert (back.code, "nothing is overwritten" in back.err) == (1, True)


def test_a_file_that_is_no_archive_is_named_so(type_: Typed, tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_text("this is not a tar file")
    said = type_("journal", "import", tmp_path / "no.tar", "--data-dir", tmp_path / "data")
    assert (said.code, "give a file that `tickfold journal export` wrote" in said.err) == (1, True)
