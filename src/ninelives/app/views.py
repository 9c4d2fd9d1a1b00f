"""What an operator is shown, as plain documents: one source for every face."""

from collections import Counter
from typing import TypeAlias

from ninelives.core import brakes, rules, states
from ninelives.core.cluster import Cluster, Consent, Loan
from ninelives.core.consent import consent_of, mode_of
from ninelives.core.draft import Draft
from ninelives.core.evidence import planes_seen
from ninelives.core.facts import Facts
from ninelives.core.model import HostId, Mode
from ninelives.sim.timeline_words import state_words

from .host_why import MEANING, class_in_force, readings, signs

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document = dict[str, Json]


def status(cluster: Cluster, now: float) -> Document:
    """Say how everything stands. Pure."""
    control, views = cluster.control, cluster.views
    hosts = Counter(state_words(record.state) for record in cluster.hosts.values())
    moves = Counter(state_words(move.state) for move in cluster.moves.values())
    return {
        "leader": views.leader,
        "term": views.term,
        "leads_for_s": round(now - views.began_at, 1),
        "armed": control.is_armed,
        "cause": control.cause,
        "mode": control.mode.value,
        "segment_modes": {str(segment): mode.value for segment, mode in control.segment_modes},
        "hosts": dict(hosts),
        "moves": dict(moves),
        "outbox": len(cluster.outbox),
        "witnesses": list[Json](sorted(views.witnesses)),
        "witnesses_min": cluster.policy.witnesses_min,
        "bad_canaries": list[Json](sorted(views.bad_canaries)),
        "own_fault": views.own_fault,
        "words": [_word(said) for said in control.consents if not _is_over(cluster, said.host)],
        "lent": [_loan(loan) for loan in control.loans],
        "asks": [record.id for record in cluster.hosts.values() if asks(cluster, record)],
        "needs_you": [_need(record) for record in cluster.hosts.values() if needs_you(record)],
    }


def storm(cluster: Cluster, host: HostId, now: float) -> Document:
    """Say why a storm would hold a shot at this host; "" while none would. Pure."""
    draft = Draft(cluster, max(now, cluster.now))
    tested = brakes.all_brakes(draft, host, states.Class.DEAD_OR_FROZEN)
    held = [each.detail for each in tested if each.brake is brakes.Brake.STORM and each.holds]
    return {"held": "".join(held)}


def needs_you(record: states.Host) -> bool:
    """Say whether a person has to look at this host: time alone moves nothing on. Pure."""
    return isinstance(record.state, states.Held) or bool(record.zombie_risk)


def asks(cluster: Cluster, record: states.Host) -> bool:
    """Say whether leave to act on this host's outage is asked of a person. Pure."""
    state = record.state
    if not isinstance(state, states.Held) or state.reason != brakes.Brake.MODE.value:
        return False
    draft = Draft(cluster, cluster.now)
    said = consent_of(draft, record.id)
    return mode_of(draft, record.id) is Mode.PROPOSE and (said is None or said.is_given)


def _is_over(cluster: Cluster, host: HostId) -> bool:
    record = cluster.hosts.get(host, states.Host(host))
    return isinstance(record.state, states.Healthy | states.Unknown)


def _word(said: Consent) -> Json:
    return {"host": said.host, "is_given": said.is_given, "by": said.by, "reason": said.reason}


def _loan(loan: Loan) -> Json:
    return {"host": loan.host, "need": loan.need, "stage": loan.stage.value}


def _need(record: states.Host) -> Json:
    return {
        "host": record.id,
        "state": state_words(record.state),
        "zombie_risk": record.zombie_risk,
    }


def hosts(cluster: Cluster, now: float) -> list[Json]:
    return [host_line(cluster, host, now) for host in sorted(cluster.site.hosts)]


def host_line(cluster: Cluster, host: HostId, now: float) -> Document:
    """Say how one host stands, in one line. Pure."""
    record, site = cluster.hosts.get(host, states.Host(host)), cluster.site.hosts[host]
    since = getattr(record.state, "since", None)
    draft = Draft(cluster, max(now, cluster.now))
    return {
        "host": host,
        "segment": site.segment,
        "rack": site.rack,
        "state": state_words(record.state),
        "since_s": None if since is None else round(max(0.0, now - since), 1),
        "epoch": record.epoch,
        "planes": {plane.value: seen.value for plane, seen in planes_seen(draft, host).items()},
        "agent": site.has_agent,
        "maintenance": any(job.host == host for job in cluster.control.maintenance),
        "zombie_risk": record.zombie_risk,
        "proofs": [f"{p.method.value}, {p.validity.value}: {p.evidence}" for p in record.proofs],
        "moves": {
            server: state_words(cluster.moves[server].state)
            for server in cluster.moves_of.get(host, {})
        },
    }


def host_whole(cluster: Cluster, host: HostId, now: float) -> Document:
    """Say all that is known of one host: also what every brake says to its class. Pure."""
    draft = Draft(cluster, max(now, cluster.now))
    record, sights = draft.host(host), Facts(draft, host).sights
    cls = class_in_force(record.state, rules.judge(draft, host))
    held: list[Json] = [
        f"{each.brake.value}: {each.detail}"
        for each in brakes.all_brakes(draft, host, cls)
        if each.holds
    ]
    heard: list[Json] = [
        f"{sign.plane} by {sign.witness}: {sign.sign} for {sign.for_s:.0f} s"
        for sign in signs(sights, draft.now)
    ]
    read: list[Json] = [
        f"{each.of}: {each.says}, {each.age_s:.0f} s ago" for each in readings(sights, draft.now)
    ]
    return {
        **host_line(cluster, host, now),
        "meaning": MEANING[type(record.state)],
        "class": cls.value,
        "brakes": held,
        "signs": heard,
        "readings": read,
    }
