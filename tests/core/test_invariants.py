"""Each live law fires for the decision that is forged against it, and no other law does."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.core.checked_cloud import CheckedCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Decision, Entry, Note
from ninelives.core.decide import decide
from ninelives.core.invariants import LAWS, check
from ninelives.core.model import HostId, ServerId, Validity, WitnessId

C1, C2, WEB = HostId("c1"), HostId("c2"), ServerId("web")
EVENT = on.Woke("host/c1")


def evacuating() -> Cluster:
    """The leader in whose care c1 is: web's evacuate is out, unanswered."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = lambda cloud, action: ()
    cloud.kill("c1")
    cloud.until(lambda: "web" in cloud.cluster.moves and is_sending(cloud.cluster))
    return cloud.cluster


def choosing() -> Cluster:
    """The same a moment earlier: web's evacuate is about to be sent."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = lambda cloud, action: ()
    cloud.kill("c1")
    cloud.until(lambda: "web" in cloud.cluster.moves)
    cloud.run(0.2)
    assert isinstance(cloud.move("web").state, at.Choosing)
    return cloud.cluster


def is_sending(cluster: Cluster) -> bool:
    return isinstance(cluster.moves[WEB].state, at.Sending)


def nothing(cluster: Cluster) -> Decision:
    """A decision that changes nothing: the paper on which the forgers write."""
    rest = decide(cluster, on.Woke("nobody"), cluster.now)
    return rest._replace(hosts={}, moves={}, outbox={}, wakes={}, counts={}, actions=(), notes=())


def broken(cluster: Cluster, forged: Decision) -> set[str]:
    return {each.law for each in check(cluster, EVENT, forged, cluster.now)}


def handing_out(cluster: Cluster, *actions: do.Action) -> Decision:
    entries: dict[do.Action, Entry | None] = {
        action: Entry(action, 1, cluster.now, cluster.now + 30) for action in actions
    }
    return nothing(cluster)._replace(outbox=entries, actions=actions)


def with_host(cluster: Cluster, host: at.Host, *notes: Note) -> Decision:
    return nothing(cluster)._replace(hosts={host.id: host}, notes=notes)


def with_move(cluster: Cluster, move: at.Move) -> Decision:
    return nothing(cluster)._replace(moves={move.server: move})


def arrow(host: HostId, said: str) -> Note:
    return Note(host, "host.moved", "forged", said)


def sent(cluster: Cluster, target: HostId = C2) -> Decision:
    """Send web away: what `decide` itself would hand out from `choosing`."""
    move, epoch = cluster.moves[WEB], cluster.hosts[C1].epoch
    send = do.Evacuate(WEB, C1, target, epoch, 1)
    going = replace(
        move,
        state=at.Sending(cluster.now, target),
        attempt=1,
        named=(target,),
        writers=move.writers | {target},
    )
    return handing_out(cluster, send)._replace(moves={WEB: going})


def test_an_honest_decision_breaks_no_law() -> None:
    cluster = choosing()

    assert broken(cluster, sent(cluster)) == set()


# One forgery for each law. Each takes an honest cluster and returns it with the forged decision.


def second_send(cluster: Cluster) -> Decision:
    """Another evacuate while the first is out."""
    return handing_out(cluster, do.Evacuate(WEB, C1, C2, cluster.hosts[C1].epoch, 2))


def twice_at_once(cluster: Cluster) -> Decision:
    forged = sent(cluster)
    other = do.Evacuate(WEB, C1, C2, cluster.hosts[C1].epoch, 2)
    more = {**forged.outbox, other: Entry(other, 1, cluster.now, cluster.now)}
    return forged._replace(actions=(*forged.actions, other), outbox=more)


def start_beside_evacuate(cluster: Cluster) -> Decision:
    rebooted = do.HardReboot(WEB, C1, cluster.hosts[C1].epoch, 2)
    return handing_out(cluster, rebooted)


def without_proof(cluster: Cluster) -> Decision:
    """A send although another host, which nothing proves dead, may hold a copy."""
    forged = sent(cluster)
    going = forged.moves[WEB]
    assert going is not None
    suspected = replace(going, writers=going.writers | {HostId("c4")})
    return forged._replace(moves={WEB: suspected})


def with_void_proof(cluster: Cluster) -> Decision:
    forged, host = sent(cluster), cluster.hosts[C1]
    void = tuple(replace(proof, validity=Validity.VOID) for proof in host.proofs)
    return forged._replace(hosts={C1: replace(host, proofs=void)})


def down_without_proof(cluster: Cluster) -> Decision:
    return handing_out(cluster, do.ForceDown(C2, cluster.hosts[C2].epoch))


def vacated_too_early(cluster: Cluster) -> Decision:
    host = replace(cluster.hosts[C1], state=at.Vacated(cluster.now))
    return with_host(cluster, host, arrow(C1, "evacuating → vacated"))


def dropped(cluster: Cluster) -> Decision:
    return nothing(cluster)._replace(moves={WEB: None})


def taken_away(cluster: Cluster) -> Decision:
    return with_move(cluster, replace(cluster.moves[WEB], host=C2, writers=frozenset({C1, C2})))


def untold(cluster: Cluster) -> Decision:
    host = replace(cluster.hosts[C1], state=at.Vacated(cluster.now))
    done = replace(cluster.moves[WEB], state=at.Done(cluster.now, C2))
    return with_host(cluster, host)._replace(moves={WEB: done})


def backdated(cluster: Cluster) -> Decision:
    host = replace(cluster.hosts[C2], state=at.Suspect(0.0, at.Class.UNKNOWN, 0.0), epoch=1)
    return with_host(cluster, host, arrow(C2, "healthy → suspect"))


def leap(cluster: Cluster) -> Decision:
    host = replace(cluster.hosts[C2], state=at.Vacated(cluster.now))
    return with_host(cluster, host, arrow(C2, "healthy → vacated"))


def asked_again(cluster: Cluster) -> Decision:
    return with_move(cluster, replace(cluster.moves[WEB], state=at.Choosing(cluster.now)))


def same_epoch(cluster: Cluster) -> Decision:
    state = at.Suspect(cluster.now, at.Class.UNKNOWN, cluster.now)
    host = replace(cluster.hosts[C2], state=state)
    return with_host(cluster, host, arrow(C2, "healthy → suspect"))


def older_term(cluster: Cluster) -> Decision:
    return nothing(cluster)._replace(views=replace(cluster.views, term=0))


def foreign_proof(cluster: Cluster) -> Decision:
    host = cluster.hosts[C1]
    old = tuple(replace(proof, epoch=host.epoch - 1) for proof in host.proofs)
    return with_host(cluster, replace(host, proofs=old))


def proofless(cluster: Cluster) -> Decision:
    return with_host(cluster, replace(cluster.hosts[C1], proofs=()))


def unnamed(cluster: Cluster) -> Decision:
    move = cluster.moves[WEB]
    return with_move(cluster, replace(move, state=at.Sending(cluster.now, HostId("c4"))))


def forgetful(cluster: Cluster) -> Decision:
    return with_move(cluster, replace(cluster.moves[WEB], writers=frozenset()))


def shot_at_the_living(cluster: Cluster) -> Decision:
    road = cluster.site.hosts[C2].roads[0].id
    return handing_out(cluster, do.PowerOff(C2, road, cluster.hosts[C2].epoch, 1))


def disarmed(cluster: Cluster) -> Decision:
    return sent(cluster)._replace(control=replace(cluster.control, is_armed=False))


def under_risk(cluster: Cluster) -> Decision:
    risky = replace(cluster.hosts[C1], zombie_risk="it moves")
    return sent(cluster)._replace(hosts={C1: risky})


def miscounted(cluster: Cluster) -> Decision:
    return nothing(cluster)._replace(counts={("moving",): -7})


def unrecorded(cluster: Cluster) -> Decision:
    return sent(cluster)._replace(outbox={})


FORGERIES: tuple[tuple[str, Callable[[], Cluster], Callable[[Cluster], Decision]], ...] = (
    ("I1", evacuating, second_send),
    ("I1", choosing, twice_at_once),
    ("I1", evacuating, start_beside_evacuate),
    ("I2", choosing, without_proof),
    ("I2", choosing, with_void_proof),
    ("I2", choosing, down_without_proof),
    ("I14", evacuating, vacated_too_early),
    ("I14", evacuating, dropped),
    ("I14", choosing, taken_away),
    ("I25", evacuating, untold),
    ("I25", choosing, backdated),
    ("arrows", choosing, leap),
    ("arrows", evacuating, asked_again),
    ("epochs", choosing, same_epoch),
    ("epochs", choosing, older_term),
    ("proofs", choosing, foreign_proof),
    ("proofs", choosing, proofless),
    ("moves", evacuating, unnamed),
    ("moves", evacuating, forgetful),
    ("shots", choosing, shot_at_the_living),
    ("disarmed", choosing, disarmed),
    ("risk", choosing, under_risk),
    ("counters", choosing, miscounted),
    ("outbox", choosing, unrecorded),
)


@pytest.mark.parametrize(
    ("law", "arrange", "forge"), FORGERIES, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_forged_decision_breaks_exactly_its_law(
    law: str, arrange: Callable[[], Cluster], forge: Callable[[Cluster], Decision]
) -> None:
    cluster = arrange()

    assert broken(cluster, forge(cluster)) == {law}


def test_a_proof_made_anew_beside_a_void_one_is_not_revived() -> None:
    """A take-over counts all of them from the same instant."""
    cluster = choosing()
    host = cluster.hosts[C1]
    (proof,) = host.proofs
    beside = replace(host, proofs=(replace(proof, validity=Validity.VOID), proof))
    cluster.hosts[C1] = beside
    told = nothing(cluster)._replace(hosts={C1: replace(beside, rounds=7)})

    assert broken(cluster, told) == set()

    only_void = replace(host, proofs=(replace(proof, validity=Validity.VOID),))
    cluster.hosts[C1] = only_void

    assert broken(cluster, nothing(cluster)._replace(hosts={C1: host})) == {"proofs"}


def test_every_law_has_a_forgery() -> None:
    assert {law for law, _, _ in FORGERIES} == set(LAWS)


def test_a_law_costs_nothing_where_nothing_changed() -> None:
    cluster = choosing()

    quiet = decide(cluster, on.Sighted(WitnessId("k1"), ()), cluster.now)

    assert check(cluster, on.Sighted(WitnessId("k1"), ()), quiet, cluster.now) == ()
