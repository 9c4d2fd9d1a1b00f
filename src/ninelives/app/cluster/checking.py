"""The twenty steps by which such a cluster used to be set up by hand, each looked at.

Then compute hosts are lost: one, and all of them, in Pacemaker's own scheduler.

Each row is good, wrong, or unknown: what cannot be seen from here is never called good.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ninelives.adapters.pacemaker.cib.pieces import Key, Kind, Pieces, pieces_of
from ninelives.adapters.pacemaker.cib.simulation import Outcome, lost, rested
from ninelives.adapters.pacemaker.cib.tools import Target, read, verified
from ninelives.adapters.pacemaker.cib.tree import parsed
from ninelives.app.findings import Grade

from .checked_verdicts import Verdict
from .dangers import dangers
from .dangers_found import Danger, Judged
from .declared import nodes_of, pieces_from, recovered_hosts, services_of
from .devices import monitor_times
from .model import Cluster
from .planning import planned
from .resources import CONTROLLERS, members, remotes, running
from .sight import Sight, looked

TOLD_MAX = 4


class Row(NamedTuple):
    """One step, what is to be said of it, and why."""

    step: str
    verdict: Verdict
    seen: str = ""


class Checked(NamedTuple):
    """What is looked at: the declared cluster, the one that is, and what can be seen of it."""

    cluster: Cluster
    live: Pieces
    dangers: tuple[Danger, ...]
    sight: Sight


async def checked(target: Target, cluster: Cluster) -> list[Row]:
    """Look at everything. Nothing is changed."""
    cib = await read(target)
    live = pieces_of(parsed(cib))
    found = dangers(Judged(live, pieces_from(cluster)))
    sight = await looked(target, cluster)
    rows = [*_rows(Checked(cluster, live, found, sight))]
    wrong = await verified(cib) if members(live) else ()
    return [*rows, *_of_errors(wrong), *await _of_losses(live, cib), _of_plan(live, cluster)]


def _rows(it: Checked) -> Iterator[Row]:
    cluster, sight, by_hand = it.cluster, it.sight, "look there"
    yield Row("the key of the cluster exists, for root and haclient alone", *sight.key)
    yield Row("every compute host has the same key", *sight.joined)
    yield Row("pacemaker_remote runs on every compute host", *sight.joined)
    yield Row("its port is open to this controller", *sight.port)
    units = " ".join(
        each.agent.removeprefix("systemd:")
        for service in cluster.services.values() for each in service.resources
        if each.agent.startswith("systemd:")
    )  # fmt: skip
    seen = f"{by_hand}: systemctl is-enabled {units}" if units else by_hand
    yield Row("systemd does not start there what Pacemaker starts", Verdict.UNKNOWN, seen)
    yield _there(
        "every controller is a member", it, (Key(Kind.NODE, "", n) for n in cluster.members)
    )
    yield _free("quorum, and what corosync does after a fencing", it, QUORUM, sight.corosync)
    yield _there("the controllers have their roles", it, _roles(cluster, cluster.members))
    yield _free("what runs on controllers is kept off the compute hosts", it, {"stray"})
    yield _there("the compute hosts are in the cluster", it, _resources(cluster.remotes))
    yield _there("they have their roles", it, _roles(cluster, cluster.remotes))
    yield _free("every node has a power device of its own", it, {"unfenceable", "shared_wire"})
    yield Row("the fence agents are installed here", *sight.agents)
    ours = [cluster.ninelives.fencing.name] if recovered_hosts(cluster) else []
    yield _there("our fence agent serves all that are to be recovered", it, _resources(ours))
    yield _free("every level cuts the power, then tells ninelives", it, LEVELS)
    recheck = Key(Kind.PROPERTY, "", "cluster-recheck-interval")
    yield _there("hosts that are back are looked for", it, [recheck])
    yield _free("fencing is on, off is off, and hosts fall side by side", it, FENCING)
    built, controls = _missing(it, _clones(it)), _missing(it, _controllers(cluster))
    yield _free("services there neither block, nor fence, nor start early", it, SERVICES, built)
    yield _free("the controller runs, whatever the compute hosts do", it, ORDERS, controls)
    yield Row("no failure is left over", *sight.failures)


QUORUM = {"quorum_ignored", "two_without_wait_for_all", "two_with_autostart"}
LEVELS = {"no_power_device", "no_such_device", "told_before_off", "records_nothing"}
FENCING = {
    *("stonith-enabled", "stonith-action", "concurrent-fencing", "startup-fencing"),
    *("serial_fencing", "maintenance"),
}
ORDERS = {"order_stops_controller", "no_such_resource"}
SERVICES = {"stop_fences", "blocking_start", "no_gate", "slow_connect"}


def _roles(cluster: Cluster, nodes: Iterable[str]) -> Iterator[Key]:
    roles = {name: node.role for name, node in nodes_of(cluster).items()}
    yield from (Key(Kind.ATTRIBUTE, name, cluster.role_attribute) for name in nodes if roles[name])


def _resources(names: Iterable[str]) -> Iterator[Key]:
    yield from (Key(Kind.RESOURCE, "", name) for name in names)


def _clones(it: Checked) -> Iterator[Key]:
    yield from _resources(f"{name}-clone" for name in it.cluster.services)


def _controllers(cluster: Cluster) -> Iterator[Key]:
    if "ninelives" in services_of(cluster):
        yield from _resources([f"{cluster.ninelives.controller.name}-clone"])


def _missing(it: Checked, keys: Iterable[Key]) -> tuple[Verdict, str]:
    """Say which of these the cluster lacks, or has otherwise than declared."""
    wanted = pieces_from(it.cluster)
    wrong = [str(key) for key in keys if it.live.get(key) != wanted.get(key)]
    told = ", ".join(wrong[:TOLD_MAX]) + (" …" if len(wrong) > TOLD_MAX else "")
    return (Verdict.WRONG, f"missing or different: {told}") if wrong else (Verdict.GOOD, "")


def _there(step: str, it: Checked, keys: Iterable[Key]) -> Row:
    return Row(step, *_missing(it, keys))


def _free(
    step: str, it: Checked, names: set[str], also: tuple[Verdict, str] = (Verdict.GOOD, "")
) -> Row:
    """Make the row of a step that is good when none of these dangers is there."""
    found = [each for each in it.dangers if each.name in names]
    if found:
        told = "; ".join(each.what for each in found[:TOLD_MAX])
        worst = any(each.grade is Grade.ERROR or each.name == "stray" for each in found)
        return Row(step, Verdict.WRONG if worst else Verdict.UNKNOWN, told)
    return Row(step, *also)


# ------------------------------------------------------------------------------------- losses


async def _of_losses(live: Pieces, cib: str) -> list[Row]:
    """Let one compute host die, and then all of them, in Pacemaker's own scheduler."""
    hosts = {name: monitor_times(piece)[0] for name, piece in remotes(live).items()}
    hosts = {name: interval_s for name, interval_s in hosts.items() if interval_s}
    steps = ("the death of one compute host", "the death of all compute hosts")
    if not hosts or not members(live):
        return [Row(step, Verdict.UNKNOWN, "no compute host is watched") for step in steps]
    before = await rested(cib, members(live))
    one = dict([min(hosts.items())])
    return [
        _judged(step, live, before, await lost(before, dead), frozenset(dead))
        for step, dead in zip(steps, (one, hosts), strict=True)
    ]


def _judged(step: str, live: Pieces, before: Outcome, after: Outcome, dead: frozenset[str]) -> Row:
    """Judge a loss: exactly the dead are fenced, and the controllers run where they ran."""
    wrong = [f"{name} is fenced, and is healthy" for name in sorted(after.fenced - dead)]
    wrong += [f"{name} is not fenced" for name in sorted(dead - after.fenced)]
    controllers = sorted({each.name for each in running(live) if each.agent in CONTROLLERS})
    for name in controllers:
        gone = before.runs_on.get(name, frozenset()) - after.runs_on.get(name, frozenset())
        wrong += [f"{name} stops on {node}" for node in sorted(gone)]
        if not before.runs_on.get(name):
            wrong.append(f"{name} runs nowhere")
    if not controllers:
        wrong.append("nothing that recovers servers runs in this cluster")
    if wrong:
        return Row(step, Verdict.WRONG, "; ".join(wrong[:TOLD_MAX]))
    fenced = f"{len(dead)} fenced" if len(dead) > 1 else f"{min(dead)} fenced"
    return Row(step, Verdict.GOOD, f"{fenced}, no healthy host, {', '.join(controllers)} runs on")


def _of_errors(wrong: tuple[str, ...]) -> Iterator[Row]:
    """Add what Pacemaker's own check says, where it says anything."""
    if wrong:
        yield Row("Pacemaker's own check", Verdict.WRONG, wrong[0])


def _of_plan(live: Pieces, cluster: Cluster) -> Row:
    count = len(planned(live, cluster).changes)
    told = f"{count} changes to make: `ninelives cluster plan`" if count else ""
    return Row("the cluster is what the file says", Verdict.WRONG if count else Verdict.GOOD, told)
