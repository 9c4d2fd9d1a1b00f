"""What can be seen of a cluster from this machine: its key, its hosts, its agents, its failures.

Of a CIB file nothing of this can be seen, and of a running cluster not everything.
"""

import asyncio
import shutil
import stat
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ninelives.adapters.pacemaker.cib.tools import QUERY_S, Target, ask
from ninelives.adapters.pacemaker.cib.tree import parsed_tree

from .checked_verdicts import Verdict
from .declared import nodes_of, recovered_hosts
from .devices import named
from .model import Cluster

KEY = Path("/etc/pacemaker/authkey")
COROSYNC = Path("/etc/corosync/corosync.conf")
AGENTS = "/usr/sbin"  # where the fencer looks for them, and nowhere else
PORT, ANSWER_S, AT_ONCE = 3121, 2.0, 32

Seen: TypeAlias = tuple[Verdict, str]
NOT_SEEN: Seen = (Verdict.UNKNOWN, "a CIB file was named, and no cluster looked at")


class Sight(NamedTuple):
    """One verdict for each thing that only the machines themselves can tell."""

    key: Seen = NOT_SEEN
    joined: Seen = NOT_SEEN
    port: Seen = NOT_SEEN
    corosync: Seen = (Verdict.GOOD, "")
    agents: Seen = NOT_SEEN
    failures: Seen = NOT_SEEN


async def looked(target: Target, cluster: Cluster) -> Sight:
    """Look at this machine and at the running cluster."""
    agents = _agents(cluster)
    if target.file is not None:
        return Sight(agents=agents)
    said = await ask(target, "crm_mon", "-1", "--output-as=xml", limit_s=QUERY_S)
    status = parsed_tree(said.stdout)
    online = {
        each.get("name", "")
        for each in status.iterfind("nodes/node")
        if each.get("online") == "true"
    }
    missing = sorted(cluster.remotes.keys() - online)
    failed = [each.get("op_key", "") for each in status.iterfind("failures/failure")]
    return Sight(
        key=_key(),
        joined=(Verdict.WRONG, f"not online: {' '.join(missing)}")
        if missing
        else (Verdict.GOOD, ""),
        port=await _ports(cluster),
        corosync=_corosync(cluster),
        agents=agents,
        failures=(Verdict.WRONG, " ".join(failed)) if failed else (Verdict.GOOD, ""),
    )


def _key() -> Seen:
    try:
        found = KEY.stat()
    except OSError as error:
        return Verdict.WRONG, f"{KEY}: {error.strerror}"
    if found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        return Verdict.WRONG, f"{KEY} is not for root and its group alone: chmod 640"
    return Verdict.GOOD, ""


def _corosync(cluster: Cluster) -> Seen:
    """Hold what is declared against corosync's own file."""
    if cluster.corosync is None:
        return Verdict.GOOD, ""
    try:
        words = COROSYNC.read_text().replace(":", " ").split()
    except OSError as error:
        return Verdict.UNKNOWN, f"{COROSYNC}: {error.strerror}"
    settings = dict(pairwise(words))
    # two_node implies it, unless it is switched off by name (votequorum(5)).
    usual = "1" if settings.get("two_node") == "1" else "0"
    waits = settings.get("wait_for_all", usual) == "1"
    if waits != cluster.corosync.wait_for_all:
        return Verdict.WRONG, f"{COROSYNC} says wait_for_all: {int(waits)}"
    return Verdict.GOOD, ""


def _agents(cluster: Cluster) -> Seen:
    nodes = nodes_of(cluster).items()
    wanted = {each.agent for name, node in nodes for each in named(name, node.stonith)}
    wanted |= {cluster.ninelives.fencing.agent} if recovered_hosts(cluster) else set()
    wanted -= {"fence_watchdog"}  # Pacemaker does that itself
    here = {each for each in wanted if each.startswith("fence_")}
    missing = sorted(each for each in here if shutil.which(each, path=AGENTS) is None)
    if missing:
        return Verdict.WRONG, f"not in {AGENTS}: {' '.join(missing)}"
    return Verdict.GOOD, ""


async def _ports(cluster: Cluster) -> Seen:
    """Connect to each host, and hang up: pacemaker_remote does not mind."""
    several = asyncio.Semaphore(AT_ONCE)
    closed = list[str]()

    async def reached(name: str, server: str) -> None:
        try:
            async with several, asyncio.timeout(ANSWER_S):
                _, writer = await asyncio.open_connection(server, PORT)
        except (OSError, TimeoutError):
            closed.append(name)
            return
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for name, remote in cluster.remotes.items():
            group.create_task(reached(name, remote.server or name))
    if closed:
        return Verdict.WRONG, f"no answer at port {PORT}: {' '.join(sorted(closed))}"
    return Verdict.GOOD, ""
