"""Pacemaker's own programs, on a running cluster or on a CIB file (`CIB_file`).

Law: the configuration is only ever changed by a patch that cibadmin applies: what others change at
the same time, and does not touch the same element, is kept.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ninelives.adapters.process import Ended, Program, run
from ninelives.engine.errors import ConfigError, Refused, Unreachable

from .tree import parsed_tree, written

QUERY_S, PATCH_S, THINK_S = 30.0, 60.0, 120.0
ANSWER_MAX = 64 * 1024 * 1024  # the CIB of 60 hosts is half a megabyte
NOT_CONNECTED = 102  # CRM_EX_DISCONNECT, include/crm/common/results.h
DIFFERENT = 1  # what crm_diff ends with when it found something
PACKAGES = {"crm_simulate": "pacemaker-cli-utils", "crm_verify": "pacemaker-cli-utils"}


class ProgramMissing(ConfigError):  # noqa: N818 - as all of ours: it says what happened
    """A program of Pacemaker's is not installed on this machine."""


class Target(NamedTuple):
    """Which cluster: the one that runs here, or a file."""

    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file) if self.file else "the running cluster"


async def read(target: Target) -> str:
    """Return the whole CIB. `Unreachable` where no cluster answers."""
    if target.file is not None:
        try:
            return target.file.read_text()
        except OSError as error:
            hint = "`cibadmin --empty` prints an empty one"
            raise Refused(f"{target.file}: {error.strerror}", hint) from error
    return (await ask(target, "cibadmin", "--query", limit_s=QUERY_S)).stdout


async def patched(target: Target, before: str, after: str) -> None:
    """Apply the difference of two CIBs; at once, or not at all."""
    with tempfile.TemporaryDirectory(prefix="ninelives-") as folder:
        old, new, patch = (Path(folder, name) for name in ("old.xml", "new.xml", "patch.xml"))
        old.write_text(before)
        new.write_text(after)
        words = (f"--original={old}", f"--new={new}", "--no-version")
        told = await ask(target, "crm_diff", *words, limit_s=PATCH_S, good=(0, DIFFERENT))
        if told.code == DIFFERENT:
            patch.write_text(told.stdout)
            await ask(target, "cibadmin", "--patch", f"--xml-file={patch}", limit_s=PATCH_S)


async def verified(cib: str) -> tuple[str, ...]:
    """Return what crm_verify calls an error in a CIB; its warnings are about what runs.

    It is shown the configuration alone: of a running cluster it would call the scheduler's work of
    this moment an error, too (a resource that is to go is "active on 2 nodes").
    """
    alone = parsed_tree(cib)
    for status in alone.findall("status"):
        status.clear()
    with _as_file(written(alone)) as file:
        words = ("-V", f"--xml-file={file}")
        told = await ask(Target(), "crm_verify", *words, limit_s=THINK_S, good=None)
    lines = told.stderr.splitlines()
    return tuple(line.strip() for line in lines if "error:" in line or "valid against" in line)


async def stopped(name: str, limit_s: int) -> bool:
    """Have the running cluster stop a resource, and wait; say whether it came to rest."""
    words = ("--meta", "--set-parameter=target-role", "--parameter-value=Stopped")
    await ask(Target(), "crm_resource", f"--resource={name}", *words, limit_s=QUERY_S)
    return await settled(Target(), limit_s)


async def simulated(cib: str, words: Sequence[str]) -> tuple[str, str]:
    """Let the scheduler act on a CIB: what it did, and the CIB that came of it."""
    with _as_file(cib) as file:
        out = file.with_suffix(".out")
        fixed = ("--simulate", f"--xml-file={file}", f"--save-output={out}")
        told = await ask(Target(), "crm_simulate", *fixed, *words, limit_s=THINK_S)
        return told.stdout, out.read_text()


async def settled(target: Target, limit_s: int) -> bool:
    """Wait until a running cluster has nothing more to do; say whether it came to that."""
    words = ("--wait", f"--timeout={limit_s}s")
    told = await ask(target, "crm_resource", *words, limit_s=limit_s + 10, good=None)
    return told.code == 0


@contextmanager
def _as_file(cib: str) -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="ninelives-") as folder:
        file = Path(folder, "cib.xml")
        file.write_text(cib)
        yield file


async def ask(
    target: Target, name: str, *words: str, limit_s: float, good: tuple[int, ...] | None = (0,)
) -> Ended:
    """Run one of the programs; `good` are the codes that are no error, None: all of them."""
    program = shutil.which(name, path=f"/usr/sbin:/usr/bin:{os.defpath}")
    if program is None:
        raise ProgramMissing(
            f"no {name} on this machine", f"apt-get install {PACKAGES.get(name, 'pacemaker')}"
        )
    environment = {"CIB_file": str(target.file.absolute())} if target.file else {}
    ended = await run(
        Program((program, *words), limit_s, environment=environment, output_max=ANSWER_MAX)
    )
    if ended.code is None:
        raise Unreachable(f"{name} did not end within {limit_s:g} s", "try again")
    if ended.code == NOT_CONNECTED:
        hint = "run it on a controller, or name a file with --cib"
        raise Unreachable("no cluster answers on this machine", hint)
    if good is not None and ended.code not in good:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:] or [
            "it said nothing"
        ]
        raise Refused(f"{name} ended with {ended.code}: {said[0]}", "see the cluster's own log")
    return ended
