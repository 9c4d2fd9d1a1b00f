"""What the sightings of many witnesses amount to (SAFETY 5 a-f).

    a strong sign makes a plane up and beats any number of silences
    a weak sign makes it only not down
    down needs enough qualified witnesses, in two failure domains where there are so many
    everything else is unknown, and unknown is never down

A witness is qualified for a plane if it is itself up there, was not frozen, and sees most of its
other targets: the control group that tells a dead host from a blind observer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf

from . import events as on
from .cluster import Heard, PowerSeen, Renewal, Sights, StorageView
from .draft import Draft
from .model import LOCAL, BootId, HostId, Plane, Power, Seen, Sign, WitnessId
from .policy import WITNESSES_WANTED, Policy
from .states import OffReads
from .tallies import is_proved_dead, seen_key, silent_key

CONTROL_GROUP_MIN = 2
LATE_S = 2.0  # a witness tells of a silence up to two rounds late
NOVA = WitnessId("nova")  # Nova's own record of a host, where no agent signs for it


# What a plane is.


def planes_seen(draft: Draft, host: HostId) -> Mapping[Plane, Seen]:
    """Judge every configured plane of a host, once for as long as nobody hears anything new."""
    known = draft.planes.get(host)
    if known is None:
        known = {plane: plane_seen(draft, host, plane) for plane in draft.site(host).planes}
        draft.planes[host] = known
    return known


def plane_seen(draft: Draft, host: HostId, plane: Plane) -> Seen:
    """Judge one plane of a host. Pure."""
    silent: list[WitnessId] = []
    is_weak = False
    frozen = draft.views.frozen
    for witness, heard in draft.sights(host).heard.get(plane, {}).items():
        if witness in frozen:
            continue
        if heard.sign is Sign.STRONG:
            return Seen.UP
        if heard.sign is Sign.WEAK:
            is_weak = True
        elif heard.sign is Sign.SILENT:
            silent.append(witness)
    if is_weak:
        return Seen.NOT_DOWN
    if len(silent) < witnesses_required(draft, host):
        return Seen.UNKNOWN
    qualified = (witness for witness in silent if is_qualified(draft, witness, plane, host))
    return Seen.DOWN if _are_enough(draft, host, qualified) else Seen.SILENT


def witnesses_required(draft: Draft, host: HostId) -> int:
    """Return how many qualified witnesses a "down" needs: three, or all there are, never one.

    An operator may write `witnesses_min = 1` for a site that has no more; `status` shows it.
    """
    site = draft.cluster.site
    others = len(site.hosts) - 1 + len(site.controllers)
    return max(draft.policy(host).witnesses_min, min(WITNESSES_WANTED, others))


def _are_enough(draft: Draft, host: HostId, witnesses: Iterable[WitnessId]) -> bool:
    """Ask one witness after the other, and no more than it takes."""
    site = draft.cluster.site
    required, domains = witnesses_required(draft, host), set[str]()
    domains_required = min(2, site.witness_domains[host])
    for count, witness in enumerate(witnesses, start=1):
        domains.add(site.failure_domain(witness))
        if count >= required and len(domains) >= domains_required:
            return True
    return False


def is_qualified(draft: Draft, witness: WitnessId, plane: Plane, target: HostId) -> bool:
    """Say whether this witness' silence about `target` means anything. Pure."""
    if witness in draft.views.frozen or not _is_itself_up(draft, witness, plane):
        return False
    seen, silent = control_group(draft, witness, plane, target)
    total = seen + silent
    return total >= CONTROL_GROUP_MIN and seen >= draft.policy(target).qualified_share * total


def control_group(
    draft: Draft, witness: WitnessId, plane: Plane, target: HostId
) -> tuple[int, int]:
    """Count what else the witness sees and misses: hosts not proved dead, reference addresses."""
    seen = draft.count(seen_key(witness, plane))
    silent = draft.count(silent_key(witness, plane))
    heard = draft.sights(target).heard.get(plane, {}).get(witness)
    if heard is not None and not is_proved_dead(draft.host(target)):
        seen -= heard.sign in (Sign.STRONG, Sign.WEAK)
        silent -= heard.sign is Sign.SILENT
    reached, declared = draft.views.references.get((witness, plane), (0, 0))
    return seen + reached, silent + declared - reached


def _is_itself_up(draft: Draft, witness: WitnessId, plane: Plane) -> bool:
    host = HostId(witness)
    if host not in draft.cluster.site.hosts:
        return True  # a controller: its control group and references speak for it
    if is_proved_dead(draft.host(host)):
        return False
    heard = draft.sights(host).heard.get(plane, {})
    return any(seen.sign is Sign.STRONG or seen.sign is Sign.WEAK for seen in heard.values())


def is_own_fault(draft: Draft, policy: Policy) -> bool:
    """R0: say whether we cannot trust our own eyes, or could not until a moment ago. Pure."""
    ended = draft.views.fault_ended_at
    if draft.views.own_fault:
        return True
    return ended is not None and draft.now < ended + policy.silence_s + policy.confirm_s


# Folding what was seen.


def sighted(draft: Draft, event: on.Sighted) -> list[HostId]:
    """Fold one witness' message. Return the hosts of which something is new."""
    _heard_from(draft, event)
    news: dict[HostId, list[on.Change]] = {}
    for change in event.changes:
        if change.host in draft.cluster.site.hosts:
            news.setdefault(change.host, []).append(change)
    for host, changes in news.items():
        _fold_changes(draft, event.witness, host, changes)
    return list(news)


def _heard_from(draft: Draft, event: on.Sighted) -> None:
    views = draft.views
    if event.was_frozen:
        # What it calls silent now, it merely slept through. It counts again after a full window.
        until = draft.now + draft.cluster.policy.silence_s
        views = replace(views, frozen={**views.frozen, event.witness: until})
        draft.wake(f"thaw/{event.witness}", until)
    if event.references:
        named = {(event.witness, plane): (seen, of) for plane, seen, of in event.references}
        views = replace(views, references={**views.references, **named})
    if event.witness not in views.witnesses:
        views = replace(views, witnesses=views.witnesses | {event.witness})
    if views is not draft.views:
        draft.put_views(views)


def thawed(draft: Draft, witness: WitnessId) -> None:
    """Let a witness count again whose freeze is long enough ago."""
    until = draft.views.frozen.get(witness, draft.now)
    if draft.now < until:
        draft.wake(f"thaw/{witness}", until)  # it froze again since this was asked for
        return
    frozen = {name: until for name, until in draft.views.frozen.items() if name != witness}
    draft.put_views(replace(draft.views, frozen=frozen))


def _fold_changes(draft: Draft, witness: WitnessId, host: HostId, changes: list[on.Change]) -> None:
    """Fold what one witness says of one host, plane after plane, into one new record."""
    sights = draft.sights(host)
    heard = dict(sights.heard)
    strong = sum(seen.sign is Sign.STRONG for by in heard.values() for seen in by.values())
    for change in changes:
        by, had_strong = heard.get(change.plane, {}), strong > 0
        before = by.get(witness)
        heard[change.plane] = {**by, witness: Heard(change.sign, change.boot, draft.now)}
        was_strong = before is not None and before.sign is Sign.STRONG
        strong -= was_strong
        if was_strong and witness == draft.views.leader:
            unheard_s = draft.policy(host).silence_s if change.sign is Sign.SILENT else 0.0
            sights = _renewed_until(sights, draft.now - unheard_s)
        if change.sign is Sign.STRONG:
            strong += 1
            sights = _heard_strong(sights, change.boot, draft.now, draft.policy(host).silence_s)
        elif had_strong and not strong:
            is_lost = change.sign is Sign.UNKNOWN
            sights = sights._replace(strong_until=draft.now, is_lost_sight=is_lost)
    draft.put_sights(sights._replace(heard=heard))


def _renewed_until(sights: Sights, heard_at: float) -> Sights:
    """Count a lease from the last beat that the leader itself can have answered.

    Of a chain of renewals the first and the last are told. One whose beats are lost for a while
    and then heard again has no last one, and its first may be an hour old.
    """
    if sights.renewal is None:
        return sights
    at = max(sights.renewal.at, heard_at)
    return sights._replace(renewal=sights.renewal._replace(at=at))


def _heard_strong(sights: Sights, boot: BootId | None, now: float, late_s: float) -> Sights:
    if (sights.strong_at, sights.strong_boot, sights.strong_until) == (now, boot, None):
        return sights  # said of another plane in the same breath
    sights = _follow_boot(sights, boot, now, late_s)
    return sights._replace(strong_at=now, strong_boot=boot, strong_until=None)


def _follow_boot(sights: Sights, boot: BootId | None, now: float, late_s: float) -> Sights:
    """Remember which boot followed which. A boot that is gone never comes back."""
    before = sights.strong_boot
    if boot is None or before in (None, boot):
        return sights
    when = next((when for old, when in sights.replaced if old == boot), None)
    if when is not None and now > when + late_s:
        return sights._replace(rival=f"{before}, {boot}")
    return sights._replace(replaced=(*sights.replaced[-3:], (before, now)) if before else ())


def saw(draft: Draft, event: on.HostEvent) -> None:
    """Fold one look at one host that is no plane."""
    sights, now = draft.sights(event.host), draft.now
    match event:
        case on.PowerRead(road=road, power=power):
            before = sights.power.get(road)
            since = before.since if before is not None and before.power is power else now
            seen = PowerSeen(power, now, since)
            draft.put_sights(sights._replace(power={**sights.power, road: seen}))
        case on.StorageSeen(backend=backend, watched=watched, revoked=revoked):
            view = StorageView(watched, revoked, now)
            draft.put_sights(sights._replace(storage={**sights.storage, backend: view}))
        case on.AgentSaid():
            draft.put_sights(_agent_said(sights, event, now))
        case on.Renewed(boot=boot, watchdog_armed=armed):
            alive = sights._replace(strong_at=now, strong_boot=boot)
            draft.put_sights(alive._replace(renewal=Renewal(boot, armed, now)))
        case on.Promised(witness=witness, epoch=epoch):
            if epoch == draft.host(event.host).epoch:
                draft.put_sights(sights._replace(promises=sights.promises | {witness}))
        case on.NovaSeen():
            _nova_seen(draft, event)
        case on.KdumpSeen(ended=ended):
            # The first beacon counts: repeated ones must not delay the `off` beyond its limit.
            since = sights.kdump_since if sights.kdump_since is not None else now
            draft.put_sights(sights._replace(kdump_since=None if ended else since))
        case on.Attested():
            draft.put_sights(_attested(sights, event, now))
        case on.PacemakerLost(is_lost=is_lost):
            draft.put_sights(sights._replace(is_lost_to_pacemaker=is_lost))
        case on.PacemakerFenced():
            pass  # no sight but a claim: proofs.py judges it


def _nova_seen(draft: Draft, event: on.NovaSeen) -> None:
    """Fold Nova's record of a host. Where no agent signs for the host, it is heard like one.

    An agent's host gives better signs on every plane, and the record adds only that it lives. One
    that stands still is unknown, never silent: Nova's record alone makes no plane down (SAFETY 5b).
    """
    host = event.host
    sights = draft.sights(host)
    is_lost = not event.forced_down and (
        sights.is_force_down_lost or sights.nova is None or sights.nova.forced_down
    )
    sights = sights._replace(nova=event, nova_at=draft.now, is_force_down_lost=is_lost)
    if draft.site(host).has_agent:
        strong_at = draft.now if event.has_advanced else sights.strong_at
        draft.put_sights(sights._replace(strong_at=strong_at))
        return
    draft.put_sights(sights)
    sign = Sign.STRONG if event.has_advanced else Sign.UNKNOWN
    before = sights.heard.get(Plane.MANAGEMENT, {}).get(NOVA)
    if sign is not (before.sign if before is not None else Sign.UNKNOWN):
        _fold_changes(draft, NOVA, host, [on.Change(host, Plane.MANAGEMENT, sign)])


def is_pinged(draft: Draft, host: HostId) -> bool:
    """Say whether it answers pings and gives no strong sign. A dead witness' last word is none."""
    frozen, heard = draft.views.frozen, draft.sights(host).heard
    dim = [plane for plane, seen in planes_seen(draft, host).items() if seen is Seen.NOT_DOWN]
    return any(
        view.sign is Sign.WEAK and not is_proved_dead(draft.host(HostId(witness)))
        for plane in dim
        for witness, view in heard[plane].items()
        if witness not in frozen
    )


def life_lag_s(draft: Draft, host: HostId) -> float:
    """Return how long a host that just died may still seem alive by a strong sign. Pure."""
    policy = draft.policy(host)
    if draft.site(host).has_agent:
        return policy.silence_s
    return max(policy.silence_s, policy.record_silence_s)


def _attested(sights: Sights, event: on.Attested, now: float) -> Sights:
    known = sights.attested
    is_late = known is not None and event.attestation.epoch < known.attestation.epoch
    # What an earlier epoch asked for, and came late, takes no answer to this one's nonce away.
    seen = sights if is_late else sights._replace(attested=event, attested_at=now)
    if not event.attestation.signed:
        return seen  # anybody may have said it
    return seen._replace(strong_at=now, strong_boot=event.attestation.boot)


def _agent_said(sights: Sights, event: on.AgentSaid, now: float) -> Sights:
    since = sights.storage_lost_since
    lost_since = (since if since is not None else now) if event.storage_lost else None
    return sights._replace(
        agent=event,
        agent_at=now,
        strong_at=now,
        strong_boot=event.boot,
        storage_lost_since=lost_since,
    )


# Small questions about sights.


def power_is(sights: Sights, power: Power) -> bool:
    """Say whether any device reads so now."""
    return any(seen.power is power for seen in sights.power.values())


def off_twice(draft: Draft, host: HostId) -> tuple[OffReads, ...]:
    """Return the devices that read off twice, far enough apart."""
    gap = draft.policy(host).off_confirm_gap_s
    reads = draft.host(host).off_reads
    return tuple(twice for twice in reads if twice.last_at - twice.first_at >= gap)


def is_off_unheard(draft: Draft, host: HostId) -> bool:
    """Say whether a device read off twice, and no strong sign came since the first time."""
    twice, strong_at = off_twice(draft, host), draft.sights(host).strong_at
    if not twice:
        return False
    return strong_at is None or strong_at < min(reads.first_at for reads in twice)


def reads_off(draft: Draft, host: HostId, since: float) -> bool:
    """Say whether the host reads off at or after `since`: every device of one level, by itself.

    A device of another kind may well read on: the outlet of a machine that its BMC switched off.
    One of the same kind that reads on contradicts, and so does any that was switched on since.
    """
    if _reads_on_since(draft, host):
        return False
    site, power = draft.site(host), draft.sights(host).power
    for level in sorted({road.level for road in site.roads}):
        devices = [road for road in site.roads if road.level == level]
        kinds = {road.kind for road in devices}
        read = [power.get(road.id) for road in devices]
        is_off = all(seen and seen.power is Power.OFF and seen.at >= since for seen in read)
        rivals = [power.get(road.id) for road in site.roads if road.kind in kinds]
        if is_off and not any(seen and seen.power is Power.ON for seen in rivals):
            return True
    return False


def _reads_on_since(draft: Draft, host: HostId) -> bool:
    """Say whether the machine may have got its power back, later than any device read off.

    Its own controller says so by every "on": an outlet that read off may have been switched on. An
    outlet's "on" is no news, only that it began: a machine that gets its current back may boot.
    """
    power = draft.sights(host).power
    last_off = max((seen.at for seen in power.values() if seen.power is Power.OFF), default=-inf)
    for road in draft.site(host).roads:
        seen = power.get(road.id)
        if seen is not None and seen.power is Power.ON:
            is_own = road.kind == "bmc"
            if seen.since > last_off or (is_own and seen.at >= last_off):
                return True
    return False


def watched(draft: Draft, host: HostId) -> bool | None:
    """Say whether any backend sees the host write. None: not all of its backends said so yet.

    They are asked at once and answer one after the other. One that sees no watcher denies nothing
    that another may see: it may be the very one that we shut the host out of.
    """
    views = draft.sights(host).storage
    said = [view.watched for view in views.values()]
    if True in said:
        return True
    shared = [backend for backend in draft.site(host).backends if backend != LOCAL]
    is_complete = bool(said) and None not in said and all(each in views for each in shared)
    return False if is_complete else None
