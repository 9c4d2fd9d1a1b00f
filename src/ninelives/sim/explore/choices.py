"""What may happen next, from any state: everything that is not forced, and every fault."""

from collections.abc import Iterator
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Cluster
from ninelives.core.model import VmState

from . import nova
from .truth import Server, Truth


class State(NamedTuple):
    """The leader's mind and the truth at one instant."""

    cluster: Cluster
    truth: Truth
    now: float


class Step(NamedTuple):
    """One choice: what happens, to whom, and to which of several."""

    what: str
    about: str = ""
    number: int = 0

    def __str__(self) -> str:
        """Say it in a few words."""
        words = WORDS.get(self.what, self.what)
        return words.format(about=self.about)


WORDS = {
    "send": "{about}: sent and answered",
    "send, answer waits": "{about}: sent, the answer is on its way",
    "send, answer lost": "{about}: sent, the answer is lost",
    "send, acted on late": "{about}: sent, acted upon late",
    "answer": "the answer to {about} arrives",
    "answer, and again": "the answer to {about} arrives, and will come again",
    "said": "the witnesses tell how {about} looks",
    "cut": "the device of {about} carries out its off at last",
    "booted": "{about} has booted, its gate is closed",
    "late": "{about} is acted upon late",
    "spawn": "Nova spawns {about} on its target",
    "finish": "Nova ends the rebuild of {about}",
    "rebuild": "Nova rebuilds {about} on its target",
    "fail": "the rebuild of {about} fails",
    "wait": "time passes",
    "power lost": "power is lost on {about}",
    "freeze": "{about} freezes",
    "wake": "{about} wakes up",
    "switch on": "somebody switches {about} on",
    "lie": "the device of {about} will say off once",
    "stop": "its user stops {about}",
    "delete": "its user deletes {about}",
    "crash": "the leader crashes, the other controller takes over",
    "pause": "the leader stands still before its last check",
}


def possible(state: State, faults_max: int) -> Iterator[Step]:
    """Yield every step from here. Whether time can pass is seen when it is tried."""
    truth = state.truth
    may_fail = truth.faults < faults_max
    for number, action in enumerate(truth.in_hand):
        yield from _sends(action, number, may_fail)
    for number, answer in enumerate(truth.answers):
        about = _name(answer.reply.action)
        yield Step("answer", about, number)
        if may_fail and not answer.is_again:
            yield Step("answer, and again", about, number)
    yield from _of_hosts(truth)
    yield from _of_nova(truth, may_fail)
    if not truth.in_hand:
        yield Step("wait")
    if may_fail:
        yield from _faults(state)


def _name(action: do.Action) -> str:
    about = getattr(action, "server", None) or getattr(action, "host", "")
    return f"{type(action).__name__} {about}".rstrip()


def _sends(action: do.Action, number: int, may_fail: bool) -> Iterator[Step]:
    name = _name(action)
    yield Step("send", name, number)
    yield Step("send, answer waits", name, number)
    if may_fail:
        yield Step("send, answer lost", name, number)
        if isinstance(action, do.PowerOff | do.Evacuate):
            yield Step("send, acted on late", name, number)


def _of_hosts(truth: Truth) -> Iterator[Step]:
    for host in truth.hosts:
        if host.unsaid_since is not None and (host.true_boot or not truth.in_hand):
            yield Step("said", host.id)
        if host.cut_due is not None:
            yield Step("cut", host.id)
        if host.condition == "booting":
            yield Step("booted", host.id)


def _of_nova(truth: Truth, may_fail: bool) -> Iterator[Step]:
    for number, late in enumerate(truth.late):
        yield Step("late", _name(late.action), number)
    for server in truth.servers:
        for entry in server.records:
            if entry.is_final or entry.target is None or not nova.is_up(truth.host(entry.target)):
                continue
            if entry.status == "accepted":
                yield Step("spawn", server.id, entry.id)
                yield Step("rebuild", server.id, entry.id)
            elif entry.target in server.runs_on:
                yield Step("finish", server.id, entry.id)
            if may_fail:
                yield Step("fail", server.id, entry.id)


def _faults(state: State) -> Iterator[Step]:
    truth = state.truth
    for host in truth.hosts:
        for what in FAULTS_OF[host.condition]:
            yield Step(what, host.id)
        is_read = not isinstance(state.cluster.hosts[host.id].state, at.Healthy | at.Unknown)
        if is_read and host.power.is_on and not host.lies_off:
            yield Step("lie", host.id)
    for server in truth.servers:
        if _may_meet_its_user(state, server):
            yield Step("delete", server.id)
            if server.task_state is None and server.vm_state is VmState.ACTIVE:
                yield Step("stop", server.id)
    if not truth.leader_changes:
        yield Step("crash")
    if truth.in_hand and not truth.owes_fault:
        yield Step("pause")


def _may_meet_its_user(state: State, server: Server) -> bool:
    """Say whether its user may stop or delete it now: once a path, and on a living host at once.

    While the host of a server that never moved is up, in its first boot, nobody but its user has
    touched the server, and the core, which lists dead hosts alone, has not seen it. So its user's
    act there could as well have been the first step of all: such paths are as long, and end in the
    same state.
    """
    if server.user_action or server.vm_state is VmState.DELETED:
        return False
    host = state.truth.host(server.host)
    is_untouched = not server.records and host.boots == 1 and nova.is_up(host)
    return not is_untouched or _is_beginning(state)


def _is_beginning(state: State) -> bool:
    """Say whether users alone have acted so far."""
    truth = state.truth
    acted = sum(bool(server.user_action) for server in truth.servers)
    return truth.faults == acted


FAULTS_OF = {
    "running": ("power lost", "freeze"),
    "frozen": ("power lost", "wake"),
    "off": ("switch on",),
    "booting": ("power lost",),
    "booted": ("power lost",),
}
