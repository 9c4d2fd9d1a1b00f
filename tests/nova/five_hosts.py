"""A cloud of five hosts in the Nova model, its first one dead if wished, and how tests read it."""

from ninelives.sim.nova import (
    LAB_TIMINGS,
    Answer,
    Caller,
    Cloud,
    Fault,
    Host,
    Migration,
    PowerState,
    Server,
    Timings,
    UpdateService,
    VmState,
)

HOSTS = [Host(f"c{number}") for number in range(1, 6)]
USER = Caller("carol")


def cloud_with(*servers: Server, timings: Timings = LAB_TIMINGS) -> Cloud:
    """Five hosts that have just been heard of; c1 carries the servers."""
    cloud = Cloud(HOSTS, servers or [Server("s", "c1")], timings)
    cloud.run(1)
    return cloud


def dead_host(*servers: Server, forced_down: bool = True, timings: Timings = LAB_TIMINGS) -> Cloud:
    """Five hosts; c1 carries the servers and has lost its power."""
    cloud = cloud_with(*servers, timings=timings)
    cloud.power_off("c1")
    if forced_down:
        assert status(cloud.request(UpdateService("c1", forced_down=True))) == 200
    return cloud


def server_in(vm_state: VmState, power: PowerState = PowerState.SHUTDOWN) -> Server:
    return Server("s", "c1", vm_state=vm_state, power_state=power)


def status(reply: object) -> int:
    assert isinstance(reply, Answer | Fault)
    return reply.status


def refusal(reply: object) -> tuple[int, str]:
    assert isinstance(reply, Fault)
    return reply.status, reply.message


def records(cloud: Cloud) -> list[Migration]:
    return list(cloud.nova.migrations.values())


def statuses(cloud: Cloud) -> list[str]:
    return [record.status.value for record in records(cloud)]


def seen(cloud: Cloud, name: str = "s") -> tuple[str, str | None]:
    server = cloud.nova.servers[name]
    return server.status, server.host
