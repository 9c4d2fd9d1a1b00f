"""How one action of a durable decision reaches the world, and comes back as events.

    Read       asked at once; what cannot be read is told as unknown, never as down
    Tell       said; safe to repeat
    the rest   read the server ─▶ prove the lease ─▶ last check ─▶ out, with no `await` between

An order without an answer is `UNKNOWN`: it may have happened, or may yet. Only what the last check
turned down certainly did not. This is the one place that catches everything: whatever an adapter
does wrong, the core must hear that the outcome is not known.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar, assert_never

from ninelives.core import actions, events
from ninelives.core.actions import Absolute, Action, Read, Send, Tell
from ninelives.core.cluster import Cluster
from ninelives.core.events import Event, Outcome, Replied
from ninelives.core.lastcheck import is_renewal
from ninelives.core.model import BackendId, HostId, Power, RoadId, ServerId, ServerSeen, WitnessId
from ninelives.engine.errors import Garbled, LeaseLost, PortError, Refused, Unreachable
from ninelives.engine.looks import Looks
from ninelives.engine.office import Office
from ninelives.engine.ports import Answer, Ports

log = logging.getLogger(__name__)

Objection = Callable[[Cluster, Action, float, ServerSeen | None], str]
Report = Callable[[Event], Awaitable[None]]
Value = TypeVar("Value")


class Desk(NamedTuple):
    """What a leader's actions need: the world, the office, its own mind, and who is told."""

    ports: Ports
    office: Office
    cluster: Cluster  # as it is at this instant, not as it was when the action was decided
    objection: Objection
    report: Report
    looks: Looks


class Failure(NamedTuple):
    """Nothing usable came back."""

    outcome: Outcome
    reason: str
    detail: str = ""


async def perform(desk: Desk, action: Action, committed_at: float) -> None:
    """Carry out one action whose decision became durable at `committed_at`; report the answer."""
    if isinstance(action, actions.READS):
        await read(desk, action)
    elif isinstance(action, Tell):
        call = desk.ports.notifier.tell(action.about, action.what, action.epoch, action.detail)
        await desk.report(_reply(action, await _tried(call, desk.cluster.policy.request_timeout_s)))
    else:
        await send(desk, action, committed_at)


# ------------------------------------------------------------------------------------- sending


async def send(desk: Desk, action: Absolute | Send, committed_at: float) -> None:
    """Check for the last time, then let it out, at most once."""
    why = await _last_check(desk, action, committed_at)
    if why:
        await desk.report(Replied(action, Outcome.NOT_SENT, why))
        return
    # Nothing may wait between the check and this call: its first step is taken at once.
    answer = await _tried(_call(desk, action), _timeout_s(desk.cluster, action))
    await desk.report(_reply(action, answer))


async def _last_check(desk: Desk, action: Absolute | Send, committed_at: float) -> str:
    """Return why it must not go out, "" when it may. `LeaseLost` ends the leader."""
    server = _server_of(action)
    seen: ServerSeen | None = None
    if server is not None:
        call = desk.ports.compute.show((server,))
        shown = await _tried(call, desk.cluster.policy.read_timeout_s)
        if isinstance(shown, Failure) or len(shown) != 1 or shown[0].id != server:
            return "unread"
        (seen,) = shown
    why = await desk.office.may_send(committed_at)
    is_disarmed = desk.office.disarmed is not None
    if not why and is_disarmed and not is_renewal(desk.cluster, action):
        # Another controller may have written it a moment ago: our own mind does not know yet. What
        # shuts a host out must not run out while nobody acts; nobody new is shut out.
        why = "disarmed"
    return why or desk.objection(desk.cluster, action, desk.ports.clock.now(), seen)


def _server_of(action: Absolute | Send) -> ServerId | None:
    match action:
        case (
            actions.Evacuate(server=server)
            | actions.ResetState(server=server)
            | actions.StartServer(server=server)
            | actions.HardReboot(server=server)
            | actions.LiveMigrate(server=server)
            | actions.StopServer(server=server)
        ):
            return server
        case _:
            return None


def _call(desk: Desk, action: Absolute | Send) -> Awaitable[Answer]:
    ports = desk.ports
    match action:
        case actions.PowerOff(host=host, road=road):
            return ports.power.switch_off(host, road)
        case actions.PowerOn(host=host):
            return ports.power.switch_on(host)
        case actions.Revoke(host=host, backend=backend):
            return ports.storage.revoke(host, backend)
        case actions.LiftRevocation(host=host, backend=backend):
            return ports.storage.lift(host, backend)
        case actions.StartCompute(host=host, boot=boot):
            return ports.agents.start_compute(host, boot)
        case actions.OpenGate(host=host, boot=boot):
            return ports.agents.open_gate(host, boot)
        case actions.Restart(host=host, service=service):
            return ports.agents.restart(host, service)
        case actions.HandOver(reason=reason):
            return desk.office.hand_over(reason)
        case _:
            return _nova_call(ports, action)


NovaOrder = (
    actions.Disable
    | actions.Enable
    | actions.Reserve
    | actions.ForceDown
    | actions.ForceUp
    | actions.StopServer
    | actions.Evacuate
    | actions.ResetState
    | actions.StartServer
    | actions.HardReboot
    | actions.LiveMigrate
)


def _nova_call(ports: Ports, action: NovaOrder) -> Awaitable[Answer]:
    nova = ports.compute
    match action:
        case actions.Disable(host=host, epoch=epoch):
            return nova.disable(host, epoch)
        case actions.Enable(host=host):
            return nova.enable(host)
        case actions.Reserve(host=host, enabled=enabled):
            return nova.reserve(host, enabled)
        case actions.ForceDown(host=host):
            return nova.force_down(host)
        case actions.ForceUp(host=host):
            return nova.force_up(host)
        case actions.StopServer(server=server):
            return nova.stop(server)
        case actions.Evacuate(server=server, target=target):
            return nova.evacuate(server, target)
        case actions.ResetState(server=server):
            return nova.reset_state(server)
        case actions.StartServer(server=server):
            return nova.start(server)
        case actions.HardReboot(server=server):
            return nova.hard_reboot(server)
        case actions.LiveMigrate(server=server):
            return nova.live_migrate(server)
        case _:
            assert_never(action)


def _timeout_s(cluster: Cluster, action: Absolute | Send) -> float:
    if isinstance(action, actions.PowerOff | actions.PowerOn):
        return cluster.policy_of(action.host).off_timeout_s
    return cluster.policy.request_timeout_s


def _reply(action: Action, answer: Answer | Failure) -> Replied:
    return Replied(action, answer.outcome, answer.reason, answer.detail)


# ------------------------------------------------------------------------------------- reading


async def read(desk: Desk, action: Read) -> None:
    """Look, and tell what was seen. Each device, backend and host is asked beside the others."""
    desk = _in_order(desk)
    ports, report = desk.ports, desk.report
    site = desk.cluster.site.hosts
    match action:
        case actions.ReadPower(host=host):
            roads = site[host].roads
            await _beside(*(_read_power(desk, host, road.id) for road in roads))
        case actions.ReadStorage(host=host):
            await _beside(*(_read_storage(desk, host, each) for each in site[host].backends))
        case actions.AskAttestation(host=host, epoch=epoch):
            said = await _looked(desk, ports.agents.attest(host, epoch))
            if not isinstance(said, Failure):
                await report(events.Attested(host, said))
        case actions.AskPromises(host=host, epoch=epoch):
            witnesses = site[host].witnesses
            await _beside(*(_ask_promise(desk, each, host, epoch) for each in witnesses))
        case actions.LookForDomain():
            await _look_for_domain(desk, action)
        case _:
            await _ask_nova(desk, action)


def _in_order(desk: Desk) -> Desk:
    """Number this question, so that its answer takes nothing back that a later one saw."""
    number, report = desk.looks.ask(), desk.report

    async def told(event: Event) -> None:
        still_said = desk.looks.told(number, event)
        if still_said is not None:
            await report(still_said)

    return desk._replace(report=told)


async def _ask_nova(
    desk: Desk, action: actions.ListServers | actions.Watch | actions.AskTargets
) -> None:
    nova = desk.ports.compute
    match action:
        case actions.ListServers(host=host):
            found = await _listed(desk, nova.list_servers(host))
            servers, is_complete = ((), False) if isinstance(found, Failure) else found
            await desk.report(events.Listed(action, servers, is_complete))
        case actions.Watch(servers=wanted):
            shown = await _listed(desk, nova.show(wanted))
            if not isinstance(shown, Failure):
                await desk.report(events.Watched(action, shown))
        case actions.AskTargets(server=server):
            allowed = await _listed(desk, nova.targets(server))
            if not isinstance(allowed, Failure):
                await desk.report(events.TargetsSeen(action, allowed))
        case _:
            assert_never(action)


async def _read_power(desk: Desk, host: HostId, road: RoadId) -> None:
    seen = await _looked(desk, desk.ports.power.read(host, road))
    power = Power.UNREADABLE if isinstance(seen, Failure) else seen
    await desk.report(events.PowerRead(host, road, power))


async def _read_storage(desk: Desk, host: HostId, backend: BackendId) -> None:
    seen = await _looked(desk, desk.ports.storage.look(host, backend))
    unknown = events.StorageSeen(host, backend, watched=None, revoked=None)
    await desk.report(unknown if isinstance(seen, Failure) else seen)


async def _ask_promise(desk: Desk, witness: WitnessId, host: HostId, epoch: int) -> None:
    if await _looked(desk, desk.ports.agents.promise(witness, host, epoch)) is True:
        await desk.report(events.Promised(witness, host, epoch))


async def _look_for_domain(desk: Desk, action: actions.LookForDomain) -> None:
    present: dict[HostId, bool | None] = {}

    async def look(host: HostId) -> None:
        seen = await _looked(desk, desk.ports.agents.has_domain(host, action.server))
        present[host] = None if isinstance(seen, Failure) else seen

    await _beside(*map(look, action.hosts))
    found = tuple((host, present[host]) for host in action.hosts)
    await desk.report(events.DomainsSeen(action, found))


async def _beside(*looks: Awaitable[None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for look in looks:
            tasks.create_task(_awaited(look))


async def _awaited(look: Awaitable[None]) -> None:
    await look


async def _looked(desk: Desk, call: Awaitable[Value]) -> Value | Failure:
    return await _tried(call, desk.cluster.policy.read_timeout_s)


async def _listed(desk: Desk, call: Awaitable[Value]) -> Value | Failure:
    return await _tried(call, desk.cluster.policy.request_timeout_s)


# ------------------------------------------------------------------------------------ trying


async def _tried(call: Awaitable[Value], timeout_s: float) -> Value | Failure:
    """Await an adapter. Whatever it raises is a failure; cancellation and `LeaseLost` go on."""
    try:
        async with asyncio.timeout(timeout_s):
            return await call
    except LeaseLost:
        raise
    except TimeoutError:
        return Failure(Outcome.UNKNOWN, "timeout")
    except PortError as error:
        # Of a look that failed the core hears only that nothing is known.
        log.info("request.failed", extra={"why": str(error)})
        return _failure_of(error)
    except Exception as error:
        # A bug of an adapter. Its request may have gone out before: nobody knows.
        log.exception("adapter.failed")
        return Failure(Outcome.UNKNOWN, "bug", repr(error))


def _failure_of(error: PortError) -> Failure:
    match error:
        case Refused():
            return Failure(Outcome.REFUSED, "refused", str(error))
        case Unreachable():
            return Failure(Outcome.UNKNOWN, "unreachable", str(error))
        case Garbled():
            return Failure(Outcome.UNKNOWN, "garbled", str(error))
        case _:
            return Failure(Outcome.UNKNOWN, "failed", str(error))
