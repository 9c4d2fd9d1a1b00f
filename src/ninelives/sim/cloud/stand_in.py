"""The stand-in as one value: Nova's model, the machines that obey it, and what people do to them.

`now` is seconds since 1970 and comes from the clock that was handed in. Nothing happens between two
calls: whoever holds a StandIn calls `advance` when `wake_at` says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from ninelives.core.model import Plane
from ninelives.sim import nova

from .catalogue import Plan, hosts_of, servers_of, timings_of
from .machines import Bmc, Machine, lose_power, running_twice
from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class Outage:
    """What is wrong with an API. Nova's own faults are the model's."""

    api: nova.ApiFault | None = None
    delay_s: float = 0.0


class StandIn:
    """Holds the truth. One thread uses it."""

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.began = self.now = clock()
        self.compute_url = ""  # where Nova listens, if not where all others do
        self.bmc_urls: dict[str, str] = {}  # where each listens, once somebody serves them
        self.addresses: dict[str, dict[str, str]] = {}  # and where each host is probed, by plane
        self.changed: Callable[[], None] = lambda: None  # told when `wake_at` may be another
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.reset(plan)

    def reset(self, plan: Plan) -> None:
        """Begin anew with another cloud; whatever was under way is forgotten."""
        self.plan, self.now = plan, self._clock()
        hosts = hosts_of(plan)
        self.nova = nova.Nova(hosts, (), self.now, timings_of(plan))
        self.machines = {host.name: Machine(host.name) for host in hosts}
        self.bmcs = {host.name: Bmc(host.name) for host in hosts}
        self.tokens = Tokens()
        self.ran_twice: dict[str, list[str]] = {}
        self.powering_off: set[str] = set()
        self.outages: dict[str, Outage] = {}  # of the APIs beside Nova's, by their names
        self._timers.clear()
        self._migrating: dict[int, tuple[str, str, str]] = {}
        for server in servers_of(plan, hosts):
            self.boot(server)
        self.changed()

    def boot(self, server: nova.Server) -> None:
        """Put a server there as if it had been booted long ago."""
        self.nova.add_server(server, self.now)
        if server.host is not None and server.power_state is nova.PowerState.RUNNING:
            self.machines[server.host].guests[server.id] = True

    # Time

    def wake_at(self) -> float | None:
        due = [when for when in (self.nova.wake_at(), self._timer_at()) if when is not None]
        return min(due, default=None)

    def advance(self) -> None:
        """Do what is due, each thing at its own instant."""
        end = self._clock()
        while (due := self.wake_at()) is not None and due <= end:
            self.now = max(self.now, due)
            while self._timers and self._timers[0][0] <= due:
                heappop(self._timers)[2]()
            for effect in self.nova.advance(self.now):
                self._carry_out(effect)
        self.now = end

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heappush(self._timers, (self.now + seconds, self.next_number(), act))
        self.changed()

    def _timer_at(self) -> float | None:
        return self._timers[0][0] if self._timers else None

    def next_number(self) -> int:
        self._number += 1
        return self._number

    # Nova

    def ask(self, asked: nova.Request) -> nova.Reply:
        self.advance()
        reply = self.nova.request(asked, self.now)
        self.changed()
        return reply

    def tell(self, fact: nova.Fact) -> None:
        self.nova.told(fact, self.now)
        self.changed()

    def set_faults(self, faults: nova.Faults) -> None:
        self.advance()
        self.nova.set_faults(faults, self.now)
        self.changed()

    def set_pace(self, pace: float) -> None:
        self.advance()
        self.plan = replace(self.plan, pace=pace)
        self.nova.set_timings(timings_of(self.plan), self.now)

    # Power, by a BMC or by hand

    def power_off(self, host: str) -> None:
        self.advance()
        machine = self.machines[host]
        if machine.is_on:
            lose_power(machine)
            self.tell(nova.ComputeStopped(host))

    def power_on(self, host: str) -> None:
        self.advance()
        machine = self.machines[host]
        if machine.is_on:
            return
        machine.is_on = machine.is_booting = True
        machine.boots += 1
        boots = machine.boots
        self.after(self.plan.boot_s, lambda: self._booted(host, boots))

    def _booted(self, host: str, boots: int) -> None:
        machine = self.machines[host]
        if machine.is_on and machine.boots == boots:
            machine.is_booting = False
            if machine.starts_compute:
                self.start_compute(host)

    def switch(self, host: str, kind: str) -> None:
        """Do what a Redfish ResetType asks for."""
        self.powering_off.discard(host)
        match kind:
            case "ForceOff" | "GracefulShutdown":
                self.power_off(host)
            case "On" | "ForceOn":
                self.power_on(host)
            case "ForceRestart" | "GracefulRestart" | "PowerCycle":
                self.power_off(host)
                self.power_on(host)
            case _:
                pass

    def switch_late(self, host: str, kind: str, late_s: float) -> None:
        self.advance()
        if kind in {"ForceOff", "GracefulShutdown"} and self.machines[host].is_on:
            self.powering_off.add(host)
        self.after(late_s, lambda: self.switch(host, kind))

    # The kernel, the network and nova-compute

    def start_compute(self, host: str) -> None:
        self.advance()
        machine = self.machines[host]
        machine.is_compute_alive = True
        self.tell(nova.ComputeStarted(host))
        if machine.stands_still:
            self.tell(nova.ComputeHung(host))

    def kill_compute(self, host: str) -> None:
        """Kill nova-compute alone: its guests run on."""
        self.advance()
        self.machines[host].is_compute_alive = False
        self.tell(nova.ComputeStopped(host))

    def freeze(self, host: str, *, frozen: bool) -> None:
        self._hold(host, lambda machine: setattr(machine, "is_frozen", frozen))

    def cut(self, host: str, plane: Plane, *, mended: bool = False) -> None:
        def change(machine: Machine) -> None:
            (machine.cuts.discard if mended else machine.cuts.add)(plane)

        self._hold(host, change)

    def _hold(self, host: str, change: Callable[[Machine], None]) -> None:
        """Change what may hold a nova-compute, and keep Nova's picture of it in step."""
        self.advance()
        machine = self.machines[host]
        stood = machine.stands_still
        change(machine)
        if machine.is_compute_alive and machine.stands_still is not stood:
            fact = nova.ComputeHung(host) if machine.stands_still else nova.ComputeResumed(host)
            self.tell(fact)

    # What nova-compute does to its hypervisor

    def _carry_out(self, effect: nova.Effect) -> None:
        match effect:
            case nova.LookForDisk(host, server, work):
                machine = self.machines[host]
                seen = nova.DiskSeen(work, machine.sees_disks, machine.guests.get(server, False))
                self.nova.told(seen, self.now)
            case nova.SpawnDomain(host, server, _, work) | nova.StartDomain(host, server, work):
                self.machines[host].guests[server] = True
                self.nova.told(nova.Spawned(work), self.now)
            case nova.StopDomain(host, server):
                if server in self.machines[host].guests:
                    self.machines[host].guests[server] = False
            case nova.DestroyDomain(host, server):
                self.machines[host].guests.pop(server, None)
            case nova.PauseDomain():
                pass
            case nova.MigrateDomain(source, dest, server, work):
                self._migrating[work] = (source, dest, server)
                self.after(
                    self.plan.live_migration_s, lambda: self._migrated(work, is_aborted=False)
                )
            case nova.AbortDomainMigration(_, _, work):
                self._migrated(work, is_aborted=True)
        self._note_twins()

    def _migrated(self, work: int, *, is_aborted: bool) -> None:
        """Switch a live migration over, if nobody ended it before and both ends still stand."""
        if work not in self._migrating:
            return
        source, dest, server = self._migrating.pop(work)
        here, there = self.machines[source], self.machines[dest]
        if is_aborted:
            self.tell(nova.Migrated(work, "aborted", is_aborted=True))
        elif not there.is_up or not here.guests.get(server, False):
            self.tell(nova.Migrated(work, "operation failed: domain is not running"))
        else:
            del here.guests[server]
            there.guests[server] = True
            self.tell(nova.Migrated(work))

    def _note_twins(self) -> None:
        self.ran_twice.update(running_twice(self.machines))
