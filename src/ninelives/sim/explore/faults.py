"""What breaks, and what other people do meanwhile. Each is counted, but what our own off does."""

from dataclasses import replace

from ninelives.core.model import HostId, ServerId

from . import nova
from .choices import Step
from .leader import Scene, begins
from .truth import CONTROLLERS, PAUSE_S, TAKE_OVER_S, Host, Truth


def of_condition(scene: Scene, step: Step) -> bool:
    scene.count_fault()
    name = HostId(step.about)
    match step.what:
        case "power lost":
            scene.truth = without_power(scene.truth, name, scene.now)
        case "switch on":
            scene.truth = switched_on(scene.truth, name, scene.now)
        case "lie":
            host = replace(scene.truth.host(name), lies_off=True)
            scene.truth = scene.truth.with_host(host)
        case _:
            condition = "frozen" if step.what == "freeze" else "running"
            host = replace(scene.truth.host(name), condition=condition)
            scene.truth = scene.truth.with_host(unsaid(host, scene.now))
    return True


def unsaid(host: Host, now: float) -> Host:
    """Note whether the witnesses have something new to tell of a host."""
    if host.said_boot == host.true_boot:
        return replace(host, unsaid_since=None, alive_told=host.power.is_heard)
    since = host.unsaid_since if host.unsaid_since is not None else now
    return replace(host, unsaid_since=since, alive_told=False)


def without_power(truth: Truth, name: HostId, now: float) -> Truth:
    host = replace(
        truth.host(name), condition="off", cut_due=None, lies_off=False, was_attested=False
    )
    truth = truth.with_host(unsaid(host, now))
    for server in truth.servers:
        if name in server.runs_on:
            truth = truth.with_server(replace(server, runs_on=server.runs_on - {name}))
    return truth


def switched_on(truth: Truth, name: HostId, now: float) -> Truth:
    host = truth.host(name)
    host = replace(host, condition="booting", boots=host.boots + 1, on_since=now)
    return truth.with_host(replace(host, was_attested=False))


def user(scene: Scene, step: Step) -> bool:
    scene.count_fault()
    acts = nova.user_stops if step.what == "stop" else nova.user_deletes
    scene.truth = acts(scene.truth, ServerId(step.about))
    return True


def crash(scene: Scene, _step: Step) -> bool:
    """What was in hand was never sent; answers find nobody; the standby waits for the lease."""
    scene.count_fault()
    scene.now += TAKE_OVER_S
    truth = scene.truth
    hosts = tuple(
        replace(h, said_boot=h.true_boot, unsaid_since=None, alive_told=h.power.is_heard)
        for h in truth.hosts
    )
    other = next(name for name in CONTROLLERS if name != truth.leader)
    late = tuple(late for late in truth.late if late.due > scene.now)
    scene.truth = replace(
        truth,
        hosts=hosts,
        leader=other,
        term=truth.term + 1,
        in_hand=(),
        answers=(),
        late=late,
        leader_changes=truth.leader_changes + 1,
        owes_fault=False,
    )
    begins(scene)
    return True


def pause(scene: Scene, _step: Step) -> bool:
    scene.count_fault()
    scene.now += PAUSE_S
    scene.truth = replace(scene.truth, owes_fault=True)
    return True
