"""decide: the one entrance. An event, what is known and the time come in; a Decision goes out.

    fold the news into what was seen ─▶ void what it contradicts ─▶ look at the hosts it is about

It touches the records that it must and the shared counters, never the whole fleet. It is pure: the
same cluster, event and instant give the same decision, in production, simulation and replay.
"""

from dataclasses import replace

from . import actions as do
from . import (
    adoption,
    contradicted,
    evidence,
    fencing,
    guests,
    in_place,
    lost_work,
    migrating,
    moves,
    orders_judged,
    queued,
    repair,
    reserve,
    returning,
    shooting,
    storms,
    terms,
    vantage,
)
from . import events as on
from . import states as at
from .arrival import start_replied
from .cluster import Cluster, Decision
from .draft import Draft
from .elsewhere import domains_seen
from .episode import add_proof, begin, move_to
from .host import fence_or_hold, look
from .model import HostId, Proof, ServerId, WitnessId
from .move import reset_replied, send_replied, targets_seen
from .proofs import pacemaker
from .states import Class

OVER = (
    "other_epoch",
    "other_boot",
    "not_needed",
)  # what a last check says of a request that outlived its time


def decide(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Decide about one event. `now` is the leader's monotonic clock, in seconds. Pure."""
    draft = Draft(cluster, now)
    match event:
        case on.Sighted():
            for host in evidence.sighted(draft, event):
                _news(draft, host)
            if event.witness in cluster.site.controllers:
                vantage.look(draft)
        case on.Woke(subject=subject):
            _woke(draft, subject)
        case on.TermBegan():
            terms.began(draft, event)
        case on.OwnFault():
            terms.voided(draft, event)
        case on.CanarySeen() | on.BackendSeen():
            _outside(draft, event)
        case on.Replied():
            _replied(draft, event)
        case on.Listed() | on.Watched() | on.TargetsSeen() | on.DomainsSeen() | on.GuestSeen():
            _servers(draft, event)
        case (
            on.PowerRead()
            | on.StorageSeen()
            | on.AgentSaid()
            | on.Renewed()
            | on.Promised()
            | on.NovaSeen()
            | on.KdumpSeen()
            | on.Attested()
            | on.PacemakerFenced()
            | on.PacemakerLost()
        ):
            _about_host(draft, event)
        case _:
            orders_judged.judge_order(draft, event)
    return draft.decision()


# News about hosts.


def _about_host(draft: Draft, event: on.HostEvent) -> None:
    if event.host not in draft.cluster.site.hosts:
        return
    evidence.saw(draft, event)
    match event:
        case on.PowerRead():
            fencing.count_read(draft, event)
        case on.StorageSeen(backend=backend, revoked=True):
            _mark_in_force(draft, event.host, backend)
        case on.PacemakerFenced():
            _pacemaker_fenced(draft, event)
        case on.NovaSeen(forced_down=True, is_ours=True):
            _mark_forced_down(draft, event.host)
        case _:
            pass
    if isinstance(event, on.NovaSeen) and event.host in draft.cluster.site.reserve:
        draft.wake(reserve.WAKE, draft.now)
    _news(draft, event.host)


def _news(draft: Draft, host: HostId) -> None:
    """Something new was seen of a host, or time went by: void what it contradicts, then look."""
    contradicted.check_identity(draft, host)
    state = draft.host(host).state
    if not isinstance(state, at.Healthy | at.Unknown):
        contradicted.check_proofs(draft, host)
    if isinstance(state, at.Suspect | at.Held) and contradicted.is_lied_about(draft, host):
        contradicted.lies(draft, host)
    look(draft, host)


def _mark_in_force(draft: Draft, host: HostId, backend: str) -> None:
    record = draft.host(host)
    marked = tuple(
        replace(entry, in_force=True) if entry.backend == backend else entry
        for entry in record.revocations
    )
    if marked != record.revocations:
        draft.put_host(replace(record, revocations=marked))


def _mark_forced_down(draft: Draft, host: HostId) -> None:
    record = draft.host(host)
    if isinstance(record.state, at.Fenced | at.Evacuating) and not record.forced_down_by_us:
        draft.put_host(replace(record, forced_down_by_us=True))


def _pacemaker_fenced(draft: Draft, event: on.PacemakerFenced) -> None:
    """Somebody else's proof opens an episode by itself, or joins the open one."""
    proof = pacemaker(draft, event.host, event.fence)
    record = draft.host(event.host)
    if not isinstance(proof, Proof):
        draft.note(event.host, "proof.refused", proof.reason, proof.hint)
        return
    if isinstance(record.state, at.Vacated | at.Quarantined):
        draft.put_host(replace(record, last_off_at=draft.now))  # no power-on right behind it
    if isinstance(record.state, at.Unknown | at.Vacated | at.Quarantined):
        return
    used = (*record.fences_used, event.fence.key)
    draft.put_host(replace(record, fences_used=used, last_off_at=draft.now))
    if isinstance(record.state, at.Healthy | at.Returning):
        begin(draft, event.host, Class.DEAD_POWER, "pacemaker")
    prove(draft, event.host, replace(proof, epoch=draft.host(event.host).epoch))


def prove(draft: Draft, host: HostId, proof: Proof) -> None:
    """Take a proof that needed no shot of ours, and go on to fenced from where that is possible."""
    add_proof(draft, proof)
    state = draft.host(host).state
    if isinstance(state, at.Repairing):
        move_to(draft, host, at.Held(draft.now, "proved_dead", state.cls), "proved_dead")
    if isinstance(state, at.Suspect | at.Held | at.Fencing | at.Repairing):
        move_to(draft, host, at.Fenced(draft.now), proof.method.value)
        look(draft, host)


# Time, and the world outside.


def _woke(draft: Draft, subject: str) -> None:
    draft.woke(subject)
    kind, _, name = subject.partition("/")
    match kind:
        case "host" if name in draft.cluster.site.hosts:
            _news(draft, HostId(name))
        case "outbox":
            for action in terms.offer_again(draft):
                _replied(draft, on.Replied(action, on.Outcome.UNKNOWN, "overdue"))
        case "adopted":
            adoption.settled(draft)
        case reserve.WAKE:
            reserve.look(draft)
        case "storm":
            storms.calm(draft)
        case vantage.WAKE:
            vantage.look(draft)
        case "thaw":
            evidence.thawed(draft, WitnessId(name))
        case "guest":
            guests.guest_window_over(draft, ServerId(name))
        case _:
            wake_all(draft)


def wake_all(draft: Draft) -> None:
    """Something shared changed: every host with an open episode is looked at again."""
    for record in list(draft.active()):
        draft.wake_host(record.id, draft.now)


def _outside(draft: Draft, event: on.CanarySeen | on.BackendSeen) -> None:
    views = draft.views
    match event:
        case on.CanarySeen(name=name, is_ok=True):
            bad = {canary: since for canary, since in views.bad_canaries.items() if canary != name}
            until = draft.now if views.bad_canaries and not bad else views.canaries_bad_until
            views = replace(views, bad_canaries=bad, canaries_bad_until=until)
        case on.CanarySeen(name=name):
            since = views.bad_canaries.get(name, draft.now)
            views = replace(views, bad_canaries={**views.bad_canaries, name: since})
        case on.BackendSeen(backend=backend, is_ok=is_ok):
            sick = views.sick_backends - {backend} if is_ok else views.sick_backends | {backend}
            views = replace(views, sick_backends=sick)
    if views != draft.views:
        draft.put_views(views)
        wake_all(draft)
        draft.wake("control", draft.now + draft.cluster.policy.confirm_s)


# News about servers, and answers.


def _servers(draft: Draft, event: on.ServerEvent) -> None:
    match event:
        case on.Listed(request=request, servers=servers):
            state = draft.host(request.host).state
            if isinstance(state, at.Held) and request.epoch == draft.host(request.host).epoch:
                if repair.wants_fence(draft, request.host, state, servers):
                    fence_or_hold(draft, request.host, state.cls)
                else:
                    repair.drain(draft, request.host, state.cls, servers)
            lost_work.remember(draft, event)  # first: the next step may start its nova-compute
            queued.remember(draft, request.host, servers)
            reserve.listed(draft, event)
            returning.records_seen(draft, event)
            moves.listed(draft, event)
        case on.Watched(request=watch, servers=servers):
            if watch.epoch == draft.host(watch.host).epoch:
                queued.remember(draft, watch.host, servers)
            for server in servers:
                migrating.seen(draft, server)
            moves.watched(draft, event)
        case on.TargetsSeen():
            targets_seen(draft, event)
        case on.DomainsSeen():
            domains_seen(draft, event)
        case on.GuestSeen():
            guests.guest_seen(draft, event)


def _replied(draft: Draft, event: on.Replied) -> None:
    match event.action:
        case do.PowerOff() as off:
            shooting.off_replied(draft, off, event.outcome, event.reason)
        case do.Evacuate():
            send_replied(draft, event)
        case do.ResetState():
            reset_replied(draft, event)
        case do.StartServer() | do.StopServer():
            start_replied(draft, event)
        case do.HardReboot() | do.LiveMigrate():
            _mended(draft, event, event.action)
        case do.HandOver():
            vantage.replied(draft, event)
        case _:
            _absolute_replied(draft, event)


def _mended(draft: Draft, event: on.Replied, action: do.HardReboot | do.LiveMigrate) -> None:
    """Fold the answer to a reboot in place, of one guest, or to a move of a living server."""
    draft.settle(action)
    move = draft.move(action.server)
    if move is None or (move.epoch, move.attempt) != (action.epoch, action.attempt):
        return
    if isinstance(move.state, at.Mending) and move.state.is_migration:
        repair.migration_replied(draft, move, event)
    elif isinstance(move.state, at.Mending):
        guests.reset_replied(draft, move, event)
    else:
        in_place.reboot_replied(draft, move, event)


def _is_turned_down(event: on.Replied) -> bool:
    """Say whether the other side said no: to a `disable`, an API that is ill has said nothing yet.

    What else is refused is decided anew at the next look, while it is wanted; a `disable` is not.
    """
    is_ill = isinstance(event.action, do.Disable) and event.reason == "http_5xx"
    is_kept = is_ill or isinstance(event.action, do.Enable)
    return event.outcome is on.Outcome.REFUSED and not is_kept


def _absolute_replied(draft: Draft, event: on.Replied) -> None:
    """Fold an answer to what may be repeated: without a clear one it is offered again."""
    if draft.entry(event.action) is None:
        return  # answered already, or forgotten with its episode
    is_done = event.outcome is on.Outcome.DONE
    is_refused = _is_turned_down(event)
    is_over = event.outcome is on.Outcome.NOT_SENT and event.reason in OVER
    if is_done or is_refused or is_over or isinstance(event.action, do.PowerOn):
        draft.settle(event.action)
    match event.action:
        case do.Disable(host=host) if is_refused and event.reason == "not_ours":
            draft.put_host(replace(draft.host(host), disabled_by_us=False))
        case do.ForceDown(host=host, epoch=epoch) if is_done:
            record = draft.host(host)
            if record.epoch == epoch:
                draft.put_host(replace(record, forced_down_by_us=True))
                draft.note(host, "service.forced_down")
                draft.ask(do.ListServers(host, epoch, 0))
        case do.Reserve():
            reserve.replied(draft, event)
        case _:
            returning.replied(draft, event)
