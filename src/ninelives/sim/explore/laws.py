"""The laws, judged against the truth by code of their own: what `decide` believes does not count.

    I1   one writer per server                     I13  epochs never go back, and go up by one
    I2   no move while another copy can write      I15  nobody resurrected against the user's will
    I3   no move off a host that came on again     I16  one move in flight
    I5   no fence of a host without a class        LC   what the last check must have refused
    I6   no fence of a host that we know alive     BUG  an assert of the core trips, or it spins
    I10  terms never go back

"BUG" stands beside the numbers of SAFETY 9: a broken assertion is not a decision that one judges.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.model import HostId, ServerId, VmState

from .truth import POLICY, Host, Truth

SEND = do.Evacuate | do.StartServer | do.HardReboot
DEAD_HOST_STATES = (at.Fencing, at.Fenced, at.Evacuating, at.Vacated)
MAY_BE_SHOT = frozenset(
    {
        at.Class.DEAD_OR_FROZEN,
        at.Class.DEAD_POWER,
        at.Class.DEAD_PANIC,
        at.Class.HUNG,
        at.Class.SINGLE_PLANE,
        at.Class.ISOLATED,
        at.Class.ORDERED,
    }
)


class Broken(NamedTuple):
    """One law, whom it is about, and what happened."""

    law: str
    about: str
    what: str


def of_truth(truth: Truth) -> Iterator[Broken]:
    """Judge who can write. A frozen host can: it may wake."""
    for server in truth.servers:
        writers = [name for name in sorted(server.runs_on) if truth.host(name).power.is_on]
        if len(writers) > 1:
            yield Broken("I1", server.id, f"runs on {' and '.join(writers)}")


def of_decision(before: Cluster, truth: Truth, decision: Decision) -> Iterator[Broken]:
    """Judge the counters of a decision, before it is adopted."""
    for name, host in decision.hosts.items():
        known = before.hosts.get(name)
        was = known.epoch if known is not None else 0
        if not was <= host.epoch <= was + 1:
            yield Broken("I13", name, f"epoch {was} became {host.epoch}")
    if decision.views is not None and decision.views.term != truth.term:
        yield Broken("I10", truth.leader, f"term {decision.views.term} in term {truth.term}")


def of_send(truth: Truth, cluster: Cluster, action: do.Action, now: float) -> Iterator[Broken]:
    """Judge a request in the instant in which it really leaves."""
    match action:
        case do.PowerOff():
            yield from _of_shot(truth, cluster, action)
        case do.Evacuate(server=server, source=source, target=target):
            yield from _of_move(truth, server, source, target, now)
            yield from _of_will(truth, action)
            yield from _of_flight(truth, action)
        case do.StartServer() | do.HardReboot():
            yield from _of_copies(truth, action.server, action.host)
            yield from _of_will(truth, action)
            yield from _of_flight(truth, action)
        case do.ForceDown(host=host) if truth.host(host).power.is_heard:
            if truth.host(host).condition == "running":
                yield Broken("I2", host, "told to Nova as down while it runs")
        case _:
            pass


def _of_shot(truth: Truth, cluster: Cluster, off: do.PowerOff) -> Iterator[Broken]:
    record, host = cluster.hosts[off.host], truth.host(off.host)
    cls = getattr(record.state, "cls", None)
    if not isinstance(record.state, DEAD_HOST_STATES) or (
        cls is not None and cls not in MAY_BE_SHOT
    ):
        yield Broken("I5", off.host, f"shot as {type(record.state).__name__} {cls or ''}".rstrip())
    if host.condition == "booted" and host.was_attested:
        yield Broken("I5", off.host, "shot although a new boot waits behind its gate")
    if record.epoch != off.epoch:
        yield Broken("I13", off.host, f"shot for epoch {off.epoch} in epoch {record.epoch}")
    if host.condition == "running" and host.alive_told:
        yield Broken("I6", off.host, "shot although it lives and we were told so")


def _of_move(
    truth: Truth, name: ServerId, source: HostId, target: HostId, now: float
) -> Iterator[Broken]:
    server, host = truth.server(name), truth.host(source)
    if server.host != source:
        yield Broken("LC", name, f"evacuated from {source}, and is on {server.host}")
    yield from _of_copies(truth, name, target)
    if _is_back_unattested(host, now):
        yield Broken("I3", name, f"moved while {source} was switched on, unattested")


def _is_back_unattested(host: Host, now: float) -> bool:
    """A proof about power stands for as long as one fresh read of "off" may be trusted."""
    is_back = host.condition in ("booting", "booted") and not host.was_attested
    return is_back and now > host.on_since + POLICY.proof_fresh_s


def _of_copies(truth: Truth, name: ServerId, target: HostId) -> Iterator[Broken]:
    for host in sorted(truth.server(name).runs_on - {target}):
        if truth.host(host).power.is_on:
            yield Broken("I2", name, f"sent to {target} while it can write on {host}")


def _of_will(truth: Truth, action: SEND) -> Iterator[Broken]:
    server = truth.server(action.server)
    is_leaving = server.vm_state is VmState.DELETED or server.task_state == "deleting"
    if is_leaving or server.user_action == "delete":
        yield Broken("I15", server.id, "sent although its user deleted it")
    elif server.user_action == "stop" and not isinstance(action, do.Evacuate):
        yield Broken("I15", server.id, "started although its user stopped it")


def _of_flight(truth: Truth, action: SEND) -> Iterator[Broken]:
    name = action.server
    unanswered = [answer.reply.action for answer in truth.answers if not answer.is_again]
    out = [*unanswered, *(late.action for late in truth.late)]
    if any(isinstance(other, SEND) and other.server == name for other in out):
        yield Broken("I16", name, "sent while an earlier send has no answer")
    for entry in truth.server(name).records:
        dead = entry.target is not None and truth.host(entry.target).condition == "off"
        if not entry.is_final and not dead:
            yield Broken("I16", name, f"sent while record {entry.id} is {entry.status}")
