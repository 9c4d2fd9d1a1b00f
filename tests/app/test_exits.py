"""Every end of a command has its code, and a hint where somebody must act."""

import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ninelives.app.cli import main
from ninelives.app.exits import MEANING, Complaint, Exit, Group
from ninelives.core.invariants import Broken
from ninelives.engine.errors import ConfigError, InvariantBroken, StoreUnavailable, Unreachable


def ended(run: Callable[[], object]) -> Result:
    group = Group("ninelives", commands=[click.Command("go", callback=run)])
    return CliRunner().invoke(group, ["go"])


def raising(error: BaseException) -> Callable[[], object]:
    def run() -> object:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bad"), Exit.CONFIGURATION),
        (StoreUnavailable("silent"), Exit.AGAIN),
        (Unreachable("silent"), Exit.AGAIN),
        (InvariantBroken((Broken("I1", "web", "two writers"),)), Exit.BUG),
        (ZeroDivisionError(), Exit.BUG),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (click.Abort(), Exit.INTERRUPTED),
        (BrokenPipeError(), Exit.DONE),
        (click.UsageError("what?"), Exit.USAGE),
        (Complaint("no", "ask", Exit.REFUSED), Exit.REFUSED),
    ],
)
def test_an_error_ends_with_its_code(error: BaseException, code: Exit) -> None:
    assert ended(raising(error)).exit_code == code


@pytest.mark.parametrize("code", [Exit.DONE, Exit.FOUND])
def test_what_a_command_returns_is_its_code(code: Exit) -> None:
    assert ended(lambda: code).exit_code == code


def test_a_complaint_says_what_to_do_next() -> None:
    result = ended(raising(ConfigError("no such segment", "see ninelives config show")))

    assert result.stderr == "error: no such segment\nhint: see ninelives config show\n"


def test_every_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Exit)


def test_help_and_the_page_list_the_same_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "index.md").read_text()
    told = CliRunner().invoke(main, ["--help"]).output.partition("Exit codes:")[2]

    listed = page.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = [int(number) for number in re.findall(r"^\| (\d+) \|", listed, re.MULTILINE)]
    assert codes == [code.value for code in MEANING]
    assert [int(line.split()[0]) for line in told.split("\n") if line.strip()] == codes


@pytest.mark.parametrize("words", [["--bogus"], ["nothing"], ["sim", "play", "no-such-file"]])
def test_a_command_line_that_is_not_understood_is_usage(words: list[str]) -> None:
    assert CliRunner().invoke(main, words).exit_code == Exit.USAGE
