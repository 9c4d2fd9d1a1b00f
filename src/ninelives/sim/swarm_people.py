"""Users and operators drawn by chance, who look at the cloud now and then and do something.

They speak the fault language like everybody else, so that what they did can be written down and
played again. Diligent ones settle whatever waits for a person; careless ones also do what is wrong.
"""

from collections.abc import Iterator
from random import Random

from ninelives.core import states as at
from ninelives.core.brakes import Brake, holding
from ninelives.core.draft import Draft
from ninelives.core.gate import Gate, opened_by_hand
from ninelives.core.model import HostId, Method, Mode
from ninelives.core.proofs import valid
from ninelives.core.tallies import is_proved_dead

from .agents import gate_of
from .bmc import devices_of
from .faults.grammar import Words
from .truth import Condition, HostTruth
from .world import World

DEAD = frozenset({Condition.OFF, Condition.PANICKED})
WHIMS = (
    "operator disarm",
    "operator mode MODE",
    "operator maintenance HOST on",
    "operator maintenance HOST power",
    "operator disable HOST",
    "operator enable HOST",
    "operator force-down HOST",
    "operator fence HOST",
    "operator power-on HOST",
    "operator release HOST",
    "operator adopt HOST",
    "operator confirm HOST",
    "operator confirm HOST typed nobody",
    "operator confirm HOST epoch 1",
    "operator finish HOST",
    "operator undo HOST",
    "operator approve HOST",
    "operator hold HOST",
    "operator storm allow DOMAIN 1",
    "operator road HOST ROAD unverified",
    "operator sign-off SERVER",
    "rescuer HOST",
    "rescuer HOST forces",
    "pacemaker HOST fenced off",
    "pacemaker HOST fenced reboot",
    "pacemaker HOST claims confirmed",
    "pacemaker HOST claims old",
    "pacemaker HOST lost",
    "guest SERVER crash",
    "guest SERVER hang",
    "nova cell down",
    "user lock SERVER",
    "user start SERVER",
    "user reboot SERVER",
)


WAITS = ("", "turn", "room", "fresh_read")  # what needs nobody
NEGLECTED_S = 1800.0
CARELESS = 0.2  # how often a host that is alone is taken for a site that is


def whim(world: World, rng: Random) -> Words:
    """Draw something that a person does without any need."""
    setup = world.setup
    host = rng.choice(list(setup.site.hosts.values()))
    servers = [server.id for server in setup.servers]
    slots = {
        "HOST": host.id,
        "SERVER": rng.choice(servers) if servers else "",
        "MODE": rng.choice([mode.value for mode in Mode]),
        "DOMAIN": rng.choice(host.domains),
        "ROAD": host.roads[0].id if host.roads else "",
    }
    words = tuple(slots.get(word, word) for word in rng.choice(WHIMS).split())
    return words if all(words) else ("operator", "arm")


def settled(world: World, rng: Random) -> list[Words]:
    """Do what waits for a person, each with a good chance, as far as the truth allows it."""
    return [words for words in waiting(world, rng) if rng.random() < 0.7]


def waiting(world: World, rng: Random) -> Iterator[Words]:
    """Yield an order for everything that waits for a person."""
    yield from last_seats(world)
    control = world.ledger.control
    if not control.is_armed:
        yield ("operator", "arm")
    if control.mode is not Mode.ACT:
        yield ("operator", "mode", "act")
    for segment, mode in control.segment_modes:
        if mode is not Mode.ACT:
            yield ("operator", "mode", "act", segment)
    for job in control.maintenance:
        yield ("operator", "maintenance", job.host, "off")
    for said in control.consents:
        if not said.is_given:
            yield ("operator", "approve", said.host)
    for host, road in control.unverified:
        if world.devices[host, road].leads_to == host:  # they follow the cable first
            yield ("operator", "road", host, road, "verified")
    yield from reopened(world)
    yield from let_in(world, rng)
    for record in tuple(world.ledger.hosts.values()):
        yield from about_host(world, rng, record)
    for move in tuple(world.ledger.moves.values()):
        is_left = isinstance(move.state, at.Failed | at.Skipped)
        is_stuck = isinstance(move.state, at.Planned) and move.state.wanting not in WAITS
        if is_left or is_stuck or is_slow(world, move):
            sooner_or_later = 1.0 if is_neglected(world, move) else 0.2
            if rng.random() < sooner_or_later:
                yield ("operator", "sign-off", move.server)


def is_neglected(world: World, move: at.Move) -> bool:
    """Say whether nothing but a person's word was missing for half an hour: somebody gives it.

    By chances of 0.2 and 0.7 a round nobody would in 32 rounds, once in 125: luck is no neglect.
    """
    leader = world.leader()
    if leader is None or leader.node is None or not isinstance(move.state, at.Planned):
        return False
    return leader.node.cluster.now >= move.state.since + NEGLECTED_S


def is_slow(world: World, move: at.Move) -> bool:
    """Say whether a move is on its way for so long that a person was told of it."""
    leader = world.leader()
    if leader is None or leader.node is None:
        return False
    if not isinstance(move.state, at.Verifying | at.Starting):
        return False
    late_s = world.setup.policy.verify_timeout_s
    return leader.node.cluster.now >= move.state.since + late_s


def reopened(world: World) -> Iterator[Words]:
    """Sign roads whose device was closed, once it is well and leads where it should."""
    closed = {address for address, _ in world.ledger.control.closed_devices}
    for host in world.setup.site.hosts.values():
        for road in host.roads:
            device = world.devices[host.id, road.id]
            is_well = device.says is None and device.leads_to == host.id
            if (road.address or road.id) in closed and is_well:
                yield ("operator", "road", host.id, road.id, "verified")


def let_in(world: World, rng: Random) -> Iterator[Words]:
    """Open the gates of hosts that wait for controllers in vain; some do where one leads, too."""
    for host in world.hosts.values():
        if not host.is_agent_up or host.is_gate_open:
            continue
        since_boot_s = world.now - host.booted_at
        judged = opened_by_hand(gate_of(world, host), "ada", "cold start", since_boot_s)
        is_asked = isinstance(judged, Gate) and (world.leader() is None or rng.random() < CARELESS)
        if is_asked:
            yield ("operator", "gate", host.id, "open")


def about_host(world: World, rng: Random, record: at.Host) -> Iterator[Words]:
    host = world.hosts[record.id]
    match record.state:
        case at.Unknown() if host.is_up:
            yield ("operator", "adopt", host.id)
        case at.Held() | at.Fencing() | at.Fenced() | at.Evacuating() | at.Vacated() if (
            record.zombie_risk
        ):
            yield from doubted(world, rng, host)
        case at.Held(reason="half_fenced"):
            yield ("operator", rng.choice(("finish", "undo")), host.id)
        case at.Held(reason="storm"):
            yield ("operator", "storm", "allow", f"segment:{segment_of(world, host)}", "1")
            yield from confirmed(world, host)
        case at.Held(reason="doctor_red"):
            yield from signed(world, host)
            yield from confirmed(world, host)
        case at.Held():
            yield from confirmed(world, host)
        case at.Fencing(told_unfenceable=True):
            yield from shots_allowed(world, host)
            yield from signed(world, host)
            yield from confirmed(world, host)
        case at.Fenced() | at.Evacuating() | at.Vacated() if not is_proved_dead(record):
            yield from proved_by_hand(world, host)
        case at.Fenced() | at.Evacuating() if host.is_up and stands_open(host, record):
            yield ("reboot", host.id)  # a gate opened too late: its servers are being moved
        case at.Evacuating() if host.condition in DEAD and is_proved_by_reboot(record):
            yield from signed(world, host)
            yield from confirmed(world, host)
        case at.Vacated():
            yield from back(world, rng, host, record)
        case at.Quarantined():
            yield ("operator", "release", host.id)
            yield from back(world, rng, host, record)
        case at.Healthy() | at.Suspect() if host.condition is Condition.OFF:
            yield ("power", host.id, "on")
        case _:
            pass


def segment_of(world: World, host: HostTruth) -> str:
    return world.setup.site.hosts[host.id].segment


def confirmed(world: World, host: HostTruth) -> Iterator[Words]:
    """Go and look. A dead host is confirmed, by two people; a living one is never.

    Nobody repeats in one outage what they said a moment ago: their word is good for a while.
    """
    if was_just_confirmed(world, host.id):
        return
    is_late = any(device.late_s for device in devices_of(world, host.id))
    if host.condition in DEAD and not is_late:
        yield ("operator", "confirm", host.id, "second", "another")


def was_just_confirmed(world: World, host: HostId) -> bool:
    """Say whether a person's word, of this outage, would still be good had nothing voided it."""
    leader, record = world.leader(), world.ledger.hosts.get(host)
    if record is None or leader is None or leader.node is None:
        return False
    since = leader.node.cluster.now - world.policy_of(host).human_valid_s
    words = [proof for proof in record.proofs if proof.method is Method.HUMAN]
    return any(word.epoch == record.epoch and word.at > since for word in words)


def stands_open(host: HostTruth, record: at.Host) -> bool:
    """Say whether a gate was opened by hand, or was broken at a boot after what proved the host."""
    return bool(host.gate_opened_by) or (host.is_gate_open and not is_proved_by_power(record))


def signed(world: World, host: HostTruth) -> Iterator[Words]:
    """Follow the cables of a host, and sign each road that nobody verified and that leads there."""
    verified = world.ledger.control.verified
    for road in world.setup.site.hosts[host.id].roads:
        is_open = not road.is_verified and (host.id, road.id) not in verified
        if is_open and world.devices[host.id, road.id].leads_to == host.id:
            yield ("operator", "road", host.id, road.id, "verified")


def shots_allowed(world: World, host: HostTruth) -> Iterator[Words]:
    """Let those be shot that are ordered to be: a storm in their rack never lapses by waiting."""
    if host.condition in DEAD:
        return
    for domain in world.setup.site.hosts[host.id].domains:
        members = world.setup.site.members[domain]
        records = (world.ledger.hosts.get(member) for member in sorted(members))
        fencing = [record for record in records if record and waits_for_shot(record)]
        if len(fencing) > 1:
            yield ("operator", "storm", "allow", domain, str(len(fencing)))


def waits_for_shot(record: at.Host) -> bool:
    is_out = isinstance(record.state, at.Fencing | at.Fenced | at.Evacuating)
    return is_out and not is_proved_dead(record)


def is_proved_by_reboot(record: at.Host) -> bool:
    """Say whether only a boot that attested itself permits anything: no power read off does."""
    methods = {proof.method for proof in valid(record)}
    return Method.REBOOTED in methods and not is_proved_by_power(record)


def is_proved_by_power(record: at.Host) -> bool:
    methods = {proof.method for proof in valid(record) if proof.covers.cpu}
    return bool(methods & {Method.POWER_OFF, Method.PACEMAKER})


def proved_by_hand(world: World, host: HostTruth) -> Iterator[Words]:
    """Once nothing else is wrong, help where only the storage is proved: a road, or the button."""
    if world.faults_on:
        return
    yield from confirmed(world, host)
    yield from shots_allowed(world, host)
    roads = world.setup.site.hosts[host.id].roads
    for road in roads:
        if world.devices[host.id, road.id].leads_to == host.id:
            yield ("operator", "road", host.id, road.id, "verified")
    if roads and is_shot_refused(world, host):
        if host.condition not in DEAD:
            yield ("power", host.id, "off")
    elif roads:
        yield ("operator", "fence", host.id)  # who lives is shot by name, or not at all
    elif host.is_up:
        yield ("reboot", host.id)


def is_shot_refused(world: World, host: HostTruth) -> bool:
    """Say whether a shot by name is refused for hosts that a person sees to be up.

    Such a brake may hold for ever: who is led back may wait for this very host, and is not
    counted as a member or a target before. Who leads from it is left alone.
    """
    leader, site = world.leader(), world.setup.site
    if leader is None or leader.node is None:
        return False
    cluster = leader.node.cluster
    if site.controller_hosts.get(cluster.views.leader) == host.id:
        return False
    for name in site.hosts[host.id].quorum_sets:
        quorum = site.quorum_sets[name]
        up = [member for member in quorum.members if world.hosts[member].is_up]
        if len(set(up) - {host.id}) < quorum.needed:
            return False
    brake = holding(Draft(cluster, cluster.now), host.id, at.Class.ORDERED)
    return brake in (Brake.QUORUM, Brake.NO_TARGET)


def doubted(world: World, rng: Random, host: HostTruth) -> Iterator[Words]:
    """Answer for a proof that was contradicted: a living host is shot anew, by its name.

    Or its button is pressed: a shot is refused for ever where the leader runs, or a quorum would
    be lost, or where no other host could take its servers.
    """
    yield from signed(world, host)
    yield from confirmed(world, host)
    if host.condition in DEAD:
        return
    if world.setup.site.hosts[host.id].roads and rng.random() < 0.5:
        yield from shots_allowed(world, host)
        yield ("operator", "fence", host.id)
    else:
        yield ("power", host.id, "off")


def is_kept_dark(world: World, words: Words) -> bool:
    """Say whether a host was switched off by its button, and stays so until it is confirmed.

    Or empty, where no shot would bring that about once it is on again.
    """
    if words[:1] != ("power",) or words[2:] != ("off",):
        return False
    record = world.ledger.hosts.get(HostId(words[1]))
    if record is None:
        return False
    is_out = isinstance(record.state, at.Fenced | at.Evacuating)
    return bool(record.zombie_risk) or (is_out and is_shot_refused(world, world.hosts[record.id]))


def last_seats(world: World) -> Iterator[Words]:
    """Start a machine on which a controller ran, where none is left that could ask for it."""
    if any(controller.is_alive for controller in world.controllers.values()):
        return
    for seat in sorted(set(world.setup.site.controller_hosts.values())):
        host = world.hosts[seat]
        if host.condition is Condition.OFF:
            yield ("power", seat, "on")
        elif host.condition in (Condition.PANICKED, Condition.FROZEN, Condition.HUNG):
            yield ("restart", seat)


def back(world: World, rng: Random, host: HostTruth, record: at.Host) -> Iterator[Words]:
    """Bring a host back: in order, or by its button."""
    if not host.is_fed:
        yield ("power", host.id, "on")
    elif host.condition is Condition.OFF:
        by_us = bool(devices_of(world, host.id)) and rng.random() < 0.8
        yield ("operator", "power-on", host.id) if by_us else ("power", host.id, "on")
    elif host.condition in (Condition.PANICKED, Condition.FROZEN, Condition.HUNG):
        yield ("restart", host.id)
    elif host.is_up and record.boot == host.boot:
        yield ("reboot", host.id)
