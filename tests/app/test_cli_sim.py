"""`sim play` and `host why`, as somebody at a terminal or a program meets them."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ninelives.app.cli import main
from ninelives.app.exits import Exit
from ninelives.core import rules
from ninelives.core.brakes import Brake

STORIES = Path(__file__).parents[2] / "src" / "ninelives" / "sim" / "stories"
FREEZE = STORIES / "freeze.txt"
STORY = """# A host freezes and nobody does anything about it.
hosts c1 c2 c3
servers c1: web
at 5 freeze c1
until 30
never: c2 shot
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY)
    return path


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "freeze.journal"
    assert run("sim", "play", FREEZE, "--journal", path).exit_code == Exit.DONE
    return path


def test_a_story_that_comes_out_as_told_is_done() -> None:
    result = run("sim", "play", FREEZE)

    assert result.exit_code == Exit.DONE
    assert result.stdout.splitlines()[0] == "   5.0  fault   freeze c1 300"


def test_a_claim_that_does_not_hold_is_found(story: Path) -> None:
    story.write_text(f"{STORY}must: c2 shot\n")

    result = run("sim", "play", story)

    assert result.exit_code == Exit.FOUND
    assert "line 7: must: c2 shot: it did not happen" in result.stderr


def test_another_timeline_than_the_expected_one_is_found(story: Path) -> None:
    story.write_text(f"{STORY}----\n   5.0  fault   something else\n")

    assert run("sim", "play", story).exit_code == Exit.FOUND


def test_a_bad_story_is_named_with_line_column_and_hint(story: Path) -> None:
    story.write_text(STORY.replace("freeze c1", "freze c1"))

    result = run("sim", "play", story)

    assert result.exit_code == Exit.CONFIGURATION
    assert f"{story}:4:6: " in result.stderr
    assert "hint: did you mean 'freeze'?" in result.stderr


def test_a_file_that_is_no_text_is_configuration(story: Path) -> None:
    story.write_bytes(b"\xff\xfe\x00")

    assert run("sim", "play", story).exit_code == Exit.CONFIGURATION


def test_a_machine_reads_the_same_timeline(story: Path) -> None:
    document = json.loads(run("sim", "play", story, "--json").stdout)

    assert document["timeline"][0] == {
        "at": 5.0,
        "who": "fault",
        "what": "freeze c1",
        "reason": "",
    }
    assert (document["violations"], document["failed"], document["seed"]) == ([], [], 0)


def test_every_row_and_every_brake_is_shown_with_its_truth(journal: Path) -> None:
    document = json.loads(
        run("host", "why", "c1", "--journal", journal, "--at", 17, "--json").stdout
    )

    rows = [row["rule"] for row in document["rows"]]
    assert rows == ["R0", *(row.rule for row in (*rules.DECISIVE, *rules.TABLE)), "R19"]
    assert [row["rule"] for row in document["rows"] if row["decides"]] == ["R9"]
    assert {brake["brake"] for brake in document["brakes"]} == set(Brake)
    assert document["state"] == "fencing"


def test_the_answer_is_about_the_asked_instant(journal: Path) -> None:
    early, late = (
        json.loads(run("host", "why", "c1", "--journal", journal, *at, "--json").stdout)
        for at in (("--at", 9), ())
    )

    assert (early["state"], early["cls"]) == ("healthy", "fine")
    assert late["state"] == "vacated"
    assert late["proofs"] == ["power_off, valid: c1-bmc off twice"]


def test_the_answer_is_the_state_before_whatever_came_next(journal: Path) -> None:
    late = json.loads(run("host", "why", "c1", "--journal", journal, "--json").stdout)
    fenced = next(each for each in late["history"] if "fencing → fenced" in each["what"])

    at = ("--at", fenced["wall"] - 1e-6)
    before = json.loads(run("host", "why", "c1", "--journal", journal, *at, "--json").stdout)

    assert (before["state"], before["proofs"]) == ("fencing", [])


def test_a_store_answers_as_its_recording_does(tmp_path: Path, journal: Path) -> None:
    kept = tmp_path / "kept.db"
    assert run("sim", "play", FREEZE, "--store", kept).exit_code == Exit.DONE

    of_store, of_file = (
        json.loads(run("host", "why", "c1", "--journal", path, "--json").stdout)
        for path in (kept, journal)
    )

    assert of_store["state"] == of_file["state"] == "vacated"
    assert of_store["proofs"] == of_file["proofs"]
    again = run("sim", "play", FREEZE, "--store", kept)
    assert again.exit_code == Exit.CONFIGURATION
    assert "holds a story already" in again.stderr


def test_another_database_is_no_store_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()

    result = run("host", "why", "c1", "--journal", path)

    assert result.exit_code == Exit.CONFIGURATION
    assert "no store of ninelives" in result.stderr
    assert len(path.read_bytes()) == len(before)


def test_an_answer_for_people_says_the_same(journal: Path) -> None:
    result = run("host", "why", "c1", "--journal", journal, "--at", 17)

    assert result.exit_code == Exit.DONE
    assert "c1 is fencing" in result.stdout
    assert "◀ decides" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("host", "why", "c9"), Exit.USAGE, "hint: one of c1, c2, c3"),
        (("host", "why", "c1", "--at", 0), Exit.USAGE, "hint: leave out --at"),
    ],
)
def test_what_cannot_be_answered_says_so(
    journal: Path, words: tuple[object, ...], code: Exit, hint: str
) -> None:
    result = run(*words, "--journal", journal)

    assert result.exit_code == code
    assert hint in result.stderr


@pytest.mark.parametrize(
    "text", ["", "hello\n", '{"story": "x"}\n', '{"ninelives": "recording"}\n']
)
def test_a_file_that_is_no_journal_is_configuration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)

    result = run("host", "why", "c1", "--journal", path)

    assert result.exit_code == Exit.CONFIGURATION
    assert "no recorded journal" in result.stderr
