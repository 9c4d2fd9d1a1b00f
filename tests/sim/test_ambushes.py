"""Whoever lies in wait strikes at every state, in words that the fault language knows."""

from collections import Counter
from dataclasses import replace
from random import Random

from tests.sim.small_world import C1, WEB, Story

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Control, Decision
from ninelives.core.draft import Draft, restored
from ninelives.core.model import Power, RoadId, ServerSeen, VmState, WitnessId
from ninelives.core.plan import plan
from ninelives.core.policy import BALANCED
from ninelives.sim import faults
from ninelives.sim.happenings import Decided
from ninelives.sim.health import ECHOES_EACH, WAITED_FOR_S
from ninelives.sim.swarm_ambushes import Ambush
from ninelives.sim.swarm_chases import Chase
from ninelives.sim.swarm_run import drawn_plan, run_plan

N1 = WitnessId("n1")
ROAD = RoadId("c1-bmc")


def entered(*states: at.HostState) -> list[Decided]:
    """Decide that c1 goes from one state to the next."""
    return [
        Decided(
            *(N1, 1, number, 0.0, on.Woke("host/c1")),
            Decision({C1: at.Host(C1, 1, state)}, {}, {}, None, {}, None, {}, {}, (), ()),
        )
        for number, state in enumerate(states)
    ]


def test_every_order_of_an_ambush_is_a_sentence_of_the_fault_language() -> None:
    story = Story()
    ambush = Ambush(story.world, Random(1))

    for it in entered(*(at.Healthy(0.0), at.Fenced(0.0)) * 500):
        ambush.struck.clear()
        ambush.saw(5.0, it)

    kinds = Counter(words[0] for _, words in ambush.called)
    assert {"operator", "pacemaker", "panic", "guest", "leader", "packets"} <= set(kinds)
    assert not [words for _, words in ambush.called if faults.check(words, story.world.setup)]
    assert all(at_s >= 5.0 for at_s, _ in ambush.called)


def test_a_state_that_is_entered_often_is_struck_ever_less() -> None:
    ambush = Ambush(Story().world, Random(1))
    for it in entered(*(at.Healthy(0.0), at.Held(0.0, "storm", at.Class.HUNG)) * 200):
        ambush.saw(0.0, it)

    before = ambush.struck.copy()
    for it in entered(at.Repairing(0.0, at.Class.LIBVIRT_HUNG, 1, 60.0)):
        ambush.saw(0.0, it)

    assert 20 < before[at.Held] < 60
    assert ambush.struck[at.Repairing] == 1


def test_a_world_with_ambushes_is_always_the_same_and_meets_more() -> None:
    plan = replace(drawn_plan("same/5", 900.0), has_ambushes=True)
    calm = run_plan(replace(plan, has_ambushes=False))

    once, again = run_plan(plan), run_plan(plan)

    assert once == again
    assert len(once.pairs) > len(calm.pairs)


def test_an_echo_brings_what_names_its_question_again_and_no_reading() -> None:
    story = Story().run(10, (8, "packets echo 5"))
    leader = story.world.leader()
    assert leader is not None
    asker, before = (leader.id, leader.life), len(story.events())
    question = do.ListServers(C1, 1, 0)

    story.world.answer(*asker, on.Listed(question, (), is_complete=True))
    story.world.answer(*asker, on.PowerRead(C1, ROAD, Power.ON))
    story.run(20)

    heard = Counter(type(event) for _, event in story.events()[before:])
    assert heard[on.Listed] == 1 + ECHOES_EACH
    assert heard[on.PowerRead] == 1


def test_what_our_own_last_check_held_back_is_said_once() -> None:
    story = Story().run(10, (8, "packets echo 5"))
    leader = story.world.leader()
    assert leader is not None
    asker, before = (leader.id, leader.life), len(story.events())
    order = do.PowerOn(C1, 1, 1)

    story.world.answer(*asker, on.Replied(order, on.Outcome.NOT_SENT, "disarmed"))
    story.run(20)

    heard = [event for _, event in story.events()[before:] if isinstance(event, on.Replied)]
    assert [event.action for event in heard] == [order]


def test_an_echo_ends_with_the_process_that_asked() -> None:
    story = Story().run(10, (8, "packets echo 5"))
    leader = story.world.leader()
    assert leader is not None

    story.world.answer(leader.id, leader.life, on.TargetsSeen(do.AskTargets(WEB, 1), ()))
    story.world.command(("leader", "crash"))
    story.run(20)

    heard = [event for _, event in story.events() if isinstance(event, on.TargetsSeen)]
    assert len(heard) <= 1


def followed(*names: str) -> Chase:
    chase = Chase(Story().world, Random(1))
    chase.followed = frozenset(names)
    return chase


def test_what_was_said_of_a_followed_one_comes_again_in_each_state_that_it_enters() -> None:
    chase = followed(C1)

    for it in entered(at.Fenced(0.0), at.Fenced(0.0), at.Evacuating(1.0)):
        chase.saw(5.0, it)

    assert [words for _, words in chase.called] == [("packets", "again", C1)] * 2
    assert all(at_s >= 5.0 for at_s, _ in chase.called)


def test_whoever_is_reset_is_followed_then_and_only_then() -> None:
    chase = followed()
    seen = ServerSeen(WEB, C1, VmState.PAUSED, None, is_running=False)
    move = plan(
        Draft(restored(chase.world.setup.site, BALANCED, Control(), (), (), ()), 5.0), C1, seen
    )

    for state in (at.Choosing(5.0), at.Resetting(5.0), at.Planned(5.0), at.Resetting(5.0)):
        decision = Decision(
            {}, {WEB: replace(move, state=state)}, {}, None, {}, None, {}, {}, (), ()
        )
        chase.saw(5.0, Decided(N1, 1, 1, 0.0, on.Woke("host/c1"), decision))

    assert [words for _, words in chase.called] == [("packets", "again", WEB)] * 2


def test_every_blow_is_in_words_that_the_fault_language_knows() -> None:
    chase = followed(C1)

    for state in (at.Healthy(0.0), at.Vacated(0.0), at.Returning(0.0, at.Stage.SOAKING, 0.0)) * 50:
        for it in entered(state):
            chase.saw(5.0, it)

    setup = chase.world.setup
    assert {"guest", "power", "agent", "libvirt", "gate"} <= {words[0] for _, words in chase.called}
    assert not [words for _, words in chase.called if faults.check(words, setup)]


def test_a_store_is_adopted_once_in_the_state_that_was_drawn_for_it() -> None:
    chase = followed()
    chase.adopts_at = at.Evacuating

    for it in entered(at.Fenced(0.0), at.Evacuating(1.0), at.Fenced(2.0), at.Evacuating(3.0)):
        chase.saw(5.0, it)

    assert [words[:3] for _, words in chase.called] == [("operator", "adopt", "store")]


def test_the_last_answers_about_a_name_come_again_as_long_as_they_are_waited_for() -> None:
    story = Story().run(10)
    leader = story.world.leader()
    assert leader is not None
    story.world.answer(leader.id, leader.life, on.Listed(do.ListServers(C1, 1, 0), (), True))
    story.world.answer(leader.id, leader.life, on.TargetsSeen(do.AskTargets(WEB, 1), ()))
    story.run(11)

    def heard(until: float, words: str) -> Counter[type]:
        before = len(story.events())
        story.run(until, (until - 1, words))
        return Counter(type(event) for _, event in story.events()[before:])

    assert heard(20, "packets again c1")[on.Listed] == 1
    assert heard(25, "packets again web")[on.TargetsSeen] == 1
    assert heard(25 + WAITED_FOR_S, "packets again c1")[on.Listed] == 0
