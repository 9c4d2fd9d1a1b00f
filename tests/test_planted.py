"""The planted bugs still fit: each patch applies, compiles, and some are caught end to end.

The whole table is made by `python -m bench.planted`; this keeps it from rotting between two runs.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from bench.planted_bugs import BUGS, PACKAGE, ROOT, Bug, bugs, patched, plant

from ninelives.sim.oracle import LAWS

TOLD_OTHERWISE = {"LC", "bug", "claim", "timeline"}  # LC: a law of the explorer alone
PLANTED = bugs()
CAUGHT = {  # bug → a story that does not unfold as it should with it
    "01_on_does_not_start_over": "brake_quorum_database",
    "05_shots_of_the_old_leader_are_forgotten": "attack_14c_leader_dies_with_the_wrong_shot",
    "97_healthy_is_no_news": "attack_03b_leader_dies_after_send",
    "98_done_is_forgotten": "attack_09_revocation_while_disarmed",
    "250_accepted_once": "fault_25_packets_in_disorder",
    "116_disabled_by_somebody": "agentless_cut_off",
}


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_it_applies_and_compiles(bug: Bug) -> None:
    source = (ROOT / PACKAGE / bug.file).read_text(encoding="utf-8")

    compile(patched(bug, source), bug.file, "exec")


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_it_is_told_in_full(bug: Bug) -> None:
    assert bug.title
    assert bug.why.endswith((".", "?"))
    assert bug.file.startswith(("core/", "engine/"))
    assert bug.expected
    assert set(bug.expected) <= {*LAWS, *TOLD_OTHERWISE}


def test_there_are_enough_of_them_and_each_has_its_own_number() -> None:
    numbers = Counter(path.name.partition("_")[0] for path in BUGS.glob("*.toml"))

    assert len(bugs()) >= 30
    assert max(numbers.values()) == 1


@pytest.mark.parametrize(("name", "story"), CAUGHT.items())
def test_it_is_caught_by_its_story(name: str, story: str, tmp_path: Path) -> None:
    (bug,) = bugs((name,))
    plant(bug, ROOT, tmp_path)

    assert told(story, tmp_path) != told(story, ROOT)


PLAY = """
import sys
from pathlib import Path
import ninelives
from ninelives.sim.judging import BUGS
from ninelives.sim.memory_store import MemoryStore
from ninelives.sim.scenario import RULE, parse, play
if not Path(ninelives.__file__).is_relative_to(sys.argv[2]):
    sys.exit(f"another ninelives was played: {ninelives.__file__}")
story = Path(sys.argv[1]).read_text(encoding="utf-8").partition(RULE)[0]
try:
    played = play(parse(story), store=MemoryStore())
except BUGS as error:
    sys.exit(print(f"bug: {error}"))
print(played.timeline, *played.violations, *played.failed, sep="\\n")
"""


def told(story: str, tree: Path) -> str:
    """Play a story with the ninelives of `tree`, in a process of its own: what it comes to."""
    path = ROOT / "tests" / "scenarios" / f"{story}.txt"
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(path), str(tree)],
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
