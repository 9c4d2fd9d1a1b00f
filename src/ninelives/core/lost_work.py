"""Nova's records whose work died with an earlier boot of the host that did it.

    evacuation, pre-migrating   its rebuild was in the memory of the target's nova-compute
    live migration              is driven from the memory of the source's

Nova never closes such a record (openstack-lab, "source nova-compute restarts"), and once that host
is back no proof speaks of its old boot any more. So what its list shows while that boot is
certainly gone is remembered with the host. An evacuation still `accepted` is no such work: it waits
in the host's queue, and its next nova-compute takes it up.
"""

from dataclasses import replace

from . import events as on
from .draft import Draft
from .model import HostId, MoveRecord
from .proofs import permits_start, valid

IN_A_QUEUE = frozenset({"accepted", "queued"})


def remember(draft: Draft, event: on.Listed) -> None:
    """Keep what a host was at when it died, of a list that was taken while it is proved gone."""
    host = event.request.host
    if event.request.epoch != draft.host(host).epoch:
        return
    shown = {entry.id: entry for server in event.servers for entry in server.records}
    kept = set(draft.host(host).lost_work)
    if event.is_complete:
        kept = {number for number in kept if _is_open(shown.get(number))}
    if permits_start(draft, host) and any(p.covers.cpu for p in valid(draft.host(host))):
        kept |= {entry.id for entry in shown.values() if _is_open(entry) and _did(host, entry)}
    lost = tuple(sorted(kept))
    if lost != draft.host(host).lost_work:
        draft.put_host(replace(draft.host(host), lost_work=lost))


def is_lost(draft: Draft, record: MoveRecord) -> bool:
    """Say whether nobody is left who could go on with an open record."""
    doer = driver(record)
    return doer in draft.cluster.site.hosts and record.id in draft.host(doer).lost_work


def driver(record: MoveRecord) -> HostId:
    """Name the host whose nova-compute does the work of a record; "" while none does."""
    return (record.target or HostId("")) if record.kind == "evacuation" else record.source


def _did(host: HostId, record: MoveRecord) -> bool:
    is_cold = record.kind not in ("evacuation", "live-migration")
    return driver(record) == host and record.status not in IN_A_QUEUE and not is_cold


def _is_open(record: MoveRecord | None) -> bool:
    return record is not None and not record.is_final
