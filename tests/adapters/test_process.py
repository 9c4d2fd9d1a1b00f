"""A supervised program, with real ones: it ends in time, and all that it started with it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ninelives.adapters.process import OUTPUT_MAX, Ended, Program, run
from ninelives.engine.family import MARK_VARIABLE

PATIENCE_S = 20.0
SOON_S = 0.5
FOR_EVER = "600"


def shell(script: str, deadline_s: float = PATIENCE_S, stdin: bytes = b"") -> Ended:
    return asyncio.run(run(Program(("/bin/sh", "-c", script), deadline_s, stdin)))


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def is_gone_soon(pid: int) -> bool:
    give_up = time.monotonic() + PATIENCE_S
    while is_alive(pid) and time.monotonic() < give_up:
        os.sched_yield()
    return not is_alive(pid)


def test_it_gets_its_options_on_stdin_and_tells_how_it_ended() -> None:
    ended = shell("cat; echo wrong >&2; exit 2", stdin=b"action=status\n")

    assert (ended.code, ended.stdout, ended.stderr) == (2, "action=status\n", "wrong\n")


def test_an_end_by_a_signal_is_told() -> None:
    assert shell("kill -9 $$").code == -signal.SIGKILL


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(run(Program(("/nowhere/fence_nothing",), PATIENCE_S)))


def test_one_that_reads_nothing_and_is_gone_already_is_no_error() -> None:
    assert shell("exec true", stdin=b"x" * 4096).code == 0


def test_at_the_deadline_the_group_is_asked_to_end() -> None:
    script = f"trap 'echo bye; exit 0' TERM; echo $$; sleep {FOR_EVER} & echo $!; wait"

    ended = shell(script, SOON_S)

    assert ended.code is None
    leader, child, word = ended.stdout.split()
    assert word == "bye"
    assert not is_alive(int(leader))
    assert is_gone_soon(int(child))


def test_who_does_not_listen_is_killed() -> None:
    script = f"trap '' TERM; echo $$; sleep {FOR_EVER} & echo $!; wait; sleep {FOR_EVER}"

    ended = shell(script, SOON_S)

    assert ended.code is None
    assert ended.took_s < PATIENCE_S
    assert all(is_gone_soon(int(pid)) for pid in ended.stdout.split())


def test_what_it_leaves_behind_in_its_group_ends_with_it() -> None:
    ended = shell(f"sleep {FOR_EVER} & echo $!; exit 0")

    assert ended.code == 0
    assert is_gone_soon(int(ended.stdout))


def test_a_grandchild_that_holds_the_pipes_holds_up_nobody() -> None:
    ended = shell(f"setsid sleep {FOR_EVER} & echo $!; exit 0")

    assert ended.code == 0
    assert ended.took_s < PATIENCE_S
    os.kill(int(ended.stdout), signal.SIGKILL)


def test_of_endless_output_a_limited_part_is_kept() -> None:
    ended = shell("yes off", SOON_S)

    assert ended.code is None
    assert len(ended.stdout) == OUTPUT_MAX


def test_who_is_cancelled_has_stopped_it_before(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    os.mkfifo(told)

    async def cancelled() -> int:
        script = f"trap '' TERM; echo $$ > {told}; sleep {FOR_EVER}"
        task = asyncio.Task(run(Program(("/bin/sh", "-c", script), PATIENCE_S)))
        pid = int(await asyncio.to_thread(told.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_alive(pid)
        return pid

    assert asyncio.run(cancelled()) > 0


PARENT = f"""
import asyncio
from ninelives.adapters.process import Program, run

asyncio.run(run(Program(("/bin/sh", "-c", "echo $$ > $TOLD; exec sleep {FOR_EVER}"), 600.0,
                        environment={{"TOLD": "TOLD_PATH"}})))
"""


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    os.mkfifo(told)
    parent = subprocess.Popen([sys.executable, "-c", PARENT.replace("TOLD_PATH", str(told))])
    pid = int(told.read_text())

    parent.kill()
    parent.wait(PATIENCE_S)

    assert is_gone_soon(pid)


def test_it_finds_no_proxy_around_it_and_carries_the_mark_of_its_leader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv(MARK_VARIABLE, "4711-1")

    around = dict(line.split("=", 1) for line in shell("exec env").stdout.splitlines())

    assert around[MARK_VARIABLE] == "4711-1"
    assert "https_proxy" not in around
    assert around["LC_ALL"] == "C.UTF-8"


def test_its_words_and_its_options_are_in_no_repr() -> None:
    program = Program(("/bin/cat",), PATIENCE_S, b"passwd=hush", {"KEY": "hush"})

    assert "hush" not in repr(program)
    assert "hush" not in repr(asyncio.run(run(program)))
