"""What a picture of a cloud shows: each host with its state, each server with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.core import states
from ninelives.core.model import HostId, ServerId
from ninelives.sim import happenings as what
from ninelives.sim.setup import Setup


class Look(NamedTuple):
    """A state as it is shown: a symbol and a word, and a colour that only underlines them."""

    symbol: str
    plain: str  # for terminals that know ASCII alone
    word: str
    style: str


HOST_LOOKS: Mapping[type, Look] = {
    states.Unknown: Look("·", ".", "unknown", "dim"),
    states.Healthy: Look("●", "o", "healthy", "green"),
    states.Suspect: Look("?", "?", "suspect", "yellow"),
    states.Repairing: Look("±", "+", "repairing", "cyan"),
    states.Held: Look("‖", "=", "held", "bold magenta"),
    states.Fencing: Look("↯", "!", "fencing", "bold red"),
    states.Fenced: Look("✖", "X", "fenced", "red"),
    states.Evacuating: Look("◐", "%", "evacuating", "cyan"),
    states.Vacated: Look("○", "O", "vacated", "blue"),
    states.Returning: Look("↺", "<", "returning", "cyan"),
    states.Quarantined: Look("∅", "#", "quarantined", "magenta"),
}
RUNS = Look("▮", "#", "runs", "green")
AWAY = Look("▯", "-", "down", "bold red")
DOUBTFUL = Look("▒", "~", "frozen", "yellow")


@dataclass(slots=True)
class Picture:
    """Listens to a world of `setup` and knows how it looks now."""

    setup: Setup
    hosts: dict[HostId, states.HostState] = field(default_factory=dict[HostId, states.HostState])
    conditions: dict[HostId, str] = field(default_factory=dict[HostId, str])
    places: dict[ServerId, set[HostId]] = field(default_factory=dict[ServerId, set[HostId]])
    moves: dict[ServerId, states.Move] = field(default_factory=dict[ServerId, states.Move])

    def __post_init__(self) -> None:
        """Begin as the world begins: everything runs where it was declared."""
        self.hosts = dict.fromkeys(self.setup.site.hosts, states.Unknown())
        for server in self.setup.servers:
            is_up = bool(server.is_running and server.host)
            self.places[server.id] = {server.host} if is_up and server.host else set()

    def saw(self, _: float, happening: what.Happening) -> None:
        """Fold one happening."""
        match happening:
            case what.Decided(decision=decision):
                for host in decision.hosts.values():
                    self.hosts[host.id] = host.state
                for server, move in decision.moves.items():
                    self._move(server, move)
            case what.HostChanged(host=host, condition=condition):
                self.conditions[host] = condition
            case what.DomainStarted(server=server, host=host):
                self.places.setdefault(server, set()).add(host)
            case what.DomainStopped(server=server, host=host):
                self.places.setdefault(server, set()).discard(host)
            case _:
                return

    def _move(self, server: ServerId, move: states.Move | None) -> None:
        if move is None:
            self.moves.pop(server, None)
        else:
            self.moves[server] = move

    def condition(self, host: HostId) -> str:
        """Return the true condition of a host: running, frozen, off, …"""
        return self.conditions.get(host, "running")

    def servers_on(self, host: HostId) -> list[tuple[ServerId, Look]]:
        """List the servers that belong to a host's card: those that run there, or fell there."""
        found: list[tuple[ServerId, Look]] = []
        for server in self.setup.servers:
            places = self.places.get(server.id, set())
            if host in places:
                awake = self.condition(host) == "running"
                found.append((server.id, RUNS if awake else DOUBTFUL))
            elif not places and self._home(server.id, server.host) == host:
                found.append((server.id, AWAY))
        return found

    def _home(self, server: ServerId, first: HostId | None) -> HostId | None:
        """Return the host on whose card a server waits that runs nowhere."""
        move = self.moves.get(server)
        return move.host if move else first

    def progress(self) -> tuple[int, int]:
        """Count the moves with an outcome, and all moves."""
        done = sum(1 for move in self.moves.values() if isinstance(move.state, states.FINAL))
        return done, len(self.moves)


def host_look(state: states.HostState) -> Look:
    """Return how a host's state is shown; a hold says why, a return says how far."""
    look = HOST_LOOKS[type(state)]
    match state:
        case states.Held(reason=reason):
            return look._replace(word=f"held: {reason}")
        case states.Returning(stage=stage):
            return look._replace(word=stage.replace("_", " "))
        case _:
            return look


MOVE_WORDS: Mapping[type, str] = {
    states.Planned: "waits its turn",
    states.Choosing: "asks where to",
    states.Sending: "is sent",
    states.Verifying: "rebuilds",
    states.Starting: "starts",
    states.Retry: "tries again",
    states.WaitingForHost: "waits for its host",
    states.Done: "done",
    states.Failed: "failed",
    states.Skipped: "not moved",
    states.Cancelled: "cancelled",
}
STEPS: Mapping[type, int] = {  # how far a move has come, of five
    states.Planned: 1,
    states.Choosing: 2,
    states.Sending: 2,
    states.Verifying: 3,
    states.Starting: 4,
    states.Done: 5,
}


def move_words(move: states.Move) -> tuple[int, str]:
    """Say how far a move has come, of five steps, and in words."""
    words, steps = MOVE_WORDS[type(move.state)], STEPS.get(type(move.state), 1)
    match move.state:
        case states.Sending(target=target) | states.Verifying(target=target):
            return steps, f"{words} on {target}"
        case states.Starting(target=target):
            return steps, f"{words} on {target}"
        case states.Done(host=host):
            return steps, f"runs on {host}"
        case states.Retry(reason=reason) | states.Skipped(reason=reason):
            return steps, f"{words}: {reason}"
        case _:
            return steps, words
