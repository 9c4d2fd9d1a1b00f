"""What the doctor finds in the site as a whole: clocks, quorums, other rescuers, spare capacity.

What cannot be known from outside a host is said, and never taken for good.
"""

import ctypes
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ninelives.adapters.nova.services import COMPUTE, Roll
from ninelives.adapters.nova.views import Names, ServiceRow
from ninelives.core import states
from ninelives.core.cluster import Cluster, Control
from ninelives.core.draft import restored
from ninelives.core.model import HostId, ServerSeen

from .config.configuration import Configuration
from .findings import Finding, Grade
from .what_if import Asked, WhatIf, what_if

CLOCKS_DIFFER = timedelta(seconds=5)  # Nova writes seconds, and its answer took its time
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
OURS = "ninelives:"
INSTANCEHA = "instanceha"  # how its reasons begin (instanceha.py, openstack-k8s-operators)
REHEARSED_MAX = 500  # servers: each is asked for alone


def of_site(configuration: Configuration) -> Iterator[Finding]:
    """Find what the inventory alone says. Pure."""
    yield from _of_boots(configuration)
    yield from of_quorums(configuration)
    yield from of_pacemaker(configuration)


def of_pacemaker(configuration: Configuration) -> Iterator[Finding]:
    """Find what is to be known of a cluster that shoots by itself. Pure."""
    if configuration.pacemaker_every_s is None:
        return
    what = "decides and shoots by itself: no brake of ours stops it"
    remedy = "its own settings do: docs/reference/pacemaker.md"
    yield Finding(Grade.NOTE, "pacemaker", what, remedy)
    known = {device.host for device in configuration.devices.values() if device.cluster_device}
    for host in sorted(configuration.setting.site.hosts.keys() - known):
        what = "no device of it has a cluster_device: a fencing by Pacemaker is never its proof"
        remedy = "name the resource of the cluster beside each power device that is the same"
        yield Finding(Grade.WARNING, host, what, remedy)


def _of_boots(configuration: Configuration) -> Iterator[Finding]:
    hosts = configuration.setting.site.agentless
    if hosts:
        what = (
            f"{len(hosts)} hosts without an agent: whether they start guests at boot by themselves "
            "cannot be known from here"
        )
        remedy = (
            "resume_guests_state_on_host_boot = false in nova.conf, and no domain with autostart: "
            "see each host yourself"
        )
        yield Finding(Grade.NOTE, "boot", what, remedy)


# --------------------------------------------------------------------------------- quorums


def of_quorums(configuration: Configuration) -> Iterator[Finding]:
    """Find hosts that may not be shot because others need them alive. Pure."""
    site = configuration.setting.site
    for name, quorum in sorted(site.quorum_sets.items()):
        spare = len(quorum.members) - quorum.needed
        if spare < 1:
            what = f"needs all of its {len(quorum.members)} members: none may ever be shot"
            yield Finding(Grade.WARNING, f"quorum {name}", what, "another member, or none here")
        else:
            what = f"{len(quorum.members)} members on compute hosts: {spare} may be out at once"
            yield Finding(Grade.NOTE, f"quorum {name}", what, "a shot beyond that is held")
    seats = Counter(site.controller_hosts.values())
    for host, many in sorted(seats.items()):
        if many == len(site.controllers):
            what = "every controller runs on it: the leader never shoots its own host"
            yield Finding(Grade.ERROR, host, what, "run one of them elsewhere")


# --------------------------------------------------------------------------------- Nova's rows


def of_services(
    configuration: Configuration, names: Names, roll: Roll, wall: float
) -> Iterator[Finding]:
    """Find what Nova's services tell of clocks, of a control plane on computes, of others. Pure."""
    yield from of_clocks(roll, wall)
    known = {configuration.names[host].nova: host for host in configuration.names}
    guarded = {
        member
        for quorum in configuration.setting.site.quorum_sets.values()
        for member in quorum.members
    }
    beside = dict[HostId, set[str]]()
    for each in roll.services:
        if each.binary != COMPUTE and each.host in known:
            beside.setdefault(known[each.host], set()).add(each.binary)
    for host, binaries in sorted(beside.items()):
        if host not in guarded:
            what = f"runs {', '.join(sorted(binaries))}, too: a shot takes them with it"
            remedy = "name the set as [quorum.NAME], so that too few are never left"
            yield Finding(Grade.WARNING, host, what, remedy)
    for each in roll.computes():
        if rescuer := rescuer_of(each):
            yield Finding(
                Grade.WARNING,
                names.host(each.host),
                f"{rescuer}: its servers are not touched while that stands",
                "one rescuer for a host: stop the other, or leave the host to it",
            )


def of_clocks(roll: Roll, wall: float) -> Iterator[Finding]:
    """Hold our clock against Nova's, and Nova's against each host's. Pure.

    Nothing is decided by them; they are what logs and reports are laid side by side by.
    """
    if roll.date is None:
        yield Finding(Grade.NOTE, "clocks", "Nova does not say what time it is", "")
        return
    ours = datetime.fromtimestamp(wall, UTC) - roll.date
    if abs(ours) > CLOCKS_DIFFER:
        what = f"differs from Nova's by {ours.total_seconds():.0f} s"
        yield Finding(Grade.WARNING, "clock of this machine", what, "run chrony or ntpd on both")
    for each in roll.computes():
        if each.reported_at is not None and each.reported_at - roll.date > CLOCKS_DIFFER:
            ahead = (each.reported_at - roll.date).total_seconds()
            what = (
                f"its clock is {ahead:.0f} s ahead of Nova's: a dead one would look alive so long"
            )
            yield Finding(Grade.ERROR, each.host, what, "run chrony or ntpd on it")


def is_synchronised() -> bool | None:
    """Ask the kernel whether somebody keeps our clock right; None where it does not say."""
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != TIME_ERROR


def rescuer_of(service: ServiceRow) -> str:
    """Say who else has a hand on a host, as its record tells; "" for nobody. Pure."""
    if service.reason.startswith(INSTANCEHA):
        return f"instanceha wrote '{service.reason}'"
    if service.is_forced_down and not service.reason.startswith(OURS):
        return "somebody forced it down"
    return ""


# --------------------------------------------------------------------------------- capacity


async def of_capacity(
    configuration: Configuration, asked: Asked, servers: Collection[ServerSeen]
) -> list[Finding]:
    """Rehearse the death of each host alone, with all others well. Raises `PortError`."""
    if len(servers) > REHEARSED_MAX:
        what = f"{len(servers)} servers are too many to rehearse here"
        return [
            Finding(Grade.NOTE, "capacity", what, "`ninelives what-if HOST` does, host by host")
        ]
    cluster = all_well(configuration)
    found = list[Finding]()
    for host in sorted({each.host for each in servers if each.host is not None}):
        if host in cluster.site.hosts:
            found += of_rehearsal(host, await what_if(cluster, asked, [host], 0.0))
    return found


def all_well(configuration: Configuration) -> Cluster:
    """Make a mind in which every host does well. Pure."""
    setting = configuration.setting
    hosts = [states.Host(host, state=states.Healthy(0.0)) for host in setting.site.hosts]
    return restored(
        setting.site, setting.policy, Control(), hosts, (), (), setting.segment_policies
    )


def of_rehearsal(host: HostId, found: WhatIf) -> Iterable[Finding]:
    """Find whom no other host could take. Pure."""
    homeless = [fate for fate in found.fates if fate.why_not == "no_target"]
    if homeless:
        names = ", ".join(fate.name or fate.server for fate in homeless[:5])
        what = f"were it dead, {len(homeless)} of {len(found.fates)} servers fit nowhere ({names})"
        yield Finding(Grade.WARNING, host, what, "capacity, zones and server groups of its segment")
    if found.lent:
        what = f"were it dead, {', '.join(found.lent)} would be lent from the reserve"
        yield Finding(Grade.NOTE, host, what, "nothing: the others of its segment are full")
    others: Mapping[str, int] = Counter(
        fate.why_not for fate in found.fates if fate.why_not and fate.why_not != "no_target"
    )
    if others:
        words = ", ".join(f"{many} {why}" for why, many in sorted(others.items()))
        remedy = f"`ninelives what-if {host}` names them"
        yield Finding(Grade.NOTE, host, f"were it dead, these would stay: {words}", remedy)
