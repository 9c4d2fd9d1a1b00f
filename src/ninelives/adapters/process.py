"""One program under supervision: no shell, a hard deadline, and an end for all that it started.

    options ──▶ stdin ──▶ leader of its own group ──▶ whatever it starts
                              │ stdout, stderr: read to their end, kept up to a limit
    deadline ── TERM to the group ── `GRACE_S` ── KILL to the group

Laws:
  - It dies with us: the kernel kills it when the thread that started it ends, and the guard ends
    what it started (engine/family.py finds it by its parent, its group and its mark).
  - The group is killed before its leader is reaped: until then its number is nobody else's.
  - Who is cancelled has stopped it: KILL, and only then the cancellation goes on.
"""

import asyncio
import errno
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ninelives.engine.family import MARK_VARIABLE

GRACE_S = 0.5  # between TERM and KILL: for a device's session to be closed
REAP_S = 1.0  # a killed process is gone in milliseconds, unless the kernel itself hangs in it
STDIN_MAX = 4096  # what a pipe takes at once even from a user with too many of them, pipe(7)
OUTPUT_MAX = 65_536  # usually kept of each stream; what is more is read, and forgotten
PIPE_MAX = 65_536  # what a pipe holds, pipe(7): one read empties it

# Of util-linux. It sets PR_SET_PDEATHSIG and becomes the program. Python's own way, a function
# between fork and exec, copies the page tables of a daemon first: 51 ms in which nothing is judged,
# where a vfork takes 0.3 (bench/fencing.py). Until it has run, the guard alone ends the child.
SETPRIV = "/usr/bin/setpriv"
# What a program of the system finds around it. Nothing else goes in: a proxy that is meant for the
# cloud's API must not stand between us and a power device, and its words must be English.
SURROUNDINGS = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. Secrets go in by `stdin`, never by `arguments`, which everybody can read."""

    arguments: tuple[str, ...]
    deadline_s: float
    stdin: bytes = field(default=b"", repr=False)
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    output_max: int = OUTPUT_MAX

    def __post_init__(self) -> None:
        assert len(self.stdin) <= STDIN_MAX, "more than a pipe takes at once"


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. Its words are not in the repr: nobody knows what an agent prints."""

    code: int | None  # negative: by that signal, not ours; None: ended by us at the deadline
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    took_s: float


async def run(program: Program) -> Ended:
    """Run to the end or the deadline. `OSError` where there is no such program.

    To be called in a thread that lasts as long as this process: the kernel follows the thread.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    child = _Child(program, loop)
    try:
        is_in_time = await child.ends_within(program.deadline_s)
        if not is_in_time:
            child.signal(signal.SIGTERM)
            await child.ends_within(GRACE_S)
    finally:
        child.signal(signal.SIGKILL)
        await child.ends_within(REAP_S)
        child.close()
    code = child.code if is_in_time else None
    return Ended(code, child.stdout.text, child.stderr.text, loop.time() - began)


class _Child:
    """A process, the handle that tells its end, and its pipes."""

    def __init__(self, program: Program, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._has_ended = asyncio.Event()
        if not os.access(program.arguments[0], os.X_OK):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program.arguments[0])
        mark = os.environ.get(MARK_VARIABLE)
        marked = {MARK_VARIABLE: mark} if mark is not None else {}
        self._process = subprocess.Popen(  # noqa: S603 - the operator's own list of programs
            [SETPRIV, "--pdeathsig", "KILL", *program.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**SURROUNDINGS, **program.environment, **marked},
            cwd="/",
            process_group=0,
        )
        self._handle = os.pidfd_open(self._process.pid)
        loop.add_reader(self._handle, self._ended)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        with self._process.stdin as pipe, suppress(BrokenPipeError):
            os.write(pipe.fileno(), program.stdin)  # one that is gone already needs no options
        self.stdout = _Tap(self._process.stdout.fileno(), loop, program.output_max)
        self.stderr = _Tap(self._process.stderr.fileno(), loop, program.output_max)

    @property
    def code(self) -> int | None:
        return self._process.returncode

    async def ends_within(self, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self._has_ended.wait()
        except TimeoutError:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group. Its leader, dead or alive, is not reaped yet."""
        assert self._process.returncode is None, "its number may be another's by now"
        # What became another user's on its way (sudo) cannot be signalled; it has our pipes still.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        """Reap it, and let go of its pipes. One that the kernel holds on to is reaped later."""
        self.stdout.close()
        self.stderr.close()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        if self._has_ended.is_set():
            self._reap()
        else:
            self._loop.add_reader(self._handle, self._reap)

    def _ended(self) -> None:
        self._loop.remove_reader(self._handle)
        self._has_ended.set()

    def _reap(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        self._process.wait()


class _Tap:
    """One stream of a child: read as it comes, so that the child never waits for us."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop, kept_max: int) -> None:
        self._descriptor, self._loop, self._kept_max = descriptor, loop, kept_max
        self._kept = bytearray()
        os.set_blocking(descriptor, False)
        loop.add_reader(descriptor, self._read)

    @property
    def text(self) -> str:
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Take what is left in the pipe. A grandchild may hold it open: nobody waits for that."""
        self._read()
        self._loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            some = os.read(self._descriptor, PIPE_MAX)
            self._kept += some[: self._kept_max - len(self._kept)]
            if not some:
                self._loop.remove_reader(self._descriptor)
