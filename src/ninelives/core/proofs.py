"""The only maker of proofs: from what was seen to what may be believed (SAFETY 3).

Each function returns a `Proof`, or a `Refusal` that says what is missing. An observed state makes
a proof, never a return code; and no proof precedes or outlives the episode it was made for.
"""

from . import events as on
from .draft import Draft
from .evidence import (
    LATE_S,
    is_pinged,
    life_lag_s,
    planes_seen,
    power_is,
    reads_off,
    watched,
)
from .model import (
    EVERYTHING,
    LOCAL,
    Attestation,
    BackendId,
    Covers,
    HostId,
    Method,
    PacemakerFence,
    Plane,
    Power,
    Proof,
    Refusal,
    Seen,
    ServerId,
    Sign,
    Validity,
)
from .roads import usable_roads
from .states import Host, Returning, Stage


def _proof(draft: Draft, host: Host, method: Method, covers: Covers, evidence: str) -> Proof:
    return Proof(
        method, host.id, host.epoch, draft.views.term, draft.now, host.boot, covers, evidence
    )


def power_off(draft: Draft, host: HostId) -> Proof | Refusal:
    """Judge the power roads: every device of one level off, read twice after our own off.

    Both reads come after the device took our off, or refused it because it was off already: reads
    from before may show the two seconds that a power cycle spends in the dark (attack 1).
    """
    record, gap = draft.host(host), draft.policy(host).off_confirm_gap_s
    usable, reads = usable_roads(draft, host), {seen.road: seen for seen in record.off_reads}
    accepted = {shot.road for shot in record.shots if shot.was_accepted}
    levels = sorted({road.level for road in draft.site(host).roads})
    for level in levels:
        devices = [road.id for road in draft.site(host).roads if road.level == level]
        seen = [reads[road] for road in devices if road in reads and road in accepted]
        is_whole = len(seen) == len(devices) and set(devices) <= set(usable)
        if is_whole and all(twice.last_at - twice.first_at >= gap for twice in seen):
            said = ", ".join(f"{road} off twice" for road in devices)
            return _proof(draft, record, Method.POWER_OFF, EVERYTHING, said)
    return Refusal("not_read_off_twice", "the power is read again")


def storage_revoked(draft: Draft, host: HostId, backend: BackendId) -> Proof | Refusal:
    """Judge one backend's revocation: seen in force, no watcher left, the addresses his alone."""
    view = draft.sights(host).storage.get(backend)
    asked = [entry.asked_at for entry in draft.host(host).revocations if entry.backend == backend]
    if backend not in draft.site(host).revocable or not asked:
        return Refusal("not_revocable", "list the addresses that are this host's alone")
    is_older = view is not None and view.at <= max(asked)  # it may show one that was lifted since
    if view is None or is_older or view.revoked is not True or view.watched is True:
        return Refusal("not_in_force", "the backend is asked again")
    evidence = f"{backend} shuts it out, seen in force"
    covers = shut_out_of(backend)
    return _proof(draft, draft.host(host), Method.STORAGE_REVOKED, covers, evidence)


def shut_out_of(backend: BackendId) -> Covers:
    """Return what a revocation on one backend covers."""
    return Covers(backends=frozenset({backend}))


def lease_expired(draft: Draft, host: HostId) -> Proof | Refusal:
    """Judge the watchdog's lease: `T_safe` after the last receipt of this very term.

    A take-over counts as a receipt: what the old leader renewed meanwhile we cannot know, and two
    processes' clocks are never compared (attack 8).
    """
    site, sights, policy = draft.site(host), draft.sights(host), draft.policy(host)
    renewal = sights.renewal
    if not site.has_watchdog or renewal is None or not renewal.is_armed:
        return Refusal("no_armed_watchdog", "nothing attests that the host would reset itself")
    if renewal.boot != draft.host(host).boot:
        return Refusal("other_boot", "the lease was another boot's")
    if draft.now < lease_ends(draft, host):
        return Refusal("too_early", f"T_safe is {policy.safe_s:g} s")
    if 2 * len(sights.promises & set(site.witnesses)) <= len(site.witnesses):
        return Refusal("no_majority", "its witnesses have not promised to grant no exemption")
    if _old_boot_is_up(draft, host):
        # Renewals are told when they begin and when they end: one that is heard still renews.
        return Refusal("still_heard", "its lease lives as long as it can be heard")
    evidence = f"lease ran out, watchdog armed, {len(sights.promises)} promises"
    return _proof(draft, draft.host(host), Method.LEASE_EXPIRED, EVERYTHING, evidence)


def lease_ends(draft: Draft, host: HostId) -> float:
    """Return when an armed watchdog has certainly fired, if nothing renews it."""
    renewal = draft.sights(host).renewal
    received = renewal.at if renewal is not None else draft.now
    return max(received, draft.views.began_at) + draft.policy(host).safe_s


def rebooted(draft: Draft, host: HostId) -> Proof | Refusal:
    """Judge a new boot: signed, the same machine, the gate closed before libvirt, no guest."""
    record, attested = draft.host(host), draft.sights(host).attested
    if attested is None or attested.attestation.epoch != record.epoch:
        return Refusal("not_attested", "the host is asked with a nonce of this epoch")
    said = attested.attestation
    if record.boot is None or said.boot == record.boot:
        return Refusal("same_boot", "the boot that we knew still answers")
    if said.serial != draft.site(host).serial:
        return Refusal("other_machine", "the name is right, the system's serial number is not")
    if not said.is_clean:
        return Refusal("gate_open", "guests may have started before anybody looked")
    return _proof(draft, record, Method.REBOOTED, EVERYTHING, f"boot {said.boot}, gate closed")


def pacemaker(draft: Draft, host: HostId, fence: PacemakerFence) -> Proof | Refusal:
    """Judge an entry of Pacemaker's history. Our own agent's call is only a hint to look there."""
    record = draft.host(host)
    if not fence.succeeded:
        return Refusal("fence_failed", "Pacemaker goes on trying")
    if fence.by_confirmation or not fence.device:
        return Refusal("confirmation_is_human", "no device ran: use `host confirm-dead`")
    if fence.key in record.fences_used:
        return Refusal("already_used", "an earlier episode was closed with this event")
    if not fence.after_life:
        return Refusal("before_last_sign", "the host gave a strong sign after this event")
    if fence.action != "off" and not fence.is_off_on:
        return Refusal("not_off", "a cycle never shows the power off")
    if fence.device not in usable_roads(draft, host):
        return Refusal("unlisted_device", "list and drill the device in the inventory")
    evidence = f"{fence.device} {fence.action} by Pacemaker"
    return _proof(draft, record, Method.PACEMAKER, EVERYTHING, evidence)


def domain_killed(draft: Draft, event: on.GuestSeen) -> Proof | Refusal:
    """Judge the end of one guest on a living host: its process gone, its disk lock gone with it.

    A lock that somebody holds is another copy, here or elsewhere: a restart would be a second
    writer. It is about that boot and that server alone, and permits nothing but its restart there.
    """
    record, said, heard = draft.host(event.host), event.end, draft.sights(event.host).strong_boot
    if said is None or not said.has_exited:
        return Refusal("not_seen_to_exit", "the agent looks again")
    if said.boot != heard or said.boot != record.boot:
        return Refusal("other_boot", "what another boot of the host saw says nothing of this one")
    if said.is_unlocked is None:
        return Refusal("lock_unknown", "the backend is asked again")
    if not said.is_unlocked:
        return Refusal("disk_locked", "look for another copy of it before you break the lock")
    covers = Covers(servers=frozenset({event.server.id}))
    evidence = f"{event.server.id} has exited, its disk is free"
    return _proof(draft, record, Method.DOMAIN_KILLED, covers, evidence)


def permits_restart(draft: Draft, proof: Proof, server: ServerId, host: HostId) -> bool:
    """Say whether the end of a guest still permits its restart: there, in that boot, alone."""
    record, heard = draft.host(host), draft.sights(host).strong_boot
    is_its = server in proof.covers.servers and proof.host == host
    is_now = (proof.epoch, proof.boot) == (record.epoch, record.boot) and heard == proof.boot
    return is_its and is_now and proof.validity is Validity.VALID


def human(draft: Draft, order: on.ConfirmedDead) -> Proof | Refusal:
    """Judge a person's word against the evidence. It is refused, not warned about."""
    record = draft.host(order.host)
    if order.typed != order.host:
        return Refusal("name_not_typed", "type the host's name in full")
    if order.epoch != record.epoch:
        return Refusal("other_epoch", f"the present episode is {record.epoch}")
    if not order.looked_at:
        return Refusal("nothing_looked_at", "say what you saw: the LED, the cable, the rack")
    against = _evidence_against(draft, order.host)
    if against and (not order.second or order.second == order.by):
        return Refusal(against, "a second person must see it dark: --i-see-it-dark NAME")
    said = f"{order.by}: {order.looked_at}" + (f" ({order.second} too)" if order.second else "")
    return _proof(draft, record, Method.HUMAN, EVERYTHING, said)


def _evidence_against(draft: Draft, host: HostId) -> str:
    sights = draft.sights(host)
    if Seen.UP in planes_seen(draft, host).values():
        return "a_plane_is_up"
    failed = any(shot.attempt and not shot.was_accepted for shot in draft.host(host).shots)
    if power_is(sights, Power.ON) and not failed:
        return "power_reads_on"
    return "storage_is_written" if watched(draft, host) is True else ""


# What proofs permit.


def valid(host: Host) -> tuple[Proof, ...]:
    """Return the proofs that stand."""
    return tuple(proof for proof in host.proofs if proof.validity is Validity.VALID)


def covers_disks(host: Host, disks: tuple[BackendId, ...]) -> bool:
    """Say whether no copy on `host` can write any of `disks`. An unknown disk needs the cpu."""
    standing = valid(host)
    if any(proof.covers.cpu for proof in standing):
        return True
    known = bool(disks) and LOCAL not in disks
    return known and all(any(p.covers.disk(disk) for p in standing) for disk in disks)


def is_sufficient(draft: Draft, host: HostId) -> bool:
    """Say whether the proofs speak for the whole host: it may be told to Nova as down."""
    record, backends = draft.host(host), draft.site(host).backends
    if any(proof.covers.cpu for proof in valid(record)):
        return True
    shared = tuple(backend for backend in backends if backend != LOCAL)
    return bool(shared) and covers_disks(record, shared)


def permits_start(draft: Draft, host: HostId) -> bool:
    """Say whether the proofs permit a start right now (SAFETY 3, "a power proof is …").

    A power proof is about a boot that is gone. It permits a start only while the host was read off
    a moment ago, or a new boot stands attested behind its gate: somebody may have switched it on.
    """
    record, policy = draft.host(host), draft.policy(host)
    methods = {proof.method for proof in valid(record)}
    if record.zombie_risk or not methods or _speaks_against(draft, host, methods):
        return False
    if isinstance(record.state, Returning) and record.state.stage not in GATE_CLOSED:
        return False  # its nova-compute runs: a start queued there may have made a copy
    if methods & {Method.POWER_OFF, Method.PACEMAKER}:
        if has_clean_boot(draft, host):
            return True
        is_off = reads_off(draft, host, draft.now - policy.proof_fresh_s)
        return is_off and not _mapping_may_still_show(draft, host)
    if rests_on_its_reboot(draft, host):
        return has_clean_boot(draft, host)
    if Method.HUMAN not in methods and Method.LEASE_EXPIRED in methods and is_pinged(draft, host):
        return False  # its watchdog did not fire, or a boot is up that attested nothing yet
    if Method.HUMAN in methods and _awaits_revocation(draft, host):
        return False
    if methods == {Method.STORAGE_REVOKED}:
        tenant = planes_seen(draft, host).get(Plane.TENANT)
        return policy.starts_without_network_proof or tenant is Seen.DOWN
    return True


def rests_on_its_reboot(draft: Draft, host: HostId) -> bool:
    """Say whether nothing permits a start but the sight of the boot that is up after the old one.

    A lease that ran out, or a person's word of before that boot, says nothing of it: behind a gate
    that does not hold its guests run again.
    """
    methods = {proof.method for proof in valid(draft.host(host)) if proof.covers.cpu}
    if not methods or methods & {Method.POWER_OFF, Method.PACEMAKER}:
        return False
    is_rebooted = Method.REBOOTED in methods or _was_another_heard(draft, host)
    return is_rebooted and not _was_found_dark_since(draft, host)


def _was_another_heard(draft: Draft, host: HostId) -> bool:
    proved, heard = draft.host(host).boot, draft.sights(host).strong_boot
    return proved is not None and heard is not None and heard != proved


def _was_found_dark_since(draft: Draft, host: HostId) -> bool:
    """Say whether a person confirmed that the boot which came up after the old one is dead as well.

    Only while it stays dark: what comes up after that is another boot, and must attest itself.
    """
    if Seen.UP in planes_seen(draft, host).values():
        return False
    # In the order in which they were made: a new term gives all of them one instant.
    standing, heard_at = valid(draft.host(host)), draft.sights(host).strong_at
    methods = [proof.method for proof in standing]
    if Method.REBOOTED in methods:
        return Method.HUMAN in methods[methods.index(Method.REBOOTED) :]
    words = [proof.at for proof in standing if proof.method is Method.HUMAN]
    return bool(words) and (heard_at is None or max(words) >= heard_at)


def _mapping_may_still_show(draft: Draft, host: HostId) -> bool:
    """After a real shot nothing starts until an innocent, killed instead, would have been missed.

    The device said off. If it is wired to another machine, that one falls silent now, and the host
    that was meant still lives (attack 14). A host that was off already costs nobody this wait.

    One that reads off and answers pings is no such host: its device shows another one's power.
    """
    is_due = draft.host(host).was_on and _silence_may_be_due(draft, host)
    return is_due or is_pinged(draft, host)


def answers_though_off(draft: Draft, host: HostId) -> bool:
    """Say whether a host that reads off answers pings after all: its device may be another's.

    What is off answers nothing. A hung host does, and no strong sign of it was there to be missed.
    """
    return not _silence_may_be_due(draft, host) and is_pinged(draft, host)


def _silence_may_be_due(draft: Draft, host: HostId) -> bool:
    first = [reads.first_at for reads in draft.host(host).off_reads]
    return not first or draft.now < min(first) + draft.policy(host).silence_s + 2 * LATE_S


def _awaits_revocation(draft: Draft, host: HostId) -> bool:
    """A person may err: storage is revoked beside the word, and starts wait a while for it."""
    record = draft.host(host)
    made = max(proof.at for proof in valid(record) if proof.method is Method.HUMAN)
    is_open = any(not entry.in_force and not entry.lifted for entry in record.revocations)
    return is_open and draft.now < made + draft.policy(host).human_revoke_wait_s


def _speaks_against(draft: Draft, host: HostId, methods: set[Method]) -> bool:
    """Nothing starts while the old boot is still heard, unless its life is no contradiction."""
    return methods != {Method.STORAGE_REVOKED} and _old_boot_is_up(draft, host)


def is_boot_led_back(draft: Draft, host: HostId) -> bool:
    """Say whether the boot that runs is the one whose return was let in: servers may start here."""
    record, heard = draft.host(host), draft.sights(host).strong_boot
    if not isinstance(record.state, Returning):
        return False
    return not draft.site(host).has_agent or heard == record.state.boot


def is_boot_heard(draft: Draft, host: HostId) -> bool:
    """Say whether the very boot that is led back gives strong signs now; without an agent, True."""
    record, sights = draft.host(host), draft.sights(host)
    if not draft.site(host).has_agent or not isinstance(record.state, Returning):
        return True
    boot = record.state.boot
    return any(
        heard.sign is Sign.STRONG and heard.boot in (None, boot)
        for by in sights.heard.values()
        for heard in by.values()
    )


def attested_now(draft: Draft, host: HostId) -> Attestation | None:
    """Return what the running boot attested in this episode, if it did."""
    sights = draft.sights(host)
    if sights.attested is None:
        return None
    said = sights.attested.attestation
    is_current = said.epoch == draft.host(host).epoch and said.boot == sights.strong_boot
    return said if is_current else None


def has_clean_boot(draft: Draft, host: HostId) -> bool:
    """Say whether a new boot of this episode attested its closed gate, and no other came since."""
    record, sights = draft.host(host), draft.sights(host)
    attested = sights.attested
    if attested is None or attested.attestation.epoch != record.epoch:
        return False
    said = attested.attestation
    same = sights.strong_boot in (None, said.boot, record.boot)
    is_it = said.serial == draft.site(host).serial and said.boot != record.boot
    return said.is_clean and is_it and same


def hears_old_boot(draft: Draft, host: HostId, since: float) -> bool:
    """Say whether the same or an unknown boot gave a strong sign after `since`.

    A plane that was up already at `since` and simply stays up counts once the silence of a host
    that died then would have been seen: a living host makes no news.
    """
    record, sights = draft.host(host), draft.sights(host)
    stays_up = draft.now > since + life_lag_s(draft, host) + LATE_S
    if stays_up and _old_boot_is_up(draft, host):
        return True
    fresh = sights.strong_at is not None and sights.strong_at > since
    return fresh and (record.boot is None or sights.strong_boot in (None, record.boot))


GATE_CLOSED = (Stage.ATTESTING, Stage.LIFTING)


def _old_boot_is_up(draft: Draft, host: HostId) -> bool:
    record = draft.host(host)
    return any(
        heard.sign is Sign.STRONG and (record.boot is None or heard.boot in (None, record.boot))
        for by in draft.sights(host).heard.values()
        for heard in by.values()
    )
