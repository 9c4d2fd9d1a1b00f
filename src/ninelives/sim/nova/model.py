"""Nova as one value: requests and facts go in; replies, records and effects come out. `now` is
always passed in.

    request(asked, now) ─▶ Reply       told(fact, now)
    wake_at() ─▶ when                  advance(now) ─▶ what nova-compute does to its hypervisors

Laws: nothing happens between two calls; the same calls give the same answers; a fork shares nothing
that changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import api, control_plane, steps
from .records import (
    Action,
    Host,
    HostName,
    Migration,
    Process,
    Server,
    ServerId,
    Service,
    ServiceView,
    VmState,
)
from .settings import Faults, Timings
from .state import State, add_action, is_up, lose_commits, put_allocation, service_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .effects import Effect, Fact
    from .requests import Reply, Request

_DEFAULT_TIMINGS = Timings()
_BY_ITS_USER = {VmState.PAUSED: "pause", VmState.SUSPENDED: "suspend"}


class Nova:
    """The whole control plane with its computes. Calls must come with `now` never going back."""

    __slots__ = ("_state",)

    def __init__(
        self,
        hosts: Iterable[Host],
        servers: Iterable[Server] = (),
        now: float = 0.0,
        timings: Timings = _DEFAULT_TIMINGS,
    ) -> None:
        by_name = {host.name: host for host in hosts}
        self._state = State(hosts=by_name, timings=timings, now=now)
        interval_s = timings.report_interval_s
        for nth, name in enumerate(by_name):
            # Real computes do not report in step; spread them evenly, since there is no chance
            # here.
            anchor = now - interval_s * nth / len(by_name)
            self._state.services[name] = Service(name)
            self._state.processes[name] = Process(
                anchor, last_report=anchor, reporting_since=anchor
            )
        for server in servers:
            self.add_server(server, now)

    def fork(self) -> Nova:
        """An independent copy, as cheap as copying a few dicts."""
        other = Nova(())
        other._state = self._state.fork()
        return other

    def add_server(self, server: Server, now: float) -> None:
        """Put a server there as if it had been booted long ago."""
        self._at(now)
        host = server.host
        assert host is None or host in self._state.hosts
        created = server.created or now
        self._state.servers[server.id] = replace(server, updated=now, created=created)
        put_allocation(self._state, server.id, server, () if host is None else (host,))
        if server.vm_state in _BY_ITS_USER:  # Nova keeps the action, however long ago it was
            add_action(self._state, server.id, _BY_ITS_USER[server.vm_state], "user")

    def acted_before(self, server: ServerId, action: str, user: str) -> None:
        """Put an action into the server's log that was over before the story began."""
        add_action(self._state, server, action, user)

    def request(self, asked: Request, now: float) -> Reply:
        """Ask the API. What was asked is done at `now`; the reply reaches its caller `after_s`
        later.
        """
        self._at(now)
        return api.answer(self._state, asked)

    def told(self, fact: Fact, now: float) -> None:
        """Hear from a hypervisor or a process. An answer to work that is gone changes nothing."""
        self._at(now)
        steps.hear(self._state, fact)

    def wake_at(self) -> float | None:
        """When `advance` has something to do; None: not before somebody asks or tells."""
        if self._state.effects:
            return self._state.now
        return self._state.agenda[0][0] if self._state.agenda else None

    def advance(self, now: float) -> tuple[Effect, ...]:
        """Do what is due, and hand out each effect once, in order."""
        self._at(now)
        effects, self._state.effects = self._state.effects, ()
        return effects

    def take_rewritten(self) -> tuple[ServerId, ...]:
        """Hand out once everybody whose host, or a migration of whom, was written."""
        taken = self._state.rewritten
        if not taken:
            return ()
        self._state.rewritten = set()
        return tuple(sorted(taken))

    # Faults: inputs like any other

    @property
    def faults(self) -> Faults:
        return self._state.faults

    def set_faults(self, faults: Faults, now: float) -> None:
        self._at(now)
        steps.change_faults(self._state, faults)

    def lose_last_commit(self, now: float, count: int = 1) -> int:
        """A database failover that loses the last `count` writes (of at most 8); returns how many
        it lost.
        """
        self._at(now)
        return lose_commits(self._state, count)

    def set_timings(self, timings: Timings, now: float) -> None:
        """Let what begins from now on take other times."""
        self._at(now)
        self._state.timings = timings

    def set_room(self, host: HostName, vcpus: int, ram_mb: int, now: float) -> None:
        """Change what a host offers, as an operator does who changes its allocation ratios."""
        self._at(now)
        self._state.hosts[host] = replace(self._state.hosts[host], vcpus=vcpus, ram_mb=ram_mb)

    # For the world's own eyes: free, always true, not through the API

    @property
    def hosts(self) -> Mapping[HostName, Host]:
        return self._state.hosts

    @property
    def services(self) -> Mapping[HostName, Service]:
        return self._state.services

    @property
    def servers(self) -> Mapping[ServerId, Server]:
        return self._state.servers

    @property
    def migrations(self) -> Mapping[int, Migration]:
        return self._state.migrations

    @property
    def allocations(self) -> Mapping[str, tuple[HostName, ...]]:
        return self._state.allocations

    def load(self, host: HostName) -> tuple[int, int]:
        """How many vcpus, and how much memory in MB, is taken on a host."""
        load = self._state.loads.get(host)
        return (0, 0) if load is None else (load.vcpus, load.ram_mb)

    def actions_of(self, server: ServerId) -> tuple[Action, ...]:
        return self._state.actions.get(server, ())

    def control_services(self, now: float) -> tuple[ServiceView, ...]:
        """The scheduler and the conductor, as /os-services lists them beside the computes."""
        self._at(now)
        return control_plane.views(self._state)

    def acted_at(self, server: ServerId, user: str) -> float:
        """When the last action of this user on this server began; 0 before there was one."""
        actions = self._state.actions.get(server, ())
        return max((action.at for action in actions if action.user == user), default=0.0)

    @property
    def backlog_s(self) -> float:
        """How long a request waits whose caller has given up on it."""
        return self._state.timings.backlog_s

    def queued(self, host: HostName) -> int:
        """How many messages wait for the nova-compute of this host."""
        return len(self._state.queues.get(host, ()))

    def is_up(self, host: HostName, now: float) -> bool:
        return is_up(self._state, host, now)

    def last_report(self, host: HostName, now: float) -> float:
        return service_view(self._state, host, now).last_report

    def _at(self, now: float) -> None:
        assert now >= self._state.now
        steps.run_until(self._state, now)
