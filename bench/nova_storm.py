"""Measure what 300 servers on the move cost the loop that judges, and Nova: lag and requests.

Run: `python -m bench.nova_storm [--servers N] [--hosts N]`. The stand-in answers from a process of
its own; here runs one loop, with the adapter and a clock that ticks in it. Each server is asked for
a target, read afresh, evacuated, and, arrived, read and started; all are listed every 2 s.
It writes bench/results/nova_storm.txt.
"""

import argparse
import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from time import monotonic, process_time

import aiohttp

from ninelives.adapters.nova.clouds import Cloud
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire, Reply, Request
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.sim.cloud.catalogue import PASSWORD, Plan
from ninelives.sim.cloud.serve import served

from .heading import ROOT, heading

RESULTS = ROOT / "bench" / "results" / "nova_storm.txt"
SOURCE = HostId("c1")
TICK_S = 0.005
AT_ONCE = 32  # `moves_max` of the policy
WATCH_S = 2.0
SPAWN_S = 5.0


class CountingWire(HttpWire):
    """The real one, and what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        self.asked["orders" if request.method != "GET" else kind_of(request.url)] += 1
        return await super().exchange(request, deadline_s)


def kind_of(url: str) -> str:
    path = url.partition("?")[0]
    for part in ("os-instance-actions", "os-migrations", "servers/detail", "servers/"):
        if part in path:
            return part
    return "other reads"


def stand_in(hosts: int, to_us: Connection) -> None:
    """Serve an empty cloud until told to end."""
    plan = Plan(hosts=hosts, servers=0, spawn_s=SPAWN_S)
    with served(plan) as where:
        to_us.send((where.url, where.auth_url))
        to_us.recv()


class Storm:
    """One outage of a full host."""

    def __init__(self, url: str, auth_url: str) -> None:
        self.url = url
        self.wire = CountingWire()
        domains = {"user_domain_id": "default", "project_domain_id": "default"}
        login = {"username": "admin", "password": PASSWORD, "project_name": "admin"}
        account = Cloud("stand-in", "password", {"auth_url": auth_url, **login, **domains})
        self.compute = NovaCompute(self.wire, KeystoneIdentity(account))
        self.seen: dict[ServerId, ServerSeen] = {}
        self.moving: set[ServerId] = set()
        self.watched = asyncio.Event()

    async def run(self, servers: int) -> list[float]:
        """Bring everybody back; return how much later than asked each tick of the clock came."""
        await self.prepare(servers)
        found, _ = await self.compute.list_servers(SOURCE)
        await asyncio.sleep(2.5)  # so that nobody was changed in the second in which he was read
        found, _ = await self.compute.list_servers(SOURCE)
        assert len(found) == servers
        self.wire.asked.clear()
        lags: list[float] = []
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as aside:
            others = [aside.create_task(self.tick(lags)), aside.create_task(self.watch())]
            async with asyncio.TaskGroup() as moves:
                for seen in found:
                    moves.create_task(self.move(seen.id, room))
            for other in others:
                other.cancel()
        await self.compute.close()
        return lags

    async def prepare(self, servers: int) -> None:
        async with aiohttp.ClientSession() as control:
            for number in range(servers):
                body = {"name": f"s{number}", "host": SOURCE}
                async with control.post(f"{self.url}/control/servers", json=body) as answer:
                    assert answer.status < 300, await answer.text()
            async with control.post(f"{self.url}/control/hosts/{SOURCE}/off", json={}) as answer:
                assert answer.status < 300
        await self.compute.nova.version()
        assert (await self.compute.force_down(SOURCE)).outcome is Outcome.DONE

    async def move(self, server: ServerId, room: asyncio.Semaphore) -> None:
        async with room:
            candidates = await self.compute.targets(server)
            target = candidates[hash(server) % len(candidates)].host
            await self.compute.show((server,))
            answer = await self.compute.evacuate(server, target)
            assert answer.outcome is Outcome.DONE, answer
            self.moving.add(server)
            await self.until(server, VmState.STOPPED, target)
            await self.compute.show((server,))
            answer = await self.compute.start(server)
            assert answer.outcome is Outcome.DONE, answer
            await self.until(server, VmState.ACTIVE, target)
            self.moving.discard(server)

    async def until(self, server: ServerId, state: VmState, host: HostId) -> None:
        while True:
            seen = self.seen.get(server)
            if seen and (seen.vm_state, seen.host, seen.task_state) == (state, host, None):
                return
            await self.watched.wait()

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            shown = await self.compute.show(tuple(self.moving)) if self.moving else ()
            self.seen |= {seen.id: seen for seen in shown}
            self.watched.set()
            self.watched.clear()

    async def tick(self, lags: list[float]) -> None:
        while True:
            due = monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            lags.append(monotonic() - due)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=11)
    asked = parser.parse_args(arguments)

    here, there = multiprocessing.Pipe()
    other = multiprocessing.Process(target=stand_in, args=(asked.hosts, there), daemon=True)
    other.start()
    url, auth_url = here.recv()
    storm = Storm(url, auth_url)
    began, began_cpu = monotonic(), process_time()
    lags = sorted(asyncio.run(storm.run(asked.servers)))
    took_s, cpu_s = monotonic() - began, process_time() - began_cpu
    here.send("end")
    other.join()

    each = ", ".join(f"{name} {many}" for name, many in sorted(storm.wire.asked.items()))
    p50, p99, most = at(lags, 0.5), at(lags, 0.99), lags[-1] * 1e3
    text = (
        heading(f"python -m bench.nova_storm --servers {asked.servers} --hosts {asked.hosts}")
        + f"took    {took_s:.0f} s, of it {cpu_s:.1f} s of our processor time\n"
        f"lag     p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {most:.1f} ms\n"
        f"asked   {storm.wire.asked.total()}: {each}\n"
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text, end="")


def at(lags: list[float], share: float) -> float:
    return lags[int(len(lags) * share)] * 1e3


if __name__ == "__main__":
    main()
