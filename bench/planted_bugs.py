"""Planted bugs: small patches that a reader could overlook, and the copies that carry them.

Each is a file `tests/planted/NN_name.toml`. One that a unit test finds, or nothing, is taken out.

    title     what is wrong, in a line
    why       why somebody would write it so
    file      the file that is wrong, below src/ninelives
    find      text that stands in it exactly once
    replace   what stands there instead
    expected  the laws that it breaks; "claim" where only a story's own claims tell

A bug is planted into a copy of `src/`, never into the tree.
"""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUGS = ROOT / "tests" / "planted"
PACKAGE = Path("src", "ninelives")

# The one definition of "unit tests": all but what lets whole worlds run, judges the clone, or
# measures real clocks and so fails where many run at once.
UNIT_TESTS = (
    "tests",
    "--ignore=tests/test_scenarios.py",
    "--ignore=tests/sim",
    "--ignore=tests/app",
    "--ignore=tests/explore",
    "--ignore=tests/engine/test_guard.py",
    "--ignore=tests/test_planted.py",
    "--ignore=tests/test_clone.py",
    "--ignore=tests/test_docs.py",
    "--ignore=tests/test_stages.py",
)


@dataclass(frozen=True, slots=True)
class Bug:
    """One patch."""

    name: str  # of its file, without ".toml"
    title: str
    why: str
    file: str
    find: str
    replace: str
    expected: tuple[str, ...]

    @property
    def patch(self) -> tuple[str, str, str]:
        """What it does, whatever is said of it."""
        return (self.file, self.find, self.replace)


def bugs(only: tuple[str, ...] = ()) -> list[Bug]:
    """Read every bug, or those whose names begin with one of `only`."""
    paths = sorted(BUGS.glob("*.toml"))
    return [read(path) for path in paths if not only or path.stem.startswith(only)]


def read(path: Path) -> Bug:
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    expected = tuple(found.pop("expected"))
    return Bug(path.stem, expected=expected, **found)


def patched(bug: Bug, source: str) -> str:
    """Return the text of its file with the bug in it. It must fit in exactly one place."""
    places = source.count(bug.find)
    assert places == 1, f"{bug.name}: its text stands {places} times in {bug.file}"
    assert bug.find != bug.replace, f"{bug.name} changes nothing"
    return source.replace(bug.find, bug.replace)


def plant(bug: Bug, tree: Path, folder: Path) -> Path:
    """Copy `tree/src` into `folder` with the bug in it. Return the file that is wrong."""
    shutil.copytree(tree / "src", folder / "src")  # with what is compiled: it saves seconds each
    wrong = folder / PACKAGE / bug.file
    wrong.write_text(patched(bug, wrong.read_text(encoding="utf-8")), encoding="utf-8")
    return wrong
