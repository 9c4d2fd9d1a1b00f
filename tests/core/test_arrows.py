"""The arrows and the table of states and events: whole, told as they are, and kept by the core."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.checked_cloud import CheckedCloud, lawful
from tests.core.small_cloud import CEPH
from tests.vocabulary import values

from ninelives.app.reference import states_page
from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.draft import Draft
from ninelives.core.invariants_moves import MOVE_ARROWS, MOVE_REASONS
from ninelives.core.model import (
    Attestation,
    BootId,
    GuestEnd,
    Health,
    HostId,
    Method,
    Plane,
    Power,
    Proof,
    RoadId,
    ServerId,
    ServerSeen,
    Service,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.plan import plan
from ninelives.core.proofs import rebooted
from ninelives.sim.arrow_reasons import HOST_REASONS
from ninelives.sim.state_table import (
    HOST_EVENTS,
    HOST_STATES,
    IMPOSSIBLE,
    MOVE_EVENTS,
    MOVE_STATES,
    Pair,
    named,
    pairs_of,
    possible_pairs,
)

C1, C2, K1, WEB = HostId("c1"), HostId("c2"), WitnessId("k1"), ServerId("web")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "states.md"


def test_the_page_of_states_is_what_the_code_says() -> None:
    assert PAGE.read_text() == states_page(), "python -m ninelives.app.reference > " + str(PAGE)


def test_every_arrow_has_its_reason_and_no_other() -> None:
    assert set(HOST_REASONS) == at.ARROWS
    assert all(MOVE_REASONS.values())


def test_every_state_but_the_first_is_reached_and_every_other_is_left() -> None:
    entered = {after for _, after in at.ARROWS}
    left = {before for before, _ in at.ARROWS}

    assert set(HOST_STATES) - entered == {at.Unknown}
    assert left == set(HOST_STATES)
    assert not {before for before, _ in MOVE_ARROWS} & {at.Done, at.Cancelled}


def test_what_is_impossible_is_named_by_states_and_events_that_exist() -> None:
    of_hosts = {(state, event) for state in HOST_STATES for event in HOST_EVENTS}
    of_moves = {(state, event) for state in MOVE_STATES for event in MOVE_EVENTS}

    assert set(IMPOSSIBLE) <= of_hosts | of_moves
    assert all(IMPOSSIBLE.values())
    assert not possible_pairs() & set(IMPOSSIBLE)
    assert len(possible_pairs() | set(IMPOSSIBLE)) == len(HOST_STATES) * len(HOST_EVENTS) + len(
        MOVE_STATES
    ) * len(MOVE_EVENTS)


# A host, or a move, in any state.

NOW = 1000.0
STATES_OF_A_HOST: dict[str, at.HostState] = {
    "Unknown": at.Unknown(),
    "Healthy": at.Healthy(NOW),
    "Suspect": at.Suspect(NOW, at.Class.UNKNOWN, NOW),
    "Repairing": at.Repairing(NOW, at.Class.LIBVIRT_HUNG, 1, NOW + 60),
    "Held": at.Held(NOW, "storm", at.Class.DEAD_OR_FROZEN),
    "Fencing": at.Fencing(NOW, at.Class.DEAD_OR_FROZEN),
    "Fenced": at.Fenced(NOW),
    "Evacuating": at.Evacuating(NOW),
    "Vacated": at.Vacated(NOW),
    "Returning": at.Returning(NOW, at.Stage.SOAKING, NOW, BootId("new")),
    "Quarantined": at.Quarantined(NOW, NOW + 3600, "attestation"),
}
STATES_OF_A_MOVE: dict[str, at.MoveState] = {
    "Planned": at.Planned(NOW),
    "Choosing": at.Choosing(NOW),
    "Sending": at.Sending(NOW, C2),
    "Verifying": at.Verifying(NOW, C2),
    "Starting": at.Starting(NOW, C2, is_sent=True),
    "Retry": at.Retry(NOW + 5, "no_target"),
    "WaitingForHost": at.WaitingForHost(NOW, "paused"),
    "Mending": at.Mending(NOW, is_migration=False, is_sent=True),
    "Done": at.Done(NOW, C2),
    "Failed": at.Failed(NOW, "in_place_failed"),
    "Skipped": at.Skipped(NOW, "shelved"),
    "Cancelled": at.Cancelled(NOW, "by_user"),
}
PROVED = (at.Fenced, at.Evacuating, at.Vacated, at.Returning, at.Quarantined)
EPOCHLESS = (at.Unknown, at.Healthy)
SEEN = ServerSeen(WEB, C1, VmState.ACTIVE, None, is_running=True)


def clean(epoch: int) -> Attestation:
    return Attestation(
        BootId("new"),
        epoch,
        "serial-c1",
        signed=True,
        gate_closed=True,
        guests=0,
        autostart=False,
        resume_guests=False,
    )


def with_host(state: at.HostState) -> Cluster:
    """c1 in this state, in its first episode, with what such a record has beside it."""
    cloud = CheckedCloud().started()
    draft = Draft(cloud.cluster, NOW)
    epoch = 0 if isinstance(state, EPOCHLESS) else 1
    record = at.Host(C1, epoch, state, BootId("c1-boot1"))
    if isinstance(state, at.Unknown):
        record = replace(record, boot=None)
        draft.put_sights(draft.sights(C1)._replace(heard={}, strong_at=None, strong_boot=None))
    draft.put_host(record)
    if isinstance(state, PROVED):
        draft.put_host(replace(record, proofs=(proof_of(draft, epoch),), forced_down_by_us=True))
    cloud.cluster.apply(draft.decision())
    cloud.cluster.now = NOW
    return cloud.cluster


def proof_of(draft: Draft, epoch: int) -> Proof:
    other = Draft(draft.cluster, NOW)
    other.put_host(draft.host(C1))
    attested = on.Attested(C1, clean(epoch))
    other.put_sights(other.sights(C1)._replace(attested=attested, attested_at=NOW))
    proof = rebooted(other, C1)
    assert isinstance(proof, Proof)
    return replace(proof, method=Method.HUMAN)


def with_move(state: at.MoveState) -> Cluster:
    """c1 is evacuated; web is in this state."""
    cluster = with_host(at.Healthy(NOW) if isinstance(state, at.Mending) else at.Evacuating(NOW))
    draft = Draft(cluster, NOW)
    move = plan(draft, C1, SEEN)
    draft.put_move(replace(move, state=state, attempt=1, named=(C2,), writers=frozenset({C1, C2})))
    cluster.apply(draft.decision())
    return cluster


LISTING = do.ListServers(C1, 1, 0)
EVENTS: dict[str, tuple[on.Event, ...]] = {
    "TermBegan": (on.TermBegan(2, K1),),
    "OwnFault": (on.OwnFault("froze"), on.OwnFault("froze", ended=True)),
    "Woke": (on.Woke("host/c1"),),
    "Sighted": tuple(
        on.Sighted(K1, (on.Change(C1, Plane.MANAGEMENT, sign, BootId("c1-boot1")),))
        for sign in Sign
    ),
    "CanarySeen": (on.CanarySeen("nova", is_ok=False), on.CanarySeen("nova", is_ok=True)),
    "BackendSeen": (on.BackendSeen(CEPH, is_ok=False),),
    "PowerRead": tuple(on.PowerRead(C1, RoadId("bmc-c1"), power) for power in Power),
    "StorageSeen": (on.StorageSeen(C1, CEPH, watched=True, revoked=False),),
    "AgentSaid": (on.AgentSaid(C1, BootId("c1-boot1"), libvirt=Health.HUNG),),
    "Renewed": (on.Renewed(C1, BootId("c1-boot1"), watchdog_armed=True),),
    "Promised": (on.Promised(WitnessId("c2"), C1, 0), on.Promised(WitnessId("c2"), C1, 1)),
    "NovaSeen": (on.NovaSeen(C1, False, False, True, True, is_ours=True),),
    "KdumpSeen": (on.KdumpSeen(C1), on.KdumpSeen(C1, ended=True)),
    "Attested": (on.Attested(C1, clean(0)), on.Attested(C1, clean(1))),
    "PacemakerFenced": (),
    "PacemakerLost": (on.PacemakerLost(C1, is_lost=True),),
    "Listed": (
        on.Listed(LISTING, (SEEN,), is_complete=True),
        on.Listed(do.ListServers(C1, 0, 0), (SEEN,), is_complete=True),
    ),
    "Watched": (on.Watched(do.Watch(C1, 1, (WEB,)), (SEEN,)),),
    "TargetsSeen": tuple(on.TargetsSeen(do.AskTargets(WEB, n), ()) for n in (1, 2)),
    "DomainsSeen": (
        on.DomainsSeen(do.LookForDomain(WEB, (C2,), 1), ((C2, False),)),
        on.DomainsSeen(do.LookForDomain(WEB, (C2,), 1), ((C2, None),)),
    ),
    "GuestSeen": (
        on.GuestSeen(SEEN, C1, Health.DOWN),
        on.GuestSeen(
            SEEN, C1, Health.DOWN, GuestEnd(BootId("c1-boot1"), has_exited=True, is_unlocked=True)
        ),
        on.GuestSeen(SEEN, C1, Health.OK),
    ),
    "Replied": tuple(
        on.Replied(action, outcome)
        for outcome in on.Outcome
        for action in (
            do.Evacuate(WEB, C1, C2, 1, 1),
            do.StartServer(WEB, C2, 1, 1),
            do.HardReboot(WEB, C1, 1, 1),
            do.LiveMigrate(WEB, C1, 1, 1),
            do.PowerOff(C1, RoadId("bmc-c1"), 1, 1),
            do.PowerOff(C1, RoadId("bmc-c1"), 0, 1),
            do.ForceDown(C1, 1),
            do.ForceUp(C1, 1, 0),
            do.PowerOn(C1, 1, 1),
            do.Restart(C1, 1, Service.LIBVIRT, 1),
        )
    ),
    "StoreAdopted": (on.StoreAdopted("ada", lost=7),),
    "Armed": (on.Armed("ada", is_armed=False, cause="drill"),),
    "SignedOff": (on.SignedOff("ada", WEB),),
}


def events_of(kind: type) -> tuple[on.Event, ...]:
    return EVENTS.get(kind.__name__, ())


def durable(cluster: Cluster, decision: Decision) -> list[object]:
    """What would be written that was not so before."""
    changed: list[object] = [
        after for host, after in decision.hosts.items() if cluster.hosts.get(host) != after
    ]
    changed += [
        after for server, after in decision.moves.items() if cluster.moves.get(server) != after
    ]
    changed += [action for action, entry in decision.outbox.items() if entry]
    return changed + ([decision.control] if decision.control else [])


@pytest.mark.parametrize("pair", IMPOSSIBLE, ids=named)
def test_what_is_impossible_changes_nothing_durable(pair: Pair) -> None:
    state, event = pair
    cluster = with_state(state.__name__)
    meetings = [each for each in events_of(event) if pair in set(pairs_in(cluster, each))]

    assert meetings
    for each in meetings:
        assert durable(cluster, decide(cluster, each, NOW)) == [], each


def with_state(state: str) -> Cluster:
    if state in STATES_OF_A_HOST:
        return with_host(STATES_OF_A_HOST[state])
    return with_move(STATES_OF_A_MOVE[state])


def pairs_in(cluster: Cluster, event: on.Event) -> Iterator[Pair]:
    return pairs_of(cluster.site.hosts, cluster.hosts, cluster.moves, event)


@pytest.mark.parametrize("state", STATES_OF_A_HOST)
@pytest.mark.parametrize("event", HOST_EVENTS, ids=lambda kind: kind.__name__)
def test_whatever_meets_a_host_keeps_the_laws(state: str, event: type) -> None:
    for each in events_of(event):
        cluster = with_host(STATES_OF_A_HOST[state])
        lawful(cluster, each, NOW)


@pytest.mark.parametrize("state", STATES_OF_A_MOVE)
@pytest.mark.parametrize("event", MOVE_EVENTS, ids=lambda kind: kind.__name__)
def test_whatever_meets_a_move_keeps_the_laws(state: str, event: type) -> None:
    for each in events_of(event):
        cluster = with_move(STATES_OF_A_MOVE[state])
        lawful(cluster, each, NOW)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(STATES_OF_A_HOST)), values(on.Order))
def test_any_order_in_any_state_is_taken_or_refused_and_keeps_the_laws(
    state: str, order: on.Order
) -> None:
    cluster = with_host(STATES_OF_A_HOST[state])
    if getattr(order, "host", None) is not None:
        order = replace(order, host=C1)  # type: ignore[arg-type]  # all but those without a host

    decision = lawful(cluster, order, NOW)

    assert {note.what for note in decision.notes} & {"order.taken", "order.refused"}


def test_the_pairs_of_an_event_are_those_before_it_is_decided_about() -> None:
    cluster = with_move(at.Sending(NOW, C2))
    reply = on.Replied(do.Evacuate(WEB, C1, C2, 1, 1), on.Outcome.DONE)

    assert set(pairs_in(cluster, reply)) == {(at.Evacuating, on.Replied), (at.Sending, on.Replied)}
    assert set(pairs_in(cluster, on.Woke("host/c1"))) == {(at.Evacuating, on.Woke)}
    assert set(pairs_in(cluster, on.Woke("outbox"))) == set()
    assert set(pairs_in(cluster, on.SignedOff("ada", WEB))) == {(at.Sending, on.SignedOff)}


def test_what_is_about_everything_meets_every_host_and_a_new_term_every_move() -> None:
    cluster = with_move(at.Sending(NOW, C2))
    hosts = {at.Evacuating, at.Healthy}

    bad = set(pairs_in(cluster, on.CanarySeen("nova", is_ok=False)))
    began = set(pairs_in(cluster, on.TermBegan(2, K1)))

    assert bad == {(state, on.CanarySeen) for state in hosts}
    assert began == {(state, on.TermBegan) for state in (*hosts, at.Sending)}


def test_a_host_without_a_record_is_unknown() -> None:
    assert list(pairs_of((C1,), {}, {}, on.KdumpSeen(C1))) == [(at.Unknown, on.KdumpSeen)]
    assert list(pairs_of((C1,), {}, {}, on.TermBegan(1, K1))) == [(at.Unknown, on.TermBegan)]
