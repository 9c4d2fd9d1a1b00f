"""The runner of ./check and CI: nothing may fail, hang or be skipped unseen."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import stages

GROUPS = '[[group]]\nname = "code"\nbudget_s = 5\n'

Write = Callable[..., Path]


def stage(name: str, python: str, *, budget_s: int = 5, more: str = "") -> str:
    command = [sys.executable, "-c", python]
    return f"""
[[stage]]
name = "{name}"
group = "code"
command = {command}
budget_s = {budget_s}
{more}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*parts: str) -> Path:
        path = tmp_path / "stages.toml"
        path.write_text(GROUPS + "".join(parts))
        return path

    return write


def run(table: Path, *options: str) -> int:
    return stages.main(["--table", str(table), *options])


def test_all_is_well(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    table = write(stage("greet", "print('hello')"))

    assert run(table, "--ci") == 0
    assert "hello" in capfd.readouterr().out


def test_a_failure_is_told_and_later_stages_still_run(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    table = write(stage("break", "raise SystemExit(3)"), stage("later", "print('I ran')"))

    assert run(table) == 1
    out = capfd.readouterr().out
    assert "break failed: exit code 3" in out
    assert "I ran" in out


def test_a_skip_has_a_reason_and_fails_ci_only_if_required(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    needs = 'needs = ["no-such-program", "no/such/path"]'
    required = write(stage("lab", "pass", more=needs))
    assert run(required) == 0
    assert "not found: no-such-program, no/such/path" in capfd.readouterr().out
    assert run(required, "--ci") == 1

    optional = write(stage("lab", "pass", more=f"{needs}\nrequired = false"))
    assert run(optional, "--ci") == 0


def test_a_skip_says_which_packages_would_end_it_and_ci_can_ask_for_all(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    more = 'needs = ["no-such-program"]\npackages = ["b-package", "a-package"]'
    table = write(stage("lab", "pass", more=more), stage("greet", "pass"))

    assert run(table) == 0
    assert "apt-get install b-package a-package" in capfd.readouterr().out
    assert run(table, "--packages") == 0
    assert capfd.readouterr().out == "a-package b-package\n"


def test_full_adds_the_slow_stages(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    table = write(stage("quick", "pass"), stage("slow", "print('slow')", more="full_only = true"))

    assert run(table) == 0
    assert "slow" not in capfd.readouterr().out
    assert run(table, "--full") == 0
    assert "slow" in capfd.readouterr().out


def test_a_stage_over_its_budget_is_ended_with_all_it_started(write: Write, tmp_path: Path) -> None:
    child = tmp_path / "child"
    hang = (
        "import pathlib, subprocess, sys;"
        "sleeper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(child)!r}).write_text(str(sleeper.pid));"
        "sleeper.wait()"
    )

    assert run(write(stage("hang", hang, budget_s=1)), "--ci") == 1
    status = Path(f"/proc/{child.read_text()}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_a_group_over_its_budget_fails_ci(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    table = write(stage("a", "import time; time.sleep(0.2)"))
    table.write_text(table.read_text().replace("budget_s = 5", "budget_s = 0", 1))

    assert run(table) == 0
    assert run(table, "--ci") == 1
    assert "code took" in capfd.readouterr().out


def test_a_program_that_cannot_start_is_a_failure(write: Write) -> None:
    table = write(stage("odd", "pass").replace(sys.executable, "/no/such/program"))

    assert run(table) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        stage("a", "pass") * 2,
        stage("a", "pass", more="requird = true"),
        stage("a", "pass", more='required = "no"'),
        stage("a", "pass").replace('group = "code"', 'group = "cod"'),
        "[[stage]]\nname = 'a'\n",
        "not = toml = at all",
        "other = 1",
    ],
)
def test_a_wrong_table_is_refused(write: Write, wrong: str) -> None:
    assert run(write(wrong)) == 78


def test_an_unknown_stage_is_a_usage_error(write: Write) -> None:
    assert run(write(stage("a", "pass")), "b") == 64


def test_a_plain_check_runs_the_quick_command_and_a_full_one_the_other(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    quick = f"quick = {[sys.executable, '-c', 'print(2 * 21)']}"
    table = write(stage("swarm", "print(2 * 1000)", more=quick))

    assert run(table) == 0
    assert "\n42\n" in capfd.readouterr().out
    assert run(table, "--full") == 0
    assert "\n2000\n" in capfd.readouterr().out


def test_placeholders_are_filled_and_the_seed_is_the_commits(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    table = write(stage("echo", "print('{jobs}', '{seed}')"))

    assert run(table) == 0
    assert f"\n{os.cpu_count()} {stages.commit_seed()}\n" in capfd.readouterr().out


def test_without_a_commit_the_fixed_seed_is_used_and_that_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    archive = tmp_path  # unpacked: no repository around it

    assert stages.filled(("--seed", "{seed}"), archive) == ["--seed", stages.FIXED_SEED]
    assert "no commit is known here" in capsys.readouterr().out


def test_the_real_table_fits_its_budgets_and_starts_with_the_quick_ones() -> None:
    table = stages.read_table(stages.ROOT / "ci" / "stages.toml")

    assert table.stages[0].name == "lint"
    for group, budget_s in table.budgets_s.items():
        longest = max((s.budget_s for s in table.stages if s.group == group), default=0)
        assert longest <= budget_s


def test_the_compiled_house_serves_only_the_run_that_made_it(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    where = "import os; print('house:', os.environ.get('PYTHONPATH', 'as it is'))"
    user, plain = stage("user", where, more="compiled = true"), stage("plain", where)
    made = write(stage(stages.HOUSE_STAGE, "pass"), user, plain)
    assert run(made) == 0
    out = capfd.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("house:")] == [
        f"house: {stages.HOUSE}",
        "house: as it is",
    ]

    broken = write(stage(stages.HOUSE_STAGE, "raise SystemExit(1)"), user)
    assert run(broken) == 1
    assert "house: as it is" in capfd.readouterr().out
