"""Performing what was decided: the last check, the effect, and what becomes of the answer."""

from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on

from . import laws, nova
from .choices import Step
from .faults import switched_on, without_power
from .leader import Scene
from .truth import FAR_S, POLICY, Answer, Late, shown


def send(scene: Scene, step: Step) -> bool:
    """Renew the lease, read the server again, ask the last check; then the request leaves."""
    action = scene.truth.in_hand[step.number]
    left = tuple(a for number, a in enumerate(scene.truth.in_hand) if number != step.number)
    scene.truth = replace(scene.truth, in_hand=left)
    server = getattr(action, "server", None)
    seen = shown(scene.truth.server(server)) if server is not None else None
    refusal = scene.minds.rules.objection(scene.cluster, action, scene.now, seen)
    if refusal:
        if step.what != "send":
            return False
        scene.said.append(f"not sent: {refusal}")
        scene.tell(on.Replied(action, on.Outcome.NOT_SENT, refusal))
        return True
    scene.broken.extend(laws.of_send(scene.truth, scene.cluster, action, scene.now))
    _leaves(scene, action, step.what)
    return True


def _leaves(scene: Scene, action: do.Action, how: str) -> None:
    timeout = POLICY.off_timeout_s if isinstance(action, do.PowerOff) else POLICY.request_timeout_s
    if how == "send, acted on late":
        scene.count_fault()
        _delay(scene, action)
        return
    scene.truth, (outcome, reason) = _effect(scene, action)
    reply = on.Replied(action, outcome, reason)
    match how:
        case "send":
            scene.tell(reply)
        case "send, answer waits":
            answer = Answer(reply, scene.now + timeout)
            scene.truth = replace(scene.truth, answers=(*scene.truth.answers, answer))
        case _:
            scene.count_fault()
            scene.tell(on.Replied(action, on.Outcome.UNKNOWN, "timeout"))


def _delay(scene: Scene, action: do.Action) -> None:
    """A device says yes and acts later; an API's caller gives up and the request goes on."""
    match action:
        case do.PowerOff(host=name) if scene.truth.host(name).power.is_on:
            due = scene.now + POLICY.off_late_s
            host = replace(scene.truth.host(name), cut_due=due)
            scene.truth = scene.truth.with_host(host)
            scene.tell(on.Replied(action, on.Outcome.DONE))
        case _:
            late = Late(action, scene.now + POLICY.nova_settle_s)
            scene.truth = replace(scene.truth, late=(*scene.truth.late, late))
            scene.tell(on.Replied(action, on.Outcome.UNKNOWN, "timeout"))


def _effect(scene: Scene, action: do.Action) -> nova.Result:
    truth = scene.truth
    match action:
        case do.PowerOff(host=host) if truth.host(host).power.is_on:
            return without_power(truth, host, scene.now), nova.DONE
        case do.PowerOff():
            return nova.refused(truth, "already_off")
        case do.PowerOn(host=host) if not truth.host(host).power.is_on:
            return switched_on(truth, host, scene.now), nova.DONE
        case do.Evacuate():
            return nova.evacuate(truth, action)
        case do.StartServer():
            return nova.start(truth, action)
        case do.StopServer():
            return nova.stop(truth, action)
        case do.HardReboot():
            return nova.hard_reboot(truth, action)
        case _:
            return nova.refused(truth, "bad_state")


def answer(scene: Scene, step: Step) -> bool:
    answers = scene.truth.answers
    answer = answers[step.number]
    left = tuple(a for number, a in enumerate(answers) if number != step.number)
    if step.what != "answer":
        scene.count_fault()
        left = (*left, replace(answer, is_again=True, due=FAR_S))
    scene.truth = replace(scene.truth, answers=left)
    scene.tell(answer.reply)
    return True


def late(scene: Scene, step: Step) -> bool:
    """A request that its sender has given up takes effect; its answer finds nobody."""
    arrived = scene.truth.late[step.number]
    left = tuple(late for number, late in enumerate(scene.truth.late) if number != step.number)
    scene.truth = replace(scene.truth, late=left)
    scene.truth, _ = _effect(scene, arrived.action)
    return True
