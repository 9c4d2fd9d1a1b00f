"""Why a host is where it is: every row of the rule table and every brake, with its truth value.

It is asked of the state in which the leader was at that instant, which a replay of its journal
gives back; nothing is put together afterwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ninelives.core import brakes, rules, states
from ninelives.core.cluster import Cluster, Sights
from ninelives.core.draft import Draft
from ninelives.core.facts import Facts
from ninelives.core.model import HostId, Plane, Seen
from ninelives.engine.journal import Row
from ninelives.engine.node import Decide
from ninelives.engine.replay import steps
from ninelives.sim.timeline_words import state_words

MEANING = {  # one sentence for every state: what it means, and what ends it
    states.Unknown: "never seen alive by this store; an operator may adopt it",
    states.Healthy: "strong signs of life on every plane",
    states.Suspect: "something is wrong; nothing was done yet but to look harder",
    states.Repairing: "a service inside it is being restarted; its guests live on",
    states.Held: "a brake, or no road to a proof: evidence or a decision moves it on, not time",
    states.Fencing: "the roads to a proof are running; after the first effect there is no way back",
    states.Fenced: "a proof that it cannot write is durable; Nova is told, servers are listed",
    states.Evacuating: "its servers are being resurrected elsewhere",
    states.Vacated: "every server has an outcome; it stays off until somebody wants it back",
    states.Returning: "it is led back step by step",
    states.Quarantined: "it fell too often or failed its checks, and soaks",
}


class RuleRow(NamedTuple):
    """One row of the rule table. `decides`: the first that holds."""

    rule: str
    cls: str
    condition: str
    holds: bool
    decides: bool


class Sign(NamedTuple):
    """What one witness gets from the host on one plane, and since how many seconds."""

    plane: str
    witness: str
    sign: str
    for_s: float


class Reading(NamedTuple):
    """Power or storage, as last read."""

    of: str
    says: str
    age_s: float


class Change(NamedTuple):
    """One change of state in the journal."""

    wall: float
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class HostWhy:
    """The whole answer."""

    host: str
    wall: float  # the instant that is looked at
    state: str
    meaning: str
    episode: int
    leader: str
    term: int
    revision: int
    cls: str
    may_fence: bool
    rows: tuple[RuleRow, ...]
    brakes: tuple[brakes.Tested, ...]
    planes: tuple[tuple[str, str], ...]
    signs: tuple[Sign, ...]
    readings: tuple[Reading, ...]
    proofs: tuple[str, ...]
    history: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class NotAsked:
    """There is no answer, and why."""

    reason: str
    hint: str


def why(
    rows: Iterable[Row],
    decide: Decide,
    host: HostId,
    wall: float | None,
    stored: Mapping[str, bytes] | None = None,
) -> HostWhy | NotAsked:
    """Answer for the end of the journal, or for the instant `wall`.

    `stored`: the records before the first row, where earlier ones were pruned.
    """
    last: Row | None = None
    cluster: Cluster | None = None
    history: list[Change] = []
    for step in steps(rows, decide, stored):
        if wall is not None and step.row.wall > wall:
            break
        last, cluster = step.row, step.node.cluster
        history += changes_of(step.row, host)
        if wall is not None:
            cluster = cluster.fork()  # the node goes on to the next row before we know it is late
    if last is None or cluster is None:
        return NotAsked("nothing was decided until then", "leave out --at for the end")
    if host not in cluster.site.hosts:
        known = ", ".join(sorted(cluster.site.hosts))
        return NotAsked(f"there is no host {host}", f"one of {known}")
    return answer(cluster, last, host, last.wall if wall is None else wall, tuple(history))


def changes_of(row: Row, host: HostId) -> Iterable[Change]:
    for note in row.notes:
        if note.about == host and note.what.startswith(("host.", "proof.")):
            yield Change(row.wall, note.detail or note.what, note.why)


def answer(
    cluster: Cluster, last: Row, host: HostId, wall: float, history: tuple[Change, ...]
) -> HostWhy:
    """Ask every row and every brake, as they would have been asked at that instant."""
    now = cluster.now + max(0.0, wall - last.wall)
    draft = Draft(cluster, now)
    record, facts = draft.host(host), Facts(draft, host)
    verdict = rules.judge(draft, host)
    cls = class_in_force(record.state, verdict)
    return HostWhy(
        host,
        wall,
        state_words(record.state),
        MEANING[type(record.state)],
        record.epoch,
        draft.views.leader,
        draft.views.term,
        last.revision,
        verdict.cls,
        rules.may_fence(draft, host, cls),
        tuple(table(draft, host, verdict)),
        brakes.all_brakes(draft, host, cls),
        tuple((plane, seen) for plane, seen in planes(facts)),
        tuple(signs(facts.sights, now)),
        tuple(readings(facts.sights, now)),
        tuple(f"{p.method}, {p.validity}: {p.evidence}" for p in record.proofs),
        history,
    )


def class_in_force(state: states.HostState, verdict: rules.Verdict) -> states.Class:
    """Return the class for which the brakes are asked: the one that is acted upon, if any is."""
    match state:
        case states.Fencing(cls=cls) | states.Held(cls=cls):
            return cls
        case _:
            return verdict.cls


def table(draft: Draft, host: HostId, verdict: rules.Verdict) -> Iterable[RuleRow]:
    classes = {row.rule: row.cls.value for row in (*rules.DECISIVE, *rules.TABLE)}
    classes["R0"] = states.Class.OWN_FAULT.value
    for row in rules.table(draft, host):
        decides = row.rule == verdict.rule
        yield RuleRow(row.rule, classes[row.rule], row.condition, row.holds, decides)
    is_rest = verdict.rule == "R19"
    yield RuleRow("R19", states.Class.UNKNOWN.value, "anything else", is_rest, is_rest)


def planes(facts: Facts) -> Iterable[tuple[Plane, Seen]]:
    return facts.planes.items()


def signs(sights: Sights, now: float) -> Iterable[Sign]:
    for plane, by in sorted(sights.heard.items()):
        for who, seen in sorted(by.items()):
            yield Sign(plane, who, seen.sign, now - seen.since)


def readings(sights: Sights, now: float) -> Iterable[Reading]:
    for road, power in sights.power.items():
        yield Reading(road, power.power, now - power.at)
    for backend, view in sights.storage.items():
        watched = {True: "sees it", False: "sees nothing of it", None: "does not say"}
        said = watched[view.watched] + (", shuts it out" if view.revoked else "")
        yield Reading(backend, said, now - view.at)
