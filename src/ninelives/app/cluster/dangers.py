"""What in a configuration would cost servers or shoot the innocent, whoever wrote it. Pure.

Each danger has a name that stays, a reason and a remedy. An error is refused by `build`; a warning
is told. The traps were found by letting the scheduler act on such configurations.
"""

from collections.abc import Callable, Iterator

from ninelives.adapters.pacemaker.cib.pieces import Key, Kind
from ninelives.app.findings import Grade

from .dangers_fencing import of_devices, of_levels, of_serial
from .dangers_found import Danger, Judged
from .declared import AUTOSTART, WAIT_FOR_ALL
from .model import GATE
from .resources import CONTROLLERS, may_run_on_computes, members, properties, remotes, running

BLOCKING = ("NovaCompute", "nova-compute-wait", "compute-wait")
START_MAX_S, CONNECT_MAX_S, CONNECT_GOOD_S, SEEN_GOOD_S = 300, 60, 20, 20
MUST_BE = {
    "concurrent-fencing": ("true", "hosts that die together are fenced one after the other"),
    "startup-fencing": ("true", "a host that was never seen is taken for safely down"),
    "stonith-action": ("off", "a host that is rebooted may be back before its servers have moved"),
    "stonith-enabled": ("true", "nothing is ever fenced, and so nothing may ever be resurrected"),
}


def dangers(judged: Judged) -> tuple[Danger, ...]:
    """Judge what a cluster would be. The errors come first."""
    found = [each for rule in RULES for each in rule(judged)]
    return tuple(sorted(found, key=lambda each: (each.grade is not Grade.ERROR,)))


def _of_properties(judged: Judged) -> Iterator[Danger]:
    found = properties(judged.pieces)
    for name, (value, reason) in MUST_BE.items():
        if found.get(name, "").lower() != value:
            said = found.get(name, "not set")
            yield Danger(
                name, f"{name} is {said}", reason, f"{name}: {value}", path=("properties", name)
            )
    if found.get("no-quorum-policy") == "ignore":
        yield Danger(
            "quorum_ignored",
            "no-quorum-policy is ignore",
            "both halves of a split cluster shoot hosts and start their servers",
            "no-quorum-policy: stop",
            path=("properties", "no-quorum-policy"),
        )
    if found.get("maintenance-mode") == "true":
        what = "the cluster is in maintenance mode"
        yield Danger("maintenance", what, "nothing is watched", "end it", Grade.WARNING)


def _of_two(judged: Judged) -> Iterator[Danger]:
    """Two controllers: who wakes up alone must neither have quorum nor join unasked."""
    found, who = properties(judged.pieces), members(judged.pieces)
    if len(who) == 1:
        what = "one controller alone"
        reason = "a connection to a compute host that breaks cannot be taken over by another"
        yield Danger("one_controller", what, reason, "add two", Grade.WARNING, ("members",))
    if len(who) != 2:
        return
    if found.get(WAIT_FOR_ALL) != "true":
        yield Danger(
            "two_without_wait_for_all",
            "two controllers, and wait_for_all is not declared",
            "one that starts alone has quorum, and shoots the other and every host",
            "set wait_for_all: 1 in corosync.conf, and say `corosync: {wait_for_all: true}`",
            path=("corosync",),
        )
    if found.get(AUTOSTART) != "false":
        yield Danger(
            "two_with_autostart",
            "two controllers, and corosync starts by itself after a fencing",
            "they shoot each other in turns as long as the link between them is broken",
            "systemctl disable corosync pacemaker, and say `corosync: {autostart: false}`",
            path=("corosync",),
        )


def _of_remotes(judged: Judged) -> Iterator[Danger]:
    from .resources import Running

    for name, piece in remotes(judged.pieces).items():
        there = Running(name, name, "", piece)
        path = ("remotes", name)
        limit_s = there.timeout_s("start") or CONNECT_MAX_S + 1
        if limit_s > CONNECT_GOOD_S:
            grade = Grade.ERROR if limit_s > CONNECT_MAX_S else Grade.WARNING
            what = f"connecting to {name} may take {there.timeout_s('start') or 'any'} s"
            reason = "a connection attempt under way holds up the fencing of every other host"
            yield Danger("slow_connect", what, reason, "start_timeout_s: 15", grade, path)
        if judged.pieces.get(Key(Kind.STATE, name, "target-role")):
            what = f"{name} is stopped by its target-role"
            yield Danger(
                "stopped_remote", what, "nobody watches it", "start it", Grade.WARNING, path
            )
        monitor_s = there.timeout_s("monitor")
        if not monitor_s or monitor_s > SEEN_GOOD_S:
            what = f"the death of {name} is noticed late"
            reason = "silence counts only after an interval and a whole timeout"
            remedy = "monitor_interval_s: 5, monitor_timeout_s: 10"
            yield Danger("slow_monitor", what, reason, remedy, Grade.WARNING, path)


def _of_services(judged: Judged) -> Iterator[Danger]:
    gates = {
        piece.get("rsc")
        for piece in judged.pieces.values()
        if piece.tag == "rsc_location"
        for rule in piece.all("rule")
        for each in rule.all("expression")
        if each.get("attribute") == GATE and rule.get("score") == "-INFINITY"
    }
    for each in running(judged.pieces):
        if not may_run_on_computes(judged.pieces, each.top):
            continue
        grade = Grade.ERROR if each.top in judged.ours else Grade.WARNING
        path = ("services", each.top.removesuffix("-clone"))
        if each.stop_failure == "fence":
            what = f"a stop of {each.name} that fails fences its host"
            reason = "a healthy host is shot with all its servers, because one service hung"
            yield Danger("stop_fences", what, reason, "stop_failure: block", grade, path)
        if each.agent.rpartition(":")[2] in BLOCKING or each.timeout_s("start") > START_MAX_S:
            what = f"{each.name} may wait in its start"
            reason = "while it does, the fencing of every other host waits, too"
            remedy = "gated: true, and an agent that only starts"
            yield Danger("blocking_start", what, reason, remedy, Grade.ERROR, path)
        if "nova-compute" in each.agent and each.top not in gates and judged.is_recovered:
            what = f"{each.name} starts on a host that has just come back"
            reason = "it takes new servers, and starts old ones, before the old copies are settled"
            yield Danger("no_gate", what, reason, "gated: true", grade, path)
        if each.top not in judged.ours and not _is_placed(judged, each.top):
            what = f"nothing keeps {each.name} off the compute hosts"
            reason = "Pacemaker runs it anywhere, also on a remote"
            remedy = "give it a location rule for its own nodes"
            yield Danger("stray", what, reason, remedy, Grade.WARNING)


def _is_placed(judged: Judged, top: str) -> bool:
    return any(
        piece.get("rsc") == top for piece in judged.pieces.values() if piece.tag == "rsc_location"
    )


def _of_orders(judged: Judged) -> Iterator[Danger]:
    """A mandatory order stops what comes after when what comes first has nowhere to run."""
    named = {key.name for key in judged.pieces if key.kind is Kind.RESOURCE}
    named |= {each.name for each in running(judged.pieces)}
    for piece in judged.declared.values():
        for end in {piece.get("first"), piece.get("then")} - named - {""}:
            what, reason = f"an order names {end}, which does not exist", "Pacemaker refuses it"
            yield Danger("no_such_resource", what, reason, "see `plan`", path=("orders",))
    evacuators = {each.top for each in running(judged.pieces) if each.agent in CONTROLLERS}
    evacuators |= {each.name for each in running(judged.pieces) if each.agent in CONTROLLERS}
    for piece in judged.pieces.values():
        then, first = piece.get("then"), piece.get("first")
        is_mandatory = piece.get("kind") in {"", "Mandatory"} and piece.get("score") != "0"
        if piece.tag != "rsc_order" or then not in evacuators or not is_mandatory:
            continue
        on_hosts = may_run_on_computes(judged.pieces, first)
        yield Danger(
            "order_stops_controller",
            f"{then} runs only while {first} does",
            "when the last compute host dies, what should bring its servers back is stopped"
            if on_hosts
            else "when that stops, nobody brings servers back",
            "kind: Optional, or no order",
            Grade.ERROR if on_hosts else Grade.WARNING,
            ("orders",),
        )


RULES: tuple[Callable[[Judged], Iterator[Danger]], ...] = (
    _of_properties,
    _of_two,
    of_levels,
    of_devices,
    of_serial,
    _of_remotes,
    _of_services,
    _of_orders,
)
