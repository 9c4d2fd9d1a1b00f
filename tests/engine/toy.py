"""A small mind for tests of the engine: it shoots whom a witness calls silent, and lists next.

It is no core. It writes every kind of record and hands out every kind of action, so that what
carries decisions can be tested apart from what decides.
"""

from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Decision
from ninelives.core.draft import Draft
from ninelives.core.model import (
    HostId,
    Plane,
    RoadId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.protection import Promise
from ninelives.core.site import HostSite, Road, Site
from ninelives.core.states import Will

HOSTS = tuple(HostId(f"c{number}") for number in (1, 2, 3))
ME = WitnessId("ctl-a")
SITE = Site(
    {host: HostSite(host, roads=(Road(RoadId(f"bmc-{host}")),)) for host in HOSTS},
    controllers=(ME,),
)
RETRY_S = 30.0


def decide(cluster: Cluster, event: on.Event, now: float) -> Decision:
    draft = Draft(cluster, now)
    match event:
        case on.TermBegan(term=term, leader=leader):
            draft.put_views(replace(draft.views, term=term, leader=leader, began_at=now))
            draft.note("ninelives", "term.began", str(term))
            draft.wake("rest", now + RETRY_S)
        case on.Woke(subject=subject):
            draft.woke(subject)
            draft.note(subject, "toy.woke")
        case on.Sighted(changes=changes):
            for change in changes:
                if change.sign is Sign.SILENT:
                    shoot(draft, change.host)
        case on.Armed(by=by, is_armed=is_armed, cause=cause):
            draft.put_control(Control(is_armed, cause))
            draft.note("ninelives", "toy.armed", by)
        case on.Replied(action=do.PowerOff() as shot, outcome=on.Outcome.DONE):
            draft.settle(shot)
            draft.ask(do.ListServers(shot.host, shot.epoch, 0))
            draft.act(do.ForceDown(shot.host, shot.epoch), RETRY_S)
            draft.put_host(replace(draft.host(shot.host), state=at.Fenced(now)))
            draft.note(shot.host, "host.fenced")
        case on.Replied(action=do.Evacuate(server=server, target=target) as send):
            draft.settle(send)
            draft.note(server, "server.evacuated", event.outcome, target)
            if (move := draft.move(server)) is not None:
                draft.drop_move(move)
        case on.Replied(action=action):
            draft.settle(action)
        case on.Listed(request=request, servers=servers):
            for seen in servers:
                send_away(draft, request, seen)
        case _:
            pass
    return draft.decision()


def shoot(draft: Draft, host_id: HostId) -> None:
    host = draft.host(host_id)
    if isinstance(host.state, at.Fencing):
        return
    state = at.Fencing(draft.now, at.Class.DEAD_OR_FROZEN)
    draft.put_host(replace(host, epoch=host.epoch + 1, state=state))
    draft.act(do.PowerOff(host_id, RoadId(f"bmc-{host_id}"), host.epoch + 1, 1), RETRY_S)
    draft.note(host_id, "host.fencing", "silent")


def send_away(draft: Draft, request: do.ListServers, seen: ServerSeen) -> None:
    target = next(host for host in HOSTS if host != request.host)
    state = at.Sending(draft.now, target)
    draft.put_move(
        at.Move(seen.id, request.host, request.epoch, state, seen, Promise(), True, Will.RUNNING)
    )
    draft.act(do.Evacuate(seen.id, request.host, target, request.epoch, 1), RETRY_S)


def silent(host: HostId, witness: str = "c2") -> on.Sighted:

    return on.Sighted(WitnessId(witness), (on.Change(host, Plane.MANAGEMENT, Sign.SILENT),))


def server(name: str, host: HostId) -> ServerSeen:

    return ServerSeen(ServerId(name), host, VmState.ACTIVE, None, True)
