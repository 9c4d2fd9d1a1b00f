"""The guard: a small process that kills the leader and all its children at the lease deadline.

    leader ── deadline ──▶ guard ──▶ kernel timer ──▶ SIGSTOP, SIGKILL: leader, children, theirs
           ◀─ armed ──────

A leader that hangs cannot stop itself, and a leader that was stopped acts the moment it goes on.
Laws:
  - Once armed, only a newer deadline or `rest` keeps the leader alive. Silence kills.
  - The guard ends with the leader and never before it; then it ends what the leader left behind.
  - The timer runs on CLOCK_BOOTTIME: a machine that slept past the deadline wakes to a kill.
"""

import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ninelives.engine.errors import GuardLost
from ninelives.engine.family import MARK_VARIABLE, end_family

# The guard must start, and stay, whatever becomes of the rest: it loads nothing it can do without.
if TYPE_CHECKING:
    from ninelives.engine.lease import Tenure

START_S = 10.0  # for the guard to be there, on a busy machine
END_S = 5.0
REST_NS = 0  # the deadline of one who does not lead
LET_GO_NS = -1  # and of one who needs no guard any more

_FRAME = struct.Struct("<q")  # nanoseconds of CLOCK_BOOTTIME; smaller than PIPE_BUF, so never split
_FRAMES_READ_MAX = 512
_TIMER_ABSOLUTE = 1  # TFD_TIMER_ABSTIME, timerfd_create(2)
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def boottime() -> float:
    """Seconds since boot, those asleep included: the clock of every tenure."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies. Call it between fork and exec.

    It follows the *thread* that forked (prctl(2)): a child started from a worker thread dies
    when that thread ends. `parent` is who forked; if it is gone already, no signal will come.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


class Guard:
    """The leader's end of the pipe. One for a process; made before the lease is tried for.

    Whatever raises `GuardLost` means: stop leading, now.
    """

    def __init__(self) -> None:
        if os.getpid() == 1:
            raise GuardLost(
                "nobody in a container can kill its process 1",
                "start the container with an init (for example `podman run --init`)",
            )
        # Children inherit the mark, so that the guard knows them when we and their own parents
        # are gone. It must be set before any other child is started.
        mark = f"{os.getpid()}-{time.clock_gettime_ns(time.CLOCK_BOOTTIME)}"
        os.environ[MARK_VARIABLE] = mark
        self._armed_ns: int | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            # -P: a module in the working directory is not ours.
            [sys.executable, "-P", "-m", "ninelives.engine.guard", str(os.getpid()), mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # so that it does not die by what is aimed at our group
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._feed, self._echo = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._feed, False)
        os.set_blocking(self._echo, False)
        self._await_first_echo()

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, tenure: "Tenure") -> None:
        """Be killed when `tenure` ends, unless fed again before."""
        self._send(int(tenure.ends_at * 1e9))

    def rest(self) -> None:
        """Be killed no more: we do not lead, and nothing of ours is under way."""
        self._send(REST_NS)

    def armed_until(self) -> float | None:
        """The deadline that the guard last acknowledged; None while it rests.

        Nothing is begun before the first is acknowledged. One that lags behind is only stricter.
        """
        self._read_echoes()
        return self._armed_ns / 1e9 if self._armed_ns else None

    def close(self) -> None:
        """End the guard of a process that no longer leads and has nothing left to clean up."""
        self._send(LET_GO_NS)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(END_S)

    def _send(self, deadline_ns: int) -> None:
        try:
            os.write(self._feed, _FRAME.pack(deadline_ns))
        except BrokenPipeError as error:
            raise GuardLost("the guard process is gone") from error
        except BlockingIOError as error:
            raise GuardLost("the guard process does not listen") from error

    def _await_first_echo(self) -> None:
        readable, _, _ = select.select([self._echo], [], [], START_S)
        if not readable:
            self._process.kill()
            raise GuardLost(f"the guard process did not start within {START_S:g} s")
        self._read_echoes()

    def _read_echoes(self) -> None:
        with suppress(BlockingIOError):
            while frames := os.read(self._echo, _FRAME.size * _FRAMES_READ_MAX):
                self._armed_ns = _last(frames)
            raise GuardLost("the guard process is gone")


def _last(frames: bytes) -> int:
    assert len(frames) % _FRAME.size == 0, "a frame was split"
    deadline_ns: int
    (deadline_ns,) = _FRAME.unpack(frames[-_FRAME.size :])
    return deadline_ns


def guard(leader: int, mark: str) -> None:
    """Watch over `leader`, our parent, until it ends or must. Deadlines come on stdin."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        # What stops the service is meant for the leader, and we are needed until it is gone.
        signal.signal(number, signal.SIG_IGN)
    handle = _watch_parent(leader)
    if handle is not None and _was_let_go(handle, _new_timer()):
        return
    unkillable = end_family(leader, mark, spared=os.getpid())
    if unkillable:
        sys.stderr.write(f"guard: not allowed to kill {sorted(unkillable)}\n")


def _was_let_go(handle: int, timer: int) -> bool:
    """Wait. True: the leader needs us no more; False: it is gone, or its time is up."""
    os.set_blocking(sys.stdout.fileno(), False)
    _echo(_FRAME.pack(REST_NS))
    poll = select.poll()
    for descriptor in (handle, timer, sys.stdin.fileno()):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        # The leader's end first, and its time before its wishes: one that was stopped past its
        # deadline may have fed us in the very instant it went on.
        if handle in ready or timer in ready:
            return False
        frames = os.read(sys.stdin.fileno(), _FRAME.size * _FRAMES_READ_MAX)
        if not frames:
            # No goodbye: the kernel closes the pipes of a dying process some time before its
            # handle says that it died. What it left behind is still to be ended.
            poll.unregister(sys.stdin.fileno())
        elif (deadline_ns := _last(frames)) == LET_GO_NS:
            return True
        else:
            _set_timer(timer, deadline_ns)
            _echo(frames[-_FRAME.size :])


def _watch_parent(leader: int) -> int | None:
    """A handle that becomes readable when `leader` ends; None if it has ended already."""
    try:
        handle = os.pidfd_open(leader)
    except ProcessLookupError:
        return None
    # Only now is it certain that the handle is our parent's and not of a later owner of its pid.
    return handle if os.getppid() == leader else None


def _echo(frame: bytes) -> None:
    # A leader that reads no echoes, or is gone, must not hold up its own guard.
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(sys.stdout.fileno(), frame)


def _new_timer() -> int:
    """A timer as a file descriptor. os.timerfd_create came with Python 3.13."""
    return _checked(_libc.timerfd_create(time.CLOCK_BOOTTIME, os.O_CLOEXEC))


def _set_timer(timer: int, deadline_ns: int) -> None:
    """Fire at `deadline_ns` of CLOCK_BOOTTIME, at once if that is past; never for REST_NS."""
    # struct itimerspec: interval, then value, each in seconds and nanoseconds.
    when = (ctypes.c_long * 4)(0, 0, *divmod(deadline_ns, 10**9))
    _checked(_libc.timerfd_settime(timer, _TIMER_ABSOLUTE, ctypes.byref(when), None))


def _checked(answer: int) -> int:
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


if __name__ == "__main__":
    guard(int(sys.argv[1]), sys.argv[2])
