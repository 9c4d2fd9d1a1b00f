"""What hardly ever meets by chance: late answers, a second blow, a store that somebody adopts.

Most answers are had within a second, and no state that somebody leaves within thirty can be met by
one by chance. Some hosts and servers are therefore followed: whatever was last said about them
comes again in each state that they enter, as long as anybody would have waited for it. And now and
then something else befalls them just then, of which answers to other questions come.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId

from .faults.grammar import Words
from .happenings import Decided, Happening
from .state_table import HOST_STATES
from .world import World

FOLLOWED = 0.3  # the share of all hosts and servers
ALWAYS_FOLLOWED = frozenset({at.Repairing, at.Resetting})  # hardly ever entered, and soon left
LATE_S = (0.0, 0.0, 0.3, 3.0)  # at most this long after the state was entered
ADOPTING = 0.5  # the share of worlds in which somebody, once, adopts a store that lost something
LOST = ("1", "20", "500")  # decisions, at most
LEADS_S = 5.0  # by then somebody leads, and some hosts may still be unknown


class Blow(NamedTuple):
    """What befalls a followed one, with what chance, and how long after it entered a state."""

    sentences: str  # GUESTS: once for each guest of the host
    chance: float
    within_s: float
    apart_s: float = 0.0  # at most, between its sentences


BLOWS: Mapping[type, tuple[Blow, ...]] = {
    at.Healthy: (
        Blow("guest GUESTS crash; power HOST off", 0.4, 900.0, 4.0),
        Blow("guest GUESTS crash; user pause GUESTS; power HOST off", 0.3, 900.0, 4.0),
        Blow("user pause GUESTS; user live-migrate GUESTS; power HOST off", 0.2, 900.0, 2.0),
        Blow("net HOST tenant down", 0.1, 600.0),
        Blow("agent HOST crash", 0.15, 60.0),
        Blow("libvirt HOST hang", 0.15, 60.0),
    ),
    at.Held: (Blow("net HOST all up; libvirt HOST hang", 0.2, 15.0, 5.0),),
    at.Vacated: (Blow("gate HOST broken", 0.2, 20.0),),
    at.Returning: (
        Blow("agent HOST crash", 0.3, 20.0),
        Blow("net HOST all down; net HOST all up", 0.2, 40.0, 20.0),
    ),
    at.Quarantined: (Blow("guest GUESTS crash", 0.5, 3.0),),
    at.Choosing: (Blow("target dies", 0.4, 0.0),),
    at.Done: (Blow("guest SERVER crash", 0.4, 3.0),),
    at.Skipped: (Blow("guest SERVER crash", 0.4, 3.0),),
}
# Befalls who is well and read all the same: its service is repaired as an answer comes once more.
AS_READ = Blow("libvirt HOST hang", 1.0, 3.0)


@dataclass(slots=True)
class Chase:
    """Follows some names through a world; `called` holds what shall happen, and when."""

    world: World
    rng: Random
    called: list[tuple[float, Words]] = field(default_factory=list[tuple[float, Words]])
    followed: frozenset[str] = frozenset()
    adopts_at: type | None = None
    states: dict[str, type] = field(default_factory=dict[str, type])

    def begin(self) -> None:
        """Draw who is followed, and in which state of a host the store is adopted."""
        names = (*self.world.hosts, *(server.id for server in self.world.setup.servers))
        self.followed = frozenset(name for name in names if self.rng.random() < FOLLOWED)
        if self.rng.random() < ADOPTING:
            self.adopts_at = self.rng.choice(HOST_STATES)
        if self.adopts_at is at.Unknown:
            self._adopt(LEADS_S)

    def saw(self, when: float, happening: Happening) -> None:
        """Call for something when a followed one entered another state."""
        if not isinstance(happening, Decided):
            return
        for host, record in happening.decision.hosts.items():
            if type(record.state) is self.adopts_at:
                self._adopt(when)
            self._entered(when, host, type(record.state))
        for server, move in happening.decision.moves.items():
            if move is not None:
                self._entered(when, server, type(move.state))
        for action in happening.decision.actions:
            if isinstance(action, do.Watch) and self.states.get(action.host) is at.Healthy:
                self._strike(when + AS_READ.within_s * self.rng.random(), action.host, AS_READ)

    def _adopt(self, when: float) -> None:
        self.adopts_at = None
        self.called.append((when, ("operator", "adopt", "store", self.rng.choice(LOST))))

    def _entered(self, when: float, name: str, state: type) -> None:
        if self.states.get(name) is state:
            return
        self.states[name] = state
        if name not in self.followed and state not in ALWAYS_FOLLOWED:
            return
        late_s = self.rng.choice(LATE_S) * self.rng.random()
        self.called.append((when + late_s, ("packets", "again", name)))
        for blow in BLOWS.get(state, ()):
            if self.rng.random() < blow.chance:
                self._strike(when + blow.within_s * self.rng.random(), name, blow)

    def _strike(self, when: float, name: str, blow: Blow) -> None:
        for sentence in blow.sentences.split("; "):
            for words in self._filled(name, sentence):
                self.called.append((when, words))
            when += blow.apart_s * self.rng.random()

    def _filled(self, name: str, sentence: str) -> Iterator[Words]:
        """Yield a sentence about a host or a server, once for each guest where it is about all."""
        host = self.world.hosts.get(HostId(name))
        guests = sorted(host.domains) if host and "GUESTS" in sentence else [""]
        for guest in guests:
            slots = {"HOST": name, "SERVER": name, "GUESTS": guest}
            yield tuple(slots.get(word, word) for word in sentence.split())
