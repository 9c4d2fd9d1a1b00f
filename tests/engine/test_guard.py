"""The guard with real processes: a stopped leader, its children, and theirs, end in time."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from ninelives.engine.family import Process, family
from ninelives.engine.guard import boottime

PATIENCE_S = 20.0
# A kill takes milliseconds; this much is for a machine on which everybody tests at once.
LATE_S = 3.0

LEADER = """
import os, subprocess, sys
from functools import partial
from ninelives.engine.errors import GuardLost
from ninelives.engine.guard import Guard, boottime, die_with_parent
from ninelives.engine.lease import Tenure

NOBODY_READS = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
guard = Guard()
print(guard.pid, flush=True)
for line in sys.stdin:
    match line.split():
        case ["lease", sent_ago]:
            guard.watch(Tenure(1, boottime() - float(sent_ago), lease_s=3.0, margin_s=1.0))
            print("fed", flush=True)
        case ["armed"]:
            print(guard.armed_until(), flush=True)
        case ["now"]:
            print(boottime(), flush=True)
        case ["rest"]:
            guard.rest()
            print("resting", flush=True)
        case ["hang-up"]:
            guard._process.stdin.close()
            print("silent", flush=True)
        case ["close"]:
            guard.close()
            print("closed", flush=True)
        case ["child", *program]:
            print(subprocess.Popen(program, **NOBODY_READS).pid, flush=True)
        case ["session", *program]:
            child = subprocess.Popen(program, start_new_session=True, **NOBODY_READS)
            print(child.pid, flush=True)
        case ["bound"]:
            die = partial(die_with_parent, os.getpid())
            child = subprocess.Popen(["sleep", "600"], preexec_fn=die, env={}, **NOBODY_READS)
            print(child.pid, flush=True)
        case ["tree"]:
            script = "sh -c 'setsid sleep 600 & sleep 600 & wait' & wait"
            print(subprocess.Popen(["sh", "-c", script], **NOBODY_READS).pid, flush=True)
        case ["orphan"]:
            script = "setsid sleep 600 >/dev/null & echo $!"
            print(subprocess.check_output(["sh", "-c", script], text=True).strip(), flush=True)
        case ["exit"]:
            os._exit(0)
        case ["lost?"]:
            try:
                guard.armed_until()
                print("no", flush=True)
            except GuardLost:
                print("lost", flush=True)
"""


class Leader:
    """A leader in a process of its own, told what to do line by line."""

    def __init__(self, group: int | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LEADER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0 if group is None else group,
        )
        self.pid = self._process.pid
        self._seen = [self.pid]
        self.guard = self._answer_pid()

    def ask(self, line: str) -> str:
        self.tell(line)
        return self._answer()

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def start(self, line: str) -> int:
        """Have it start a process; its pid."""
        self.tell(line)
        return self._answer_pid()

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def armed_until(self) -> float:
        """Ask until the guard has acknowledged what it was fed."""
        give_up = time.monotonic() + PATIENCE_S
        while (answer := self.ask("armed")) == "None":
            assert time.monotonic() < give_up
        return float(answer)

    def clean_up(self) -> None:
        for pid in self._seen:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _answer_pid(self) -> int:
        self._seen.append(int(self._answer()))
        return self._seen[-1]


@pytest.fixture
def leader() -> Generator[Leader]:
    leader = Leader()
    yield leader
    leader.clean_up()


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def ended_at(pid: int) -> float:
    """Wait for the end of `pid`: when it came, on the guard's clock."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return boottime()
    try:
        ready, _, _ = select.select([handle], [], [], PATIENCE_S)
        assert ready, f"process {pid} lives on"
        return boottime()
    finally:
        os.close(handle)


def stays_for(pid: int, seconds: float) -> bool:
    handle = os.pidfd_open(pid)
    try:
        return not select.select([handle], [], [], seconds)[0]
    finally:
        os.close(handle)


def test_a_stopped_leader_is_killed_at_the_deadline(leader: Leader) -> None:
    leader.ask("lease 0")
    deadline = leader.armed_until()
    leader.stop()

    died = ended_at(leader.pid)

    assert deadline <= died < deadline + LATE_S
    ended_at(leader.guard)


def test_a_running_leader_is_killed_too(leader: Leader) -> None:
    leader.ask("lease 2")
    deadline = leader.armed_until()

    assert deadline <= ended_at(leader.pid) < deadline + LATE_S


def test_the_deadline_is_the_end_of_the_tenure(leader: Leader) -> None:
    before = float(leader.ask("now"))
    leader.ask("lease 1.5")
    after = float(leader.ask("now"))

    assert before + 1.5 - 1e-6 <= leader.armed_until() <= after + 1.5


def test_a_tenure_that_is_over_kills_at_once(leader: Leader) -> None:
    leader.tell("lease 60")

    assert ended_at(leader.pid) < boottime() + LATE_S


def test_a_fed_leader_lives(leader: Leader) -> None:
    leader.ask("lease 1.5")
    first = leader.armed_until()
    while boottime() < first + 0.5:
        assert leader.ask("lease 0") == "fed"
        leader.armed_until()  # a feed after each acknowledgement: the guard's pipe holds few

    assert is_alive(leader.pid)
    leader.stop()
    assert ended_at(leader.pid) > first + 2.0


def test_a_resting_leader_lives(leader: Leader) -> None:
    leader.ask("lease 2")
    leader.armed_until()
    leader.ask("rest")
    leader.stop()

    assert stays_for(leader.pid, 1.5)
    assert is_alive(leader.guard)


def test_a_leader_that_never_led_lives(leader: Leader) -> None:
    leader.stop()

    assert stays_for(leader.pid, 0.5)


@pytest.mark.parametrize("start", ["child sleep 600", "session sleep 600", "orphan"])
def test_what_the_leader_started_dies_with_it(leader: Leader, start: str) -> None:
    child = leader.start(start)
    leader.ask("lease 2")
    leader.stop()

    ended_at(leader.pid)

    ended_at(child)


def test_a_whole_tree_dies(leader: Leader) -> None:
    top = leader.start("tree")
    tree = descendants(top, count=3)
    leader.ask("lease 2")
    leader.stop()

    for pid in [leader.pid, top, *tree]:
        ended_at(pid)


@pytest.mark.parametrize("how", ["exit", "SIGKILL"])
@pytest.mark.parametrize("start", ["child sleep 600", "session sleep 600", "orphan"])
def test_what_a_dead_leader_left_behind_dies(leader: Leader, how: str, start: str) -> None:
    child = leader.start(start)

    if how == "exit":
        leader.tell("exit")
    else:
        os.kill(leader.pid, signal.SIGKILL)

    ended_at(child)
    ended_at(leader.guard)


def test_a_pipe_that_ends_is_no_goodbye(leader: Leader) -> None:
    child = leader.start("session sleep 600")
    leader.ask("hang-up")
    assert stays_for(leader.guard, 0.5)

    os.kill(leader.pid, signal.SIGKILL)

    ended_at(child)
    ended_at(leader.guard)


def test_nobody_else_dies() -> None:
    bystander = subprocess.Popen(["sleep", "600"], process_group=0)
    leader = Leader(group=bystander.pid)
    child = leader.start("child sleep 600")
    leader.ask("lease 2")
    leader.stop()

    ended_at(leader.pid)
    ended_at(child)
    ended_at(leader.guard)

    assert is_alive(bystander.pid)
    bystander.kill()
    bystander.wait()
    leader.clean_up()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_guard_outlives_what_stops_the_service(leader: Leader, number: signal.Signals) -> None:
    os.kill(leader.guard, number)
    leader.ask("lease 2")
    leader.armed_until()
    leader.stop()

    ended_at(leader.pid)


def test_the_leader_learns_that_its_guard_is_gone(leader: Leader) -> None:
    assert leader.ask("lost?") == "no"

    os.kill(leader.guard, signal.SIGKILL)
    ended_at(leader.guard)

    assert leader.ask("lost?") == "lost"


def test_a_guard_let_go_leaves_the_leader(leader: Leader) -> None:
    leader.ask("lease 2")

    assert leader.ask("close") == "closed"

    ended_at(leader.guard)
    assert stays_for(leader.pid, 1.2)


def test_a_bound_child_dies_without_any_guard(leader: Leader) -> None:
    child = leader.start("bound")
    os.kill(leader.guard, signal.SIGKILL)
    ended_at(leader.guard)

    os.kill(leader.pid, signal.SIGKILL)

    ended_at(child)


def descendants(pid: int, count: int) -> list[int]:
    """Wait until `pid` has that many processes below it."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < give_up
        found, level = list[int](), [pid]
        while level:
            level = [child for parent in level for child in children(parent)]
            found += level
        if len(found) >= count:
            return found


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def process(pid: int, parent: int, group: int | None = None, session: int = 1) -> Process:
    return Process(pid, pid * 10, parent, pid if group is None else group, session)


def test_a_family_is_who_descends_and_who_is_led() -> None:
    shell, leader = process(50, 1), process(100, 50, group=50)
    child, grandchild = process(101, 100, group=50), process(102, 101)
    orphan_of_child_group, orphan_of_session = process(103, 1, 102), process(104, 1, session=101)
    sibling, stranger = process(60, 50, group=50), process(61, 1)
    ours = {leader, child, grandchild, orphan_of_child_group, orphan_of_session}

    assert family(100, {shell, sibling, stranger, *ours}) == ours


def test_the_group_that_a_dead_leader_led_is_found() -> None:
    left, other = process(101, 1, group=100), process(102, 1, group=102)

    assert family(100, {left, other}) == {left}
