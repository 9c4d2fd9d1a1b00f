"""`sim explore` as somebody at a terminal or a program meets it."""

import json

from click.testing import CliRunner

from ninelives.app.cli import main
from ninelives.app.cli_explore import document, path_of
from ninelives.app.exits import Exit
from ninelives.sim.explore import Explored, Found
from ninelives.sim.explore.choices import Step
from ninelives.sim.explore.laws import Broken

BROKEN = Found(Broken("I1", "s1", "two writers"), "one host is off", (Step("freeze", "h1"),))


def test_every_short_path_is_walked_and_told() -> None:
    result = CliRunner().invoke(main, ["sim", "explore", "--depth", "2"])

    assert result.exit_code == Exit.DONE
    assert "every path of 2 steps was walked" in result.stdout


def test_a_machine_reads_the_same() -> None:
    result = CliRunner().invoke(main, ["sim", "explore", "--depth", "2", "--json"])

    found = json.loads(result.stdout)
    assert (found["depth"], found["violations"]) == (2, [])
    assert found["states"] > 10


def test_a_broken_law_comes_with_a_shortest_path() -> None:
    explored = Explored(9, 12, 1, False, (BROKEN,), 0.1)

    assert document(explored)["violations"] == [
        {
            "law": "I1",
            "about": "s1",
            "what": "two writers",
            "beginning": "one host is off",
            "path": ["h1 freezes"],
        }
    ]
    assert path_of(BROKEN).plain.splitlines()[1:] == [
        "I1 s1 two writers",
        "  begins with one host is off",
        "   1  h1 freezes",
    ]
