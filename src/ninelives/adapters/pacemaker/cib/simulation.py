"""What Pacemaker's own scheduler would do if hosts died: nothing runs, and nothing is fenced.

CIB ──▶ all nodes up, everything started ──▶ connections fail ──▶ who is fenced, what still runs
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

from .tools import simulated
from .tree import parsed_tree

PASSES_MAX = 6  # remotes connect in the first, what runs on them starts in the next


class Outcome(NamedTuple):
    """What came of it."""

    fenced: frozenset[str]
    runs_on: Mapping[str, frozenset[str]]  # the name of a resource: the nodes
    cib: str


async def rested(cib: str, members: Iterable[str]) -> Outcome:
    """Let every member be up, and the scheduler start whatever it would, until it rests."""
    up = [f"--node-up={name}" for name in members]
    outcome = await _passed(cib, ["--quorum=1", *up])
    for _ in range(PASSES_MAX):
        later = await _passed(outcome.cib, ["--quorum=1"])
        if later.runs_on == outcome.runs_on:
            return later
        outcome = later
    return outcome


async def lost(before: Outcome, monitors: Mapping[str, int]) -> Outcome:
    """Break the connection to some hosts at once; `monitors` has their intervals in seconds."""
    words = [
        f"--op-inject={host}_monitor_{interval_s * 1000}@{node}=1"
        for host, interval_s in monitors.items()
        for node in before.runs_on.get(host, ())
    ]
    outcome, fenced = await _passed(before.cib, ["--quorum=1", *words]), frozenset[str]()
    for _ in range(PASSES_MAX):
        fenced |= outcome.fenced
        later = await _passed(outcome.cib, ["--quorum=1"])
        if later.runs_on == outcome.runs_on and not later.fenced:
            break
        outcome = later
    return outcome._replace(fenced=fenced)


async def _passed(cib: str, words: list[str]) -> Outcome:
    said, after = await simulated(cib, [*words, "--output-as=xml"])
    root = parsed_tree(said)
    fenced = frozenset(
        each.get("target", "") for each in root.iterfind("transition/fencing_action")
    )
    status = root.find("revised_cluster_status")
    return Outcome(fenced, _running(status if status is not None else root), after)


def _running(status: ElementTree.Element) -> dict[str, frozenset[str]]:
    found = dict[str, frozenset[str]]()
    for resource in status.iter("resource"):
        name, role = resource.get("id", "").partition(":")[0], resource.get("role", "")
        nodes = frozenset(each.get("name", "") for each in resource.iterfind("node"))
        if role not in {"Stopped", "Starting"}:
            found[name] = found.get(name, frozenset()) | nodes
    return found
