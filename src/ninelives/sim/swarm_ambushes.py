"""Troubles and people that lie in wait, and strike right when a host or a move enters a state.

By chance alone nearly nothing meets a state that lasts a second. What has been struck often is
struck less, so that every state gets its share, the rare ones nearly always.
"""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from ninelives.core import states as at
from ninelives.core.model import HostId, Mode, ServerId

from .faults.grammar import Words
from .happenings import Decided, Happening
from .world import World

SELDOM = 3.0  # after so many strikes at a state, half of the chances to strike it are let go
WAITS_S = (0.0, 0.3, 3.0, 30.0)  # at most this long after it was entered, and until what follows
AT_UNKNOWN, ALWAYS_ECHOED = 0.2, 0.5  # shares of the hosts, and of the worlds
ECHO_S = ("2", "10", "30")  # answers are not waited for any longer
FREEZE_S = ("3.5", "5", "12")  # of a leader: it finds out that it was away
AT_HOSTS = (
    "operator fence HOST",
    "operator adopt HOST",
    "operator release HOST",
    "operator power-on HOST",
    "operator finish HOST",
    "operator undo HOST",
    "operator confirm HOST",
    "operator maintenance HOST on",
    "operator maintenance HOST power",
    "operator road HOST ROAD verified",
    "operator road HOST ROAD unverified",
    "operator storm allow DOMAIN 1",
    "operator mode MODE",
    "operator mode propose; operator approve HOST",
    "operator hold HOST",
    "operator hold HOST; operator approve HOST",
    "operator disarm",
    "operator arm",
    "pacemaker HOST fenced off",
    "pacemaker HOST claims old",
    "pacemaker HOST claims failed",
    "pacemaker HOST lost",
    "panic HOST kdump 60",
    "guest GUEST crash",
    "guest GUEST hang",
    "leader crash",
    "leader pause FREEZE",
    "nova bus down",
    "storage BACKEND down",
    "packets echo ECHO",
    "guest GUEST crash; power HOST off",
    "guest GUEST hang; freeze HOST FREEZE; power HOST off",
    "libvirt HOST hang",
    "agent HOST crash",
    "net HOST all down; net HOST all up",
)
AT_MOVES = (
    "operator sign-off SERVER",
    "guest SERVER crash",
    "guest SERVER hang",
    "user delete SERVER",
    "user stop SERVER",
    "user start SERVER",
    "leader crash",
    "leader pause FREEZE",
    "packets echo ECHO",
)


@dataclass(slots=True)
class Ambush:
    """Watches a world; `called` holds what shall happen, and when, until somebody plans it."""

    world: World
    rng: Random
    called: list[tuple[float, Words]] = field(default_factory=list[tuple[float, Words]])
    struck: Counter[type] = field(default_factory=Counter[type])
    states: dict[str, type] = field(default_factory=dict[str, type])

    def begin(self) -> None:
        """Keep some hosts from being known, and strike them; in every second world echo all."""
        for host in self.world.hosts:
            if self.rng.random() < AT_UNKNOWN:
                self.called.append((0.0, ("net", host, "tenant", "down")))
                for _ in range(3):
                    self._strike(0.0, AT_HOSTS, self._about_host(host))
        for host in sorted(self.world.setup.dark):
            self._wake(host)
        if self.rng.random() < ALWAYS_ECHOED:
            self.called.append((0.0, ("packets", "echo", ECHO_S[-1])))

    def _wake(self, host: HostId) -> None:
        """Let one that was off since before the beginning come up, half heard, and its guests."""
        up_s = self.world.setup.knobs.boot_s
        self.called.append((0.0, ("gate", host, "broken")))
        self.called.append((1.0, ("power", host, "on")))
        self.called.append((0.8 * up_s, ("net", host, "tenant", "down")))
        for server in self.world.setup.servers:
            if server.host == host:
                at_s = up_s + self.rng.choice(WAITS_S) + 2.0
                self.called.append((at_s, ("guest", server.id, "crash")))

    def saw(self, when: float, happening: Happening) -> None:
        """Strike at whatever a decision brought into another state, by chance."""
        if not isinstance(happening, Decided):
            return
        for host, record in happening.decision.hosts.items():
            if self._is_struck(host, record.state):
                self._strike(when, AT_HOSTS, self._about_host(host))
        for server, move in happening.decision.moves.items():
            if move is not None and self._is_struck(server, move.state):
                self._strike(when, AT_MOVES, {"SERVER": server})

    def _is_struck(self, name: str, state: at.HostState | at.MoveState) -> bool:
        kind = type(state)
        if self.states.get(name) is kind:
            return False
        self.states[name] = kind
        if self.rng.random() * (SELDOM + self.struck[kind]) >= SELDOM:
            return False
        self.struck[kind] += 1
        return True

    def _strike(self, when: float, sentences: tuple[str, ...], slots: dict[str, str]) -> None:
        slots |= {"FREEZE": self.rng.choice(FREEZE_S), "ECHO": self.rng.choice(ECHO_S)}
        wait_s = self.rng.choice(WAITS_S)
        for sentence in self.rng.choice(sentences).split("; "):
            words = tuple(slots.get(word, word) for word in sentence.split())
            when += wait_s * self.rng.random()
            if all(words):
                self.called.append((when, words))

    def _about_host(self, name: HostId) -> dict[str, str]:
        host = self.world.setup.site.hosts[name]
        guests = sorted(self.world.hosts[name].domains)
        return {
            "HOST": name,
            "ROAD": host.roads[0].id if host.roads else "",
            "DOMAIN": self.rng.choice(host.domains),
            "BACKEND": self.rng.choice(host.backends) if host.backends else "",
            "MODE": self.rng.choice([mode.value for mode in Mode]),
            "GUEST": self.rng.choice(guests) if guests else ServerId(""),
        }
