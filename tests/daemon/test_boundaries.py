"""The controller dies (SIGKILL) at every boundary of its journal, and another one goes on.

Each story is one line of controllers: one leads, one stands by, and each dies at the boundary that
is next. What is left to the last of them must end as if nobody had died, with nothing sent twice.
"""

import inspect
import signal
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.boundaries import BOUNDARIES, NEVER
from tests.daemon.boundary_stories import AT_REST, STORIES, Story, actions_of, all_of
from tests.daemon.controllers import Controller, until

from ninelives.adapters.absent import NoAgents, NoStorage
from ninelives.app import wire
from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(900)

TURNS, WITNESS = ("n1", "n2"), "n3"
DIES_WITHIN_S = 150.0

# Waits that begin anew with every leader; a dozen of them die here. One move at a time, so that
# there is one left for each boundary.
QUICK = {
    "\nsettle_s = 5.0": "\nsettle_s = 2.0",
    "look_again_s = 2.0": "look_again_s = 1.0",
    "request_timeout_s = 5.0": "request_timeout_s = 3.0",
    "\nnova_settle_s = 10.0": "\nnova_settle_s = 5.0\nmoves_max = 1\ntarget_moves_max = 1",
}

# Nobody carries these out for a controller of this version: there is no agent and no storage that
# it could speak to. Whoever wires one has to bring the stories of its orders.
OF_AGENTS = {"StartCompute": "start_compute", "OpenGate": "open_gate", "Restart": "restart"}
OF_STORAGE = {"Revoke": "revoke", "LiftRevocation": "lift"}
# Nothing leaves with it, and nobody answers: the term ends. The simulator kills its leader there.
OF_THE_TERM = frozenset(all_of("HandOver"))

OPEN = {
    "led_back_lost": "a reboot in place that was decided, and never sent, is taken for answered by"
    " the next leader: Nova says 'active' of the server, which nobody has started"
}


@dataclass
class Mortal(Controller):
    """A controller that dies at a boundary."""

    boundary: str = NEVER

    def command(self) -> list[str]:
        module = "tests.daemon.boundaries"
        return [sys.executable, "-m", module, str(self.config), self.name, self.boundary]

    def is_dead(self) -> bool:
        """Say that it died where it should; any other end is a failure."""
        ended = self.process.poll()
        if ended is None:
            return False
        last = self.log.read_text()[-2000:]
        assert ended == -signal.SIGKILL, last
        assert self.boundary in {line["at"] for line in self.said("test.dies")}, last
        return True

    def is_up(self) -> bool:
        return self.is_dead() or self.leads()


@dataclass
class Line:
    """Controllers one after the other, over one story."""

    folder: Path
    cloud: Cloud
    story: Story
    stack: ExitStack
    servers: list[str] = field(init=False)
    begun: int = 0

    def __post_init__(self) -> None:
        self.cloud.reset(servers=0)
        self.servers = [
            self.cloud.add_server(f"vm{number}", "c1", vm_state=self.story.vm_state)
            for number in range(self.story.servers)
        ]
        self.story.before(self.cloud)

    def next(self) -> Mortal:
        """Start who dies at the next boundary; after the last one, who does not."""
        boundaries, number = [*self.story.boundaries, NEVER, NEVER], self.begun
        self.begun += 1
        return self.started(TURNS[number % 2], boundaries[number])

    def started(self, name: str, boundary: str = NEVER, lease_s: float = 8.0) -> Mortal:
        names = (*TURNS, WITNESS) if self.story.has_witness else TURNS
        config = written(self.folder, name, self.cloud.served, controllers=names)
        text = configuration(config.read_text(), self.story.policy)
        reserve = f'name = "{self.story.reserve}"\n'
        text = text.replace(reserve, f"{reserve}reserved = true\n")
        config.write_text(text.replace("lease_s = 6.0", f"lease_s = {lease_s}"))
        mortal = Mortal(name, config, boundary=boundary)
        self.stack.enter_context(mortal)
        return mortal

    def is_over(self, leader: Mortal) -> bool:
        self.story.person(self.cloud, leader, self.servers)
        return leader.is_alive() and self.story.is_over(self.cloud, self.servers)

    def is_dead(self, leader: Mortal) -> bool:
        self.story.person(self.cloud, leader, self.servers)
        return leader.is_dead()


def configuration(text: str, policy: str) -> str:
    for slow, quick in QUICK.items():
        assert slow in text, f"{slow} is nowhere in the demo's configuration"
        text = text.replace(slow, quick)
    return text.replace("\n[storage.ceph]", f"{policy}\n[storage.ceph]")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.xfail(reason=OPEN[name])] if name in OPEN else [])
        for name in STORIES
    ],
)
def test_who_takes_over_goes_on_as_if_nobody_had_died(
    name: str, cloud: Cloud, tmp_path: Path
) -> None:
    story = STORIES[name]
    with ExitStack() as stack:
        line = Line(tmp_path, cloud, story, stack)
        leader = line.next()
        until(leader.is_up)
        if story.has_witness:  # it would wait for two minutes before it led
            line.started(WITNESS, lease_s=120.0)
        standby = line.next()
        has_begun = False
        for boundary in story.boundaries:
            if not (has_begun or boundary in AT_REST):
                until(leader.sees_all_well)
                story.begins(cloud)
                has_begun = True
            assert leader.boundary == boundary
            until(partial(line.is_dead, leader), DIES_WITHIN_S)
            leader = standby
            until(leader.is_up, DIES_WITHIN_S)
            standby = line.next()
        until(partial(line.is_over, leader), DIES_WITHIN_S)
        assert leader.end() == 0

    assert cloud.ran_twice() == {}
    for server in line.servers:
        done = Counter(actions_of(cloud, server))
        assert {each: done[each] for each in story.once} == dict.fromkeys(story.once, 1)


def test_every_boundary_of_the_journal_has_its_story() -> None:
    told = {boundary for story in STORIES.values() for boundary in story.boundaries}
    unwired = set(all_of(*OF_AGENTS, *OF_STORAGE))

    assert told | unwired | OF_THE_TERM == BOUNDARIES
    assert not told & (unwired | OF_THE_TERM)


def test_what_has_no_story_has_nobody_to_carry_it_out() -> None:
    wiring = inspect.getsource(wire.wired)

    assert "NoAgents()" in wiring
    assert "NoStorage()" in wiring
    assert all(hasattr(NoAgents, each) for each in OF_AGENTS.values())
    assert all(hasattr(NoStorage, each) for each in OF_STORAGE.values())
