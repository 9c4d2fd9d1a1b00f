"""A whole life that keeps every law makes no law fire, and is counted right."""

from dataclasses import replace
from itertools import pairwise

from tests.oracle.history import C1, C2, C3, C4, NEW, S1, S2, S3, History, move, story

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import Attestation, Sign, Validity
from ninelives.sim import happenings as so
from ninelives.sim.oracle import phases


def whole_life() -> History:
    """A host loses power, is proved off, its servers run elsewhere, and it is led back."""
    told = story().truly(so.FaultBegan(1, "power of c1")).evacuating()
    told.decided(moves={server: move(at.Planned(told.now), server) for server in (S1, S2, S3)})
    for server, target in ((S1, C2), (S2, C3), (S3, C4)):
        told.moving(at.Choosing(told.now), server).after(0.5)
        told.sent(server, target).after(1).arrived(server, target)
    told.host(C1, at.Vacated(told.now)).truly(so.FaultEnded(1, "power of c1")).after(70)
    return led_back(told)


def led_back(told: History) -> History:
    on_again = do.PowerOn(C1, 1, 1)
    told.acted(on_again).replied(on_again)
    told.truly(so.HostChanged(C1, "booting", NEW)).after(60)
    told.truly(so.HostChanged(C1, "running", NEW))
    told.host(C1, returning(told, at.Stage.ATTESTING)).sighted(C1, Sign.STRONG, NEW)
    told.decided(on.Attested(C1, Attestation(NEW, 1, "", True, True, 0, False, False)))
    for stage, action in (
        (at.Stage.COMPUTE, do.StartCompute(C1, 1, NEW, 1)),
        (at.Stage.FORCING_UP, do.ForceUp(C1, 1, 1)),
        (at.Stage.RESTARTING, do.OpenGate(C1, 1, NEW)),
        (at.Stage.ENABLING, do.Enable(C1, 1)),
    ):
        told.host(C1, returning(told, stage)).acted(action).replied(action).after(5)
    told.decided(moves=dict.fromkeys((S1, S2, S3)))
    return told.host(C1, at.Healthy(told.now), proofs=())


def returning(told: History, stage: at.Stage) -> at.Returning:
    return at.Returning(told.now, stage, told.now, NEW)


def test_a_life_that_keeps_the_law_breaks_none() -> None:
    told = whole_life().after(5000)

    told.finished()

    assert told.oracle.violations == []


def test_what_a_life_exercised_is_counted() -> None:
    counts = whole_life().oracle.counts

    assert (counts.episodes, counts.leader_changes, counts.faults[1]) == (1, 0, 1)
    assert counts.pairs[at.Fencing, on.PowerRead] == 2
    assert counts.pairs[at.Sending, on.Replied] == 3


def test_a_change_of_leader_a_void_proof_and_a_group_are_counted() -> None:
    told = story().evacuating()
    (proof,) = told.hosts[C1].proofs
    told.host(
        C1,
        at.Evacuating(told.now),
        proofs=(replace(proof, validity=Validity.VOID),),
        group="rack:a",
    )
    void = told.hosts[C1].proofs
    told.truly(so.TermTaken(told.leader, 2))
    told.host(C1, at.Evacuating(9.0), proofs=tuple(replace(each, at=9.0) for each in void))
    counts = told.oracle.counts

    assert (counts.leader_changes, counts.proofs_voided, counts.groups) == (1, 1, {"rack:a"})


def test_the_phases_of_an_outage_tile_it() -> None:
    told = whole_life()
    outage = next(outage for outage in told.oracle.outages.ended if outage.server == S1)
    parts = phases(outage, told.now)

    names = [part.name for part in parts]
    assert names == ["undetected", "suspect", "fencing", "listing", "queued", "moving"]
    assert all(one.ended == two.began for one, two in pairwise(parts))
    assert (parts[0].began, parts[-1].ended) == (outage.marks[0][0], outage.ended)


def test_an_outage_lasts_until_a_server_that_arrives_stopped_was_started() -> None:
    told = story().evacuating().sent()
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False), so.DomainStopped(S1, C2)).after(3)
    told.moving(at.Starting(told.now, C2)).after(4)
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False)).after(2)
    runs_at = told.now - 2

    told.moving(at.Done(told.now, C2))

    (outage,) = told.oracle.outages.ended
    assert (outage.ended, outage.how) == (runs_at, "runs")
    assert phases(outage, told.now)[-1] == ("starting", runs_at - 4, runs_at)


def test_a_fork_goes_its_own_way() -> None:
    told = story()
    twin = told.oracle.fork()

    told.evacuating().truly(so.DomainStarted(S1, C2, is_rebuilt=False))
    told.truly(so.DomainStarted(S1, C3, is_rebuilt=False))

    assert told.laws == {"I1"}
    assert twin.violations == []
    assert twin.picture.truth.domains[S1] == {C1}
    assert twin.counts.episodes == 0
