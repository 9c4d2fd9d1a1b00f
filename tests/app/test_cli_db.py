"""`db check`, `db export` and `db upgrade` at a terminal, on a store that holds a whole story."""

import sqlite3
from pathlib import Path
from shutil import copy

import pytest

from ninelives.app.exits import Exit

from .test_cli_arm import run, told

__all__ = ["told"]


@pytest.fixture
def store(told: Path, tmp_path: Path) -> Path:
    return Path(copy(told, tmp_path / "store.db"))


def change(store: Path, statement: str) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute(statement)
    connection.close()


def test_a_whole_store_is_sound(store: Path) -> None:
    done = run("db", "check", "--store", store)

    assert (done.exit_code, done.output[:6]) == (Exit.DONE, "sound:")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM journal WHERE revision = 5", "revisions 5 to 5 are missing"),
        ("UPDATE head SET revision = revision + 1", "the journal ends at"),
        ("UPDATE head SET term = 0", "the lease is in term 0"),
        ("UPDATE journal SET term = 0 WHERE revision = 5", "revision 5 is of term 0"),
        ("UPDATE journal SET event = x'00' WHERE revision = 5", "revision 5 cannot be read"),
        ("UPDATE records SET body = x'00' WHERE key = 'control'", "a record cannot be read"),
    ],
)
def test_damage_is_found_and_named(store: Path, damage: str, said: str) -> None:
    change(store, damage)

    done = run("db", "check", "--store", store)

    assert done.exit_code == Exit.FOUND
    assert said in done.output


def test_an_export_is_a_recording_that_answers_why(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "journal.jsonl"
    asked = ("host", "why", "c1", "--journal")

    assert run("db", "export", "--store", store, "-o", out).exit_code == Exit.DONE
    assert run(*asked, out).output == run(*asked, store).output != ""


def test_a_store_of_this_version_needs_no_upgrade(store: Path) -> None:
    done = run("db", "upgrade", "--store", store)

    assert (done.exit_code, done.output) == (
        Exit.DONE,
        "nothing to do: this store is of this version\n",
    )


def test_a_store_of_the_version_before_is_upgraded(store: Path) -> None:
    change(store, "UPDATE head SET schema_version = 1")

    assert run("db", "upgrade", "--store", store).output == "now of version 2\n"


def test_what_is_no_store_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    done = run("db", "check", "--store", tmp_path / "empty.db")

    assert done.exit_code == Exit.CONFIGURATION
    assert "holds no store" in done.output
