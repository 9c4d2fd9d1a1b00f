"""The laws of the explorer: for each one a forged truth that makes it, and no other law, fire."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.model import HostId, MoveRecord
from ninelives.sim.explore import Rules, laws
from ninelives.sim.explore.choices import State, Step
from ninelives.sim.explore.key import Keys
from ninelives.sim.explore.laws import Broken
from ninelives.sim.explore.leader import Minds, empty
from ninelives.sim.explore.steps import take
from ninelives.sim.explore.truth import HOSTS, SERVERS, Truth, beginnings, road_of

NOW = 100.0
H1, H2 = HOSTS
S1, _S2 = SERVERS
OFF = do.PowerOff(H1, road_of(H1), 1, 1)
EVACUATE = do.Evacuate(S1, H1, H2, 1, 1)
AWAY = frozenset({H2})


def truth() -> Truth:
    """Return the cloud in which both servers are at home on h1."""
    return beginnings()[0][1]


def with_h1(condition: str, **changes: object) -> Truth:
    """Return the cloud in which h1 is so, and s1 runs nowhere any more."""
    host = replace(truth().host(H1), condition=condition, **changes)  # type: ignore[arg-type]  # fields are named by tests alone
    return with_s1(truth().with_host(host), runs_on=frozenset[HostId]())


def with_s1(known: Truth, **changes: object) -> Truth:
    return known.with_server(replace(known.server(S1), **changes))  # type: ignore[arg-type]  # fields are named by tests alone


def cluster(state: at.HostState) -> Cluster:
    """Return the mind of a leader in whose record h1 is in this state of its first episode."""
    mind = empty()
    mind.hosts[H1] = at.Host(H1, 1, state)
    return mind


def fencing() -> Cluster:
    return cluster(at.Fencing(NOW, at.Class.DEAD_OR_FROZEN))


def nothing() -> Decision:
    """Return a decision that changes nothing: the paper on which the forgers write."""
    return decide(empty(), on.Woke("nobody"), NOW)._replace(hosts={}, views=None)


# One forgery for each law.


def two_writers() -> Iterator[Broken]:
    return laws.of_truth(with_s1(truth(), runs_on=frozenset(HOSTS)))


def moved_beside_its_copy() -> Iterator[Broken]:
    frozen = with_s1(with_h1("frozen"), runs_on=frozenset({H1}))
    return laws.of_send(frozen, fencing(), EVACUATE, NOW)


def moved_off_a_host_that_boots() -> Iterator[Broken]:
    return laws.of_send(with_h1("booting", on_since=NOW - 60), fencing(), EVACUATE, NOW)


def shot_while_healthy() -> Iterator[Broken]:
    return laws.of_send(with_h1("frozen"), cluster(at.Healthy(NOW)), OFF, NOW)


def shot_while_it_lives() -> Iterator[Broken]:
    return laws.of_send(truth(), fencing(), OFF, NOW)


def older_term() -> Iterator[Broken]:
    views = replace(empty().views, term=truth().term - 1)
    return laws.of_decision(empty(), truth(), nothing()._replace(views=views))


def epoch_that_jumps() -> Iterator[Broken]:
    return laws.of_decision(empty(), truth(), nothing()._replace(hosts={H1: at.Host(H1, 2)}))


def deleted_and_moved() -> Iterator[Broken]:
    return laws.of_send(with_s1(with_h1("off"), user_action="delete"), fencing(), EVACUATE, NOW)


def moved_while_it_moves() -> Iterator[Broken]:
    record = MoveRecord(1, "evacuation", H1, H2, "accepted")
    return laws.of_send(with_s1(with_h1("off"), records=(record,)), fencing(), EVACUATE, NOW)


def moved_from_where_it_is_not() -> Iterator[Broken]:
    elsewhere = with_s1(with_h1("off"), host=H2, runs_on=AWAY)
    return laws.of_send(elsewhere, fencing(), EVACUATE, NOW)


def assert_that_trips() -> Iterator[Broken]:
    def trips(known: Cluster, event: on.Event, now: float) -> Decision:
        assert not isinstance(event, on.Sighted), "somebody spoke"
        return decide(known, event, now)

    silent = truth().with_host(replace(truth().host(H1), condition="off", unsaid_since=0.0))
    scene = take(State(empty(), silent, NOW), Step("said", H1), Minds(Rules(trips), Keys()))
    assert scene is not None
    return iter(scene.broken)


FORGED: Mapping[str, Callable[[], Iterator[Broken]]] = {
    "I1": two_writers,
    "I2": moved_beside_its_copy,
    "I3": moved_off_a_host_that_boots,
    "I5": shot_while_healthy,
    "I6": shot_while_it_lives,
    "I10": older_term,
    "I13": epoch_that_jumps,
    "I15": deleted_and_moved,
    "I16": moved_while_it_moves,
    "LC": moved_from_where_it_is_not,
    "BUG": assert_that_trips,
}


@pytest.mark.parametrize("law", FORGED)
def test_a_forged_truth_breaks_exactly_its_law(law: str) -> None:
    assert {broken.law for broken in FORGED[law]()} == {law}


def test_a_move_off_a_dead_host_breaks_none() -> None:
    assert list(laws.of_send(with_h1("off"), fencing(), EVACUATE, NOW)) == []


def test_every_law_of_the_explorer_has_a_forgery() -> None:
    folder = Path(laws.__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
    yielded = {
        str(node.args[0].value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) != "append"
        if getattr(node.func, "id", getattr(node.func, "attr", "")) == "Broken"
        if isinstance(node.args[0], ast.Constant)
    }

    assert yielded == FORGED.keys()
