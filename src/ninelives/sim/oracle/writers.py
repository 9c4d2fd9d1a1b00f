"""I1 one writer, I2 certificate first, I3 invalidation honoured, I4 network identity covered.

I1 is ground truth. I2, I3 and I4 look at each send that may start a server, and divide the
question so that one mistake breaks one law:

I2  for each writer but the target there was a proof that covers the disks, or the domain was
    seen absent there
I3  and what proved it was not contradicted, and was fresh, when the send left
I4  and the old copy is off the network too
"""

from collections.abc import Iterable, Iterator
from math import inf

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import LOCAL, BackendId, HostId, Method, Plane, Proof, ServerId, Sign
from ninelives.sim import happenings as so

from .facts import Violation
from .picture import Duty, Picture
from .queues import waited_for_its_boot
from .told import backends_of

STRANGERS = frozenset({"autostart", "foreign"})  # who starts what no user and none of us asked for
ZOMBIE_TOLD_WITHIN_S = 1.0
LAST_CHECK_S = 1.0  # a renewal and a read may lie between the last read of power and the send
PROVED_STATES = (at.Held, at.Fencing, at.Fenced, at.Evacuating, at.Vacated)
HEARERS = 2  # one witness alone may have slept, and not know any more what it heard
POWER_PROOFS = (Method.POWER_OFF, Method.PACEMAKER)

Start = do.Evacuate | do.ResetState | do.StartServer | do.HardReboot


def one_writer(
    picture: Picture, when: float, it: so.DomainStarted | so.WritesCut
) -> Iterator[Violation]:
    """I1, where a copy appears or may write again. What nobody of ours let start is counted."""
    match it:
        case so.DomainStarted():
            is_ours = it.cause == "autostart" and it.host in picture.records.opened
            if it.cause in STRANGERS and not is_ours:
                picture.truth.stray_started(it.server, it.host)
            yield from _judged(picture, when, it.server, it.host, it.cause)
        case so.WritesCut(is_cut=False):
            if _is_nobody_awake(picture):
                picture.excused["I1 nobody awake to renew"] += 1
                return
            for server in sorted(picture.truth.guests.get(it.host, ())):
                yield from _judged(picture, when, server, it.host, "let in")
        case _:
            return


def _judged(
    picture: Picture, when: float, server: ServerId, host: HostId, cause: str
) -> Iterator[Violation]:
    if len(picture.truth.domains.get(server, ())) < 2:
        if not picture.truth.lives_on(server, host) and _waited(picture, server, host, cause):
            picture.truth.stray_started(server, host)  # whoever joins it where it lives is right
        return
    writers = sorted(picture.truth.writers(server))
    if len(writers) < 2 or host not in writers:
        return
    # By pairs: what excuses the one copy beside this one says nothing of a third.
    ours = [
        other
        for other in writers
        if other != host and not _is_excused(picture, server, host, other, cause)
    ]
    if not ours:
        return
    if _waited(picture, server, host, cause):
        picture.truth.stray_started(server, host)  # nor what comes of it later is ours
        picture.excused["I1 ungated"] += 1
    elif _was_sent_on_waking(picture, server):
        picture.excused["I1 paused machine"] += 1
    else:
        yield Violation("I1", when, server, f"can be written by {', '.join(sorted((host, *ours)))}")


def _waited(picture: Picture, server: ServerId, host: HostId, cause: str) -> bool:
    return cause in ("nova", "user") and waited_for_its_boot(picture, server, host)


def _is_excused(
    picture: Picture, server: ServerId, host: HostId, other: HostId, cause: str
) -> bool:
    """Say whether one of two copies is a stranger's, or a person alone called the other dead."""
    if _is_a_strangers(picture, server, host, other):
        picture.excused[f"I1 {cause}"] += 1
        return True
    if _came_up_unseen(picture, server, other):
        picture.excused["I1 ungated"] += 1
        return True
    if is_a_persons_word(picture, other, server):
        picture.excused["I1 false human proof"] += 1
        return True
    return False


def _is_a_strangers(picture: Picture, server: ServerId, host: HostId, other: HostId) -> bool:
    """Say whether a stranger made two copies of it, or left one where its server does not live.

    The copy beside which a stranger started his own is nobody's but its host's: a third one that
    we start while it lives is ours. So is the one that we start where a stranger's runs already,
    and Nova has it there: no proof about that host stands any more.
    """
    truth = picture.truth
    strays = truth.strays.get(server, set[HostId]())
    if host in strays:
        return other in strays or not truth.lives_on(server, host)
    if other not in strays:
        return False
    asked = truth.asked_by_us.get((server, host))
    was_first = asked is not None and asked <= truth.up_since.get((server, other), 0.0)
    return was_first or not truth.lives_on(server, other)


def _came_up_unseen(picture: Picture, server: ServerId, host: HostId) -> bool:
    """Say whether its guest came up by itself, on a boot that a lease's end lets nobody know of.

    Its gate did not hold; and had anybody heard that boot, the send would have broken I3. What
    remains, and is named in docs/concepts/safety.md.
    """
    is_stray = host in picture.truth.strays.get(server, set[HostId]())
    is_ungated = is_stray and host in picture.truth.ungated_at
    standing = picture.records.standing(host) if is_ungated else []
    return any(proof.method is Method.LEASE_EXPIRED for proof in standing)


def _is_nobody_awake(picture: Picture) -> bool:
    """Say whether every controller's machine stands still: a backend that forgets is not reminded.

    What remains, and is named in docs/concepts/safety.md.
    """
    return picture.truth.machines_still.issuperset(picture.facts.site.controllers)


def _was_sent_on_waking(picture: Picture, server: ServerId) -> bool:
    """Say whether its leader's machine had stood still until just before it sent this start.

    What it had read before is as old as the pause, and no clock of its own tells (I3).
    """
    flight = picture.told.flights.get(server)
    woke = picture.truth.machine_woke.get(picture.records.holder)
    return flight is not None and woke is not None and 0.0 <= flight.at - woke <= LAST_CHECK_S


def is_a_persons_word(picture: Picture, host: HostId, server: ServerId) -> bool:
    """Say whether nothing but a named person said that this host cannot write this server."""
    proofs = picture.records.proofs(host)
    others = [proof for proof in proofs if proof.method is not Method.HUMAN]
    return len(others) < len(proofs) and not covers(others, disks_of(picture, server))


def certified(picture: Picture, when: float, action: Start) -> Iterator[Violation]:
    """I2, I3 and I4 for one send."""
    disks = disks_of(picture, action.server)
    for host in sorted(writers_but_target(picture, action) - seen_absent(picture, action.server)):
        made = picture.records.proofs(host)
        if not covers(made, disks):
            yield Violation("I2", when, action.server, f"nothing proves that {host} cannot write")
            continue
        standing = [proof for proof in made if picture.records.stands(proof)]
        fresh = [proof for proof in standing if _is_fresh(picture, when, proof)]
        is_stale = covers(standing, disks) and not covers(fresh, disks)
        if is_stale and _slept_since(picture, when, host):
            picture.excused["I3 paused machine"] += 1
        elif not covers(fresh, disks):
            reason = "stale" if is_stale else "void or suspended"
            yield Violation("I3", when, action.server, f"the proof about {host} is {reason}")
        is_cut_off = any(proof.covers.network or proof.covers.cpu for proof in made)
        if not is_cut_off and not _may_double(picture, host):
            yield Violation("I4", when, action.server, f"{host} may still use its addresses")


def _may_double(picture: Picture, host: HostId) -> bool:
    """Say whether its addresses are out of use by what was seen, or policy takes the risk."""
    is_dark = picture.told.is_silent_on(host, Plane.TENANT)
    return is_dark or picture.facts.policy_of(host).starts_without_network_proof


def writers_but_target(picture: Picture, action: Start) -> set[HostId]:
    """Return writers(server) of SAFETY 2 without the target, from sends and from what was seen."""
    records, told = picture.records, picture.told
    move = records.moves.get(action.server)
    hosts = set[HostId]()
    if isinstance(action, do.Evacuate):
        target = action.target
        died = action.source
    elif isinstance(action, do.ResetState):
        target = None
        died = action.source
    else:
        target = action.host
        is_its = move is not None and move.epoch == action.epoch
        died = move.host if move is not None and is_its else target
    hosts.add(died)
    source, epoch, named = records.named.get(action.server, (target, -1, frozenset[HostId]()))
    is_over = isinstance(records.host(died).state, at.Healthy)  # the episode, by health again
    if (source, epoch) == (died, action.epoch) and not is_over:
        hosts |= named
    seen = told.seen.get(action.server)
    if seen is not None:
        hosts |= {seen.host} if seen.host is not None else set[HostId]()
        for record in seen.records:
            if not record.is_final:
                hosts |= {record.source} | ({record.target} if record.target else set[HostId]())
    return hosts - {target}


def seen_absent(picture: Picture, server: ServerId) -> set[HostId]:
    """Return where its domain was seen absent, and nothing let one up there since (SAFETY 7)."""
    up_since, absent = picture.truth.up_since, picture.told.absent.get(server, {})
    return {host for host, at in absent.items() if up_since.get((server, host), -inf) <= at}


def disks_of(picture: Picture, server: ServerId) -> tuple[BackendId, ...]:
    """Return the backends of its disks in truth; one that nobody knows only a cpu proof covers."""
    facts = picture.facts.servers.get(server)
    disks = facts.disks if facts else backends_of(picture.told.seen.get(server))
    return disks or (LOCAL,)


def covers(proofs: Iterable[Proof], disks: tuple[BackendId, ...]) -> bool:
    """Say whether these proofs together forbid to write every one of `disks`."""
    usable = [proof.covers for proof in proofs if proof.method is not Method.DOMAIN_KILLED]
    if any(cover.cpu for cover in usable):
        return True
    backends = frozenset[BackendId]().union(*(cover.backends for cover in usable))
    return LOCAL not in disks and backends.issuperset(disks)


def _is_fresh(picture: Picture, when: float, proof: Proof) -> bool:
    """Say whether it permits a start now: the power read off just now, or a clean new boot.

    A lease that ran out does as long as its host gives no sign: whoever does is another boot.
    """
    is_of_lease = proof.method is Method.LEASE_EXPIRED
    if proof.method not in POWER_PROOFS and not is_of_lease:
        return True
    attested = picture.told.attested.get(proof.host)
    said = attested.attestation if attested is not None else None
    if said is not None and said.epoch == proof.epoch and said.is_clean:
        return said.boot != proof.boot
    if is_of_lease:
        return picture.told.hearers(proof.host) < HEARERS
    read_at = picture.told.off_at.get(proof.host)
    limit = picture.facts.policy_of(proof.host).proof_fresh_s + LAST_CHECK_S
    return read_at is not None and when - read_at <= limit


def _slept_since(picture: Picture, when: float, host: HostId) -> bool:
    """Say whether the leader's machine stood still between the last read of "off" and the send.

    No clock of its own shows that, and nobody took its lease meanwhile: what remains, and is named
    in docs/concepts/safety.md. Counted by its own clock the reading must be fresh all the same.
    """
    woke = picture.truth.machine_woke.get(picture.records.holder)
    read_at = picture.told.off_at.get(host)
    limit = picture.facts.policy_of(host).proof_fresh_s + LAST_CHECK_S
    return woke is not None and read_at is not None and read_at <= woke and when - woke <= limit


# Evidence against a proof.


def contradicted(picture: Picture, when: float, event: on.Event) -> None:
    """I3: remember what speaks against a proof, and that somebody must be told within 1 s."""
    match event:
        case on.Sighted():
            for change in event.changes:
                if change.sign is Sign.STRONG and picture.records.proofs(change.host):
                    _against_cpu(picture, when, change.host, change.boot)
        case on.AgentSaid() | on.Renewed() if picture.records.proofs(event.host):
            _against_cpu(picture, when, event.host, event.boot)
        case on.NovaSeen(has_advanced=True) if _is_news_of_life(picture, event.host):
            _against_cpu(picture, when, event.host, None)
        case on.StorageSeen() if event.revoked is False or event.watched:
            _against_storage(picture, when, event)
        case _:
            return


def _against_cpu(picture: Picture, when: float, host: HostId, boot: str | None) -> None:
    """A strong sign of the very boot that is proved dead, or of one that nobody knows."""
    for proof in _in_use(picture, host):
        is_same = boot is None or boot == proof.boot
        if proof.covers.cpu and proof.method is not Method.DOMAIN_KILLED and is_same:
            _void(picture, when, proof, "")


def _is_news_of_life(picture: Picture, host: HostId) -> bool:
    """Say whether its record began to grow, and a boot that was switched on since may not do that.

    It may once the host is vacated and its power reads on again: that is how it comes back.
    """
    told = picture.told
    is_back = isinstance(picture.records.host(host).state, at.Vacated) and host in told.reads_on
    return host in told.agentless and host not in told.reporting and not is_back


def _against_storage(picture: Picture, when: float, event: on.StorageSeen) -> None:
    for proof in _in_use(picture, event.host):
        if proof.method is Method.STORAGE_REVOKED and event.backend in proof.covers.backends:
            _void(picture, when, proof, event.backend)


def _in_use(picture: Picture, host: HostId) -> list[Proof]:
    """Return the standing proofs, while its old boot must be dead and shut out."""
    if isinstance(picture.records.host(host).state, PROVED_STATES):
        return picture.records.standing(host)
    return []


def _void(picture: Picture, when: float, proof: Proof, subject: str) -> None:
    picture.records.contradicted[(proof.host, proof.epoch, subject)] = when
    limit = ZOMBIE_TOLD_WITHIN_S
    duty = Duty(when + limit, limit, "I3", proof.host, proof.epoch, "zombie_risk")
    if "zombie_risk" not in picture.records.told.get((proof.host, proof.epoch), ()):
        picture.duties.append(duty)
