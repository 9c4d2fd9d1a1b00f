"""The explorer: it finds what is broken on purpose, by a short path, and nothing where nothing is.

A bug is planted by handing over another `decide` or last check, as a patch of the core would be.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId, MoveRecord, ServerSeen, VmState
from ninelives.sim.explore import Explored, Rules, explore, nova, story
from ninelives.sim.explore.choices import State, Step
from ninelives.sim.explore.key import Keys
from ninelives.sim.explore.leader import Minds, Scene, begins, empty
from ninelives.sim.explore.steps import take
from ninelives.sim.explore.truth import HOSTS, SERVERS, Truth, beginnings

Objection = Callable[[Cluster, do.Action, float, ServerSeen | None], str]
H1, H2 = HOSTS
S1, S2 = SERVERS


def laws_broken(found: Explored) -> set[str]:
    return {each.broken.law for each in found.violations}


def shortest(found: Explored, law: str) -> int:
    return min(len(each.path) for each in found.violations if each.broken.law == law)


# Planted bugs.


def no_last_check(_c: Cluster, _a: do.Action, _now: float, _seen: ServerSeen | None) -> str:
    return ""


def resends_after_unknown(cluster: Cluster, event: on.Event, now: float) -> Decision:
    match event:
        case on.Replied(action=do.Evacuate(), outcome=on.Outcome.UNKNOWN):
            event = replace(event, outcome=on.Outcome.NOT_SENT)
        case _:
            pass
    return decide(cluster, event, now)


def stale_proof_is_fine(
    cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None
) -> str:
    refusal = objection(cluster, action, now, seen)
    return "" if refusal == "proof_not_fresh" else refusal


def deaf_to_users(servers: tuple[ServerSeen, ...]) -> tuple[ServerSeen, ...]:
    return tuple(replace(server, user_action="", task_state=None) for server in servers)


def lists_without_will(cluster: Cluster, event: on.Event, now: float) -> Decision:
    if isinstance(event, on.Listed | on.Watched):
        event = replace(event, servers=deaf_to_users(event.servers))
    return decide(cluster, event, now)


def checks_without_will(
    cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None
) -> str:
    return objection(cluster, action, now, seen and deaf_to_users((seen,))[0])


def forgets_its_epoch(cluster: Cluster, event: on.Event, now: float) -> Decision:
    decision = decide(cluster, event, now)
    hosts = {
        name: replace(host, epoch=0) if isinstance(host.state, at.Held) else host
        for name, host in decision.hosts.items()
    }
    return decision._replace(hosts=hosts)


def trips_when_two_fall(cluster: Cluster, event: on.Event, now: float) -> Decision:
    states = [host.state for host in cluster.hosts.values()]
    assert not all(isinstance(state, at.Suspect | at.Held) for state in states), "two at once"
    return decide(cluster, event, now)


PLANTED = {
    "the last check is skipped": (Rules(decide, no_last_check), {"I5", "I6", "I15"}, 6),
    # What was not sent waits for the next look before it is decided again: one step more.
    "an unknown send is sent again": (Rules(resends_after_unknown), {"I16"}, 7),
    "the user's will is not heard": (Rules(lists_without_will, checks_without_will), {"I15"}, 6),
    "an epoch goes back": (Rules(forgets_its_epoch), {"I13"}, 4),
    "an assert trips": (Rules(trips_when_two_fall), {"BUG"}, 5),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found_by_a_short_path(bug: str) -> None:
    rules, laws, depth = PLANTED[bug]

    found = explore(depth, rules=rules)

    assert laws <= laws_broken(found)
    assert max(shortest(found, law) for law in laws) <= depth


def test_a_found_path_can_be_told_as_a_story() -> None:
    rules, _, _ = PLANTED["an epoch goes back"]
    found = explore(4, rules=rules).violations[0]

    lines = story(found, rules).splitlines()
    assert lines[0] == found.beginning
    assert [line for line in lines if line.startswith("  at ")][-1].endswith(str(found.path[-1]))
    assert "{}: {} {}".format(*found.broken) in lines


def test_a_start_on_a_stale_proof_is_found_where_it_hides() -> None:
    path = (
        Step("power lost", H1),
        Step("said", H1),
        Step("wait"),
        Step("send", f"PowerOff {H1}"),
        Step("wait"),
        Step("switch on", H1),
        Step("pause"),
        Step("send", f"Evacuate {S1}"),
    )

    assert "I3" in walked(path, Rules(decide, stale_proof_is_fine))
    assert walked(path, Rules()) == set()


def walked(path: tuple[Step, ...], rules: Rules) -> set[str]:
    minds = Minds(rules, Keys())
    scene = Scene(empty(), beginnings()[0][1], 0.0, minds)
    begins(scene)
    for step in path:
        taken = take(State(scene.cluster, scene.truth, scene.now), step, minds)
        assert taken is not None, step
        scene = taken
    return {broken.law for broken in scene.broken}


# The real core.


def test_without_symmetry_the_verdict_is_the_same() -> None:
    small, large = explore(6), explore(6, symmetric=False)

    assert (small.depth, small.violations) == (large.depth, large.violations) == (6, ())
    assert small.states < large.states


def test_without_symmetry_the_same_laws_break() -> None:
    rules, _, _ = PLANTED["the last check is skipped"]
    small, large = explore(6, rules=rules), explore(6, symmetric=False, rules=rules)

    assert laws_broken(small) == laws_broken(large) != set()
    for law in laws_broken(small):
        assert shortest(small, law) == shortest(large, law)


def test_time_that_runs_out_is_told() -> None:
    found = explore(12, seconds_max=0.2)

    assert found.depth < 12
    assert not found.exhausted


def test_a_world_without_faults_is_exhausted() -> None:
    found = explore(12, faults_max=0)

    assert found.exhausted
    assert found.states == len(beginnings())


# Keys and truth.


def test_states_that_differ_in_names_alone_are_one() -> None:
    first, second = (beginning("h1 frozen", H1), beginning("h2 frozen", H2))
    keys, plain = Keys(), Keys(symmetric=False)

    assert keys.key(empty(), first, 0.0) == keys.key(empty(), second, 0.0)
    assert plain.key(empty(), first, 0.0) != plain.key(empty(), second, 0.0)


def beginning(_what: str, frozen: HostId) -> Truth:
    truth = beginnings()[1][1]
    return truth.with_host(replace(truth.host(frozen), condition="frozen"))


def test_a_second_evacuate_is_accepted_and_the_server_may_run_twice() -> None:
    truth = beginnings()[0][1]
    truth = truth.with_host(replace(truth.host(H1), is_forced_down=True))
    action = do.Evacuate(S1, H1, H2, 1, 1)
    truth, first = nova.evacuate(truth, action)
    truth, second = nova.evacuate(truth, action)
    truth = nova.spawn(truth, S1, 1)

    assert first == second == nova.DONE
    assert truth.server(S1).runs_on == {H1, H2}
    assert truth.server(S1).vm_state is VmState.ACTIVE
    assert truth.server(S1).host == H1


def test_force_up_waits_until_records_are_completed() -> None:
    truth = beginnings()[0][1]
    record = MoveRecord(1, "evacuation", H1, H2, "done")
    truth = truth.with_server(replace(truth.server(S2), records=(record,)))

    assert nova.force_up(truth, H1)[1] == (on.Outcome.REFUSED, "records_done")
    assert nova.force_up(nova.compute_starts(truth, H1), H1)[1] == nova.DONE
