"""The controller dies (SIGKILL) at every boundary of its journal, and another one goes on.

In each story one leads and one stands by, and for each that dies another one starts, until somebody
has died at every boundary of the story. What is left to the last of them must end as if nobody had
died, with nothing sent twice.
"""

import inspect
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.boundaries import BOUNDARIES, DIES, Deaths
from tests.daemon.boundary_stories import AT_REST, STORIES, Story, actions_of, all_of
from tests.daemon.controllers import Controller, until

from ninelives.adapters.absent import NoAgents, NoStorage
from ninelives.app import wire
from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(900)

TURNS, WITNESS = ("n1", "n2"), "n3"
DIES_WITHIN_S = 150.0
MET = "met"  # a file beside the configurations

# Waits that begin anew with every leader; a dozen of them die here. One move at a time, so that
# there is a server left for each boundary.
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


@dataclass
class Mortal(Controller):
    """A controller that dies at a boundary."""

    boundaries: Sequence[str] = ()

    def command(self) -> list[str]:
        module, met = "tests.daemon.boundaries", str(self.config.with_name(MET))
        command = [sys.executable, "-m", module, str(self.config), self.name, met]
        return [*command, *self.boundaries]

    def is_dead(self) -> bool:
        """Say that it died where it should; any other end is a failure."""
        ended = self.process.poll()
        if ended is None:
            return False
        last = self.log.read_text()[-2000:]
        assert ended == -signal.SIGKILL, last
        assert self.process.pid in {line["pid"] for line in self.said(DIES)}, last
        return True


@dataclass
class Line:
    """Controllers beside each other, and after each other, over one story."""

    folder: Path
    cloud: Cloud
    story: Story
    stack: ExitStack
    servers: list[str] = field(init=False)
    living: list[Mortal] = field(default_factory=list[Mortal])

    def __post_init__(self) -> None:
        self.cloud.reset(servers=0)
        self.servers = [
            self.cloud.add_server(f"vm{number}", "c1", vm_state=self.story.vm_state)
            for number in range(self.story.servers)
        ]
        self.story.before(self.cloud)

    def start(self, name: str, lease_s: float = 8.0) -> None:
        names = (*TURNS, WITNESS) if self.story.has_witness else TURNS
        config = written(self.folder, name, self.cloud.served, controllers=names)
        text = configuration(config.read_text(), self.story.policy)
        reserve = f'name = "{self.story.reserve}"\n'
        text = text.replace(reserve, f"{reserve}reserved = true\n")
        config.write_text(text.replace("lease_s = 6.0", f"lease_s = {lease_s}"))
        mortal = Mortal(name, config, boundaries=self.story.boundaries)
        self.stack.enter_context(mortal)
        self.living.append(mortal)

    def left(self) -> list[str]:
        """Name the boundaries that nobody has died at yet."""
        return Deaths(self.folder / MET, self.story.boundaries).left()

    def leader(self) -> Mortal | None:
        return next((each for each in self.living if each.leads()), None)

    def is_led(self) -> bool:
        return self.leader() is not None

    def all_live(self) -> bool:
        """Say that nobody has died; here nobody was to."""
        return not [each for each in self.living if each.is_dead()]

    def sees_all_well(self) -> bool:
        assert self.all_live()
        leader = self.leader()
        return leader is not None and leader.sees_all_well()

    def loses_one(self) -> bool:
        """Say whether one has died at last; another one is in its place."""
        self.have_person_act()
        dead = [each for each in self.living if each.is_dead()]
        for each in dead:
            self.living.remove(each)
            self.start(each.name)
        return bool(dead)

    def is_over(self) -> bool:
        self.have_person_act()
        assert self.all_live()
        return self.is_led() and self.story.is_over(self.cloud, self.servers)

    def have_person_act(self) -> None:
        leader = self.leader()
        if leader is not None:
            self.story.person(self.cloud, leader, self.servers)


def configuration(text: str, policy: str) -> str:
    for slow, quick in QUICK.items():
        assert slow in text, f"{slow} is nowhere in the demo's configuration"
        text = text.replace(slow, quick)
    return text.replace("\n[storage.ceph]", f"{policy}\n[storage.ceph]")


@pytest.mark.parametrize("name", STORIES)
def test_who_takes_over_goes_on_as_if_nobody_had_died(
    name: str, cloud: Cloud, tmp_path: Path
) -> None:
    story = STORIES[name]
    with ExitStack() as stack:
        line = Line(tmp_path, cloud, story, stack)
        for turn in TURNS:
            line.start(turn)
        if story.has_witness:
            until(line.is_led)
            line.start(WITNESS, lease_s=120.0)  # it would wait for two minutes before it led
        has_begun = False
        while left := line.left():
            if not (has_begun or set(left) & set(AT_REST)):
                until(line.sees_all_well)
                story.begins(cloud)
                has_begun = True
            until(line.loses_one, DIES_WITHIN_S)
        until(line.is_over, DIES_WITHIN_S)
        leader = line.leader()
        assert leader is not None
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
