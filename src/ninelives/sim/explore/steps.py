"""What may happen next, and what it does. One step is one choice with all that it forces.

    send       a request passes its last check, takes effect and is answered (or the answer waits)
    answer     a waiting answer arrives; faults: it is lost, it comes twice, the request comes late
    said       every witness that lives tells of one host's silence, or life
    spawn …    Nova works on an accepted rebuild: it spawns, ends, fails
    wait       time jumps to the next instant at which the leader's mind changes in more than clocks
    a fault    power lost, freeze, wake, switched on, a lying device, a user, a crash, a pause

The leader's wakes inside a wait that change nothing but clocks are no steps of their own: a fault
in between is met by the same mind as one before the wait. Several witnesses telling of one host
are one step: their words meet in independent places and are judged together by the last.
"""

from collections.abc import Callable
from dataclasses import replace

from ninelives.core import events as on
from ninelives.core.model import HostId, ServerId, WitnessId

from . import faults, laws, nova, sends
from .choices import State, Step
from .faults import unsaid, without_power
from .leader import Minds, Scene, told_by, witnesses
from .truth import FAR_S, HOSTS, LONGEST_S, LOOKS_S, POLICY, Truth


def take(state: State, step: Step, minds: Minds) -> Scene | None:
    """Take a step from a state, which stays as it was. None: time cannot pass from here."""
    scene = Scene(state.cluster, state.truth, state.now, minds)
    try:
        if not DOES[step.what](scene, step):
            return None
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        scene.broken.append(laws.Broken("BUG", "core", f"{type(error).__name__}: {error}"))
    scene.broken.extend(laws.of_truth(scene.truth))
    return scene


def _said(scene: Scene, step: Step) -> bool:
    name = HostId(step.about)
    host = scene.truth.host(name)
    assert host.unsaid_since is not None
    if not host.true_boot and not _until(scene, host.unsaid_since + POLICY.silence_s):
        return False
    host = scene.truth.host(name)
    was_told = host.power.is_heard
    told = replace(host, said_boot=host.true_boot, unsaid_since=None, alive_told=was_told)
    scene.truth = scene.truth.with_host(told)
    news: list[on.Event] = [told_by(scene.truth, w, (name,)) for w in witnesses(scene.truth)]
    if host.power.is_heard:  # it sees again itself, and what it missed meant nothing
        news.append(told_by(scene.truth, WitnessId(name), HOSTS, was_frozen=True))
    scene.tell(*news)
    return True


def _until(scene: Scene, when: float) -> bool:
    """Let the leader live on to an instant. False: something must happen before it."""
    if when > _limit(scene.truth):
        return False
    while (due := min(scene.cluster.wakes.values(), default=FAR_S)) < when:
        scene.now = max(due, scene.now)
        scene.tell()
        if scene.truth.in_hand:
            return False  # it wants to act before: that comes first
    scene.now = max(when, scene.now)
    return True


def _limit(truth: Truth) -> float:
    """Return how far time may jump: answers time out, devices act, witnesses tell in time."""
    told = POLICY.silence_s + LOOKS_S
    dues = [answer.due for answer in truth.answers]
    dues += [host.cut_due for host in truth.hosts if host.cut_due is not None]
    dues += [h.unsaid_since + told for h in truth.hosts if h.unsaid_since is not None]
    return min(dues, default=FAR_S)


def _wait(scene: Scene, _step: Step) -> bool:
    look = scene.minds.keys.skeleton
    before, began = look(scene.cluster), scene.now
    limit = min(_limit(scene.truth), began + LONGEST_S)
    while True:
        due = min(scene.cluster.wakes.values(), default=FAR_S)
        expires = min((late.due for late in scene.truth.late), default=FAR_S)
        if min(due, expires) > limit:
            return False
        scene.now = max(scene.now, min(due, expires))
        if expires <= scene.now:
            _expire(scene)
            return True
        scene.tell()
        if scene.truth.in_hand or scene.broken or look(scene.cluster) != before:
            scene.said.insert(0, f"+{scene.now - began:g} s")
            return True


def _expire(scene: Scene) -> None:
    late = tuple(late for late in scene.truth.late if late.due > scene.now)
    scene.truth = replace(scene.truth, late=late)
    scene.tell()


def _cut(scene: Scene, step: Step) -> bool:
    scene.truth = without_power(scene.truth, HostId(step.about), scene.now)
    return True


def _booted(scene: Scene, step: Step) -> bool:
    host = replace(scene.truth.host(HostId(step.about)), condition="booted")
    scene.truth = scene.truth.with_host(unsaid(host, scene.now))
    return True


def _rebuild(scene: Scene, step: Step) -> bool:
    name = ServerId(step.about)
    if step.what in ("spawn", "rebuild"):
        scene.truth = nova.spawn(scene.truth, name, step.number)
    if step.what in ("finish", "rebuild"):
        scene.broken.extend(laws.of_truth(scene.truth))
        scene.truth = nova.finish(scene.truth, name, step.number)
    if step.what == "fail":
        scene.count_fault()
        scene.truth = nova.fail(scene.truth, name, step.number)
    return True


DOES: dict[str, Callable[[Scene, Step], bool]] = {
    "send": sends.send,
    "send, answer waits": sends.send,
    "send, answer lost": sends.send,
    "send, acted on late": sends.send,
    "answer": sends.answer,
    "answer, and again": sends.answer,
    "said": _said,
    "cut": _cut,
    "booted": _booted,
    "late": sends.late,
    "spawn": _rebuild,
    "finish": _rebuild,
    "rebuild": _rebuild,
    "fail": _rebuild,
    "wait": _wait,
    "power lost": faults.of_condition,
    "freeze": faults.of_condition,
    "wake": faults.of_condition,
    "switch on": faults.of_condition,
    "lie": faults.of_condition,
    "stop": faults.user,
    "delete": faults.user,
    "crash": faults.crash,
    "pause": faults.pause,
}
