"""`fence_ninelives`: told by Pacemaker that a host was fenced, it records that and returns.

    stdin or arguments ──▶ action ──▶ 0 done, or on · 2 off (status alone) · 1 failed

The interface is that of ClusterLabs' fence agents. Called as `fence_compute` it is in that mode.
"""

import os
import sys
import time

from .options import BRAKE, COMPUTE, MODES, OPTIONS
from .reading import SUPPLIED, Given, from_arguments, from_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DONE, FAILED, OFF = 0, 1, 2
NAME_BYTES_MAX = 255
DISABLED = frozenset({"2", "disabled"})  # of record_only


def main() -> int:
    """Do one action. Metadata comes first: it must work where nothing else does."""
    agent = os.path.basename(sys.argv[0])
    try:
        given = from_arguments(sys.argv[1:]) if len(sys.argv) > 1 else from_lines(sys.stdin)
    except ValueError as error:
        return failed(f"{error}; --help shows the options")
    if agent == COMPUTE and "mode" not in given.values:
        given = Given({**given.values, "mode": COMPUTE}, given.warnings)
    action = given.value("action").lower()
    if action in ("metadata", "meta-data"):
        from .metadata import metadata

        print(metadata(agent))
        return DONE
    if given.flag("help") or given.flag("version"):
        return shown(agent, given)
    for warning in given.warnings:
        complain(given, warning)
    wrong = first_wrong(given)
    if wrong:
        return failed(wrong)
    act = ACTIONS.get(action)
    return act(given) if act is not None else failed(f"unrecognised action {action!r}")


def shown(agent: str, given: Given) -> int:
    from .metadata import usage

    if given.flag("version"):
        from importlib.metadata import version

        print(f"{agent} of ninelives {version('ninelives')}")
        return DONE
    print(f"Usage: {agent} [options], or name=value lines on stdin")
    for option in OPTIONS:
        print(f"  {usage(option):36} {'' if option.is_used else '(unused) '}{option.words}")
    return DONE


def first_wrong(given: Given) -> str:
    """Say what is wrong with the options, "" for nothing. Pure."""
    if given.value("mode") not in MODES:
        return f"mode is {given.value('mode')!r}: one of {', '.join(MODES)}"
    for name in (node_of(given), nova_name(given)):
        if not is_name(name):
            return f"{name!r} is no name of a host"
    if not given.value("attribute") or not is_name(given.value("attribute")):
        return "attribute is no name"
    return ""


def is_name(name: str) -> bool:
    """Say that a name cannot be taken for an option, nor for two words of a record. Pure."""
    is_plain = name.isprintable() and " " not in name
    return is_plain and not name.startswith("-") and len(name.encode()) <= NAME_BYTES_MAX


# ------------------------------------------------------------------------------------ actions


def off(given: Given) -> int:
    node = node_of(given)
    if not node:
        return failed("nobody named: Pacemaker gives port, plug or nodename")
    if given.value("mode") == BRAKE:
        return braked(given, node)
    from . import record

    wall, by = time.time(), f"{os.uname().nodename}/{os.getpid()}"
    action, attribute = given.value("action").lower(), given.value("attribute")
    call = record.Call(node, nova_name(given), action, wall, by, attribute)
    log_to_file(given, call.line)
    said = record.set_attribute(node, attribute, call.value)
    call.is_in_cib = said.is_done
    where = f"attribute {attribute}"
    if not said.is_done:
        complain(given, f"not in the CIB: {said.words}")
        try:
            where = record.spooled(call, given.value("spool"))
        except OSError as error:
            return failed(f"recorded nowhere: {said.words}; {given.value('spool')}: {error}")
    if given.value("mode") == COMPUTE:
        flag(given, call.host)
    silence = record.told(call, given.value("hint_socket"))
    if silence:
        complain(given, f"the controller here was not told: {silence}")
    print(f"Success: {node} recorded, {where}")
    return DONE


def flag(given: Given, host: str) -> None:
    """Set what old tools read. It is beside the record: where it fails, the record stands."""
    from .record import set_evacuate

    if given.value("record_only").lower() in DISABLED:
        complain(given, f"evacuate of {host} not set: record_only is {given.value('record_only')}")
        return
    said = set_evacuate(host)
    if not said.is_done:
        complain(given, f"evacuate of {host} not set: {said.words}")


def braked(given: Given, node: str) -> int:
    from .brake import asked

    answer = asked(node, given.value("socket"))
    if answer.held:
        return failed(f"the storm brake holds: {answer.held}")
    if answer.nobody:
        complain(given, f"nobody could be asked, so it passes: {answer.nobody}")
    print(f"Success: no storm brake holds {node}")
    return DONE


def on(given: Given) -> int:
    """Let a host be unfenced: its gate is opened by whoever leads it back, and by nobody here."""
    del given
    print("Success: nothing to do")
    return DONE


def status(given: Given) -> int:
    node = node_of(given)
    if given.value("mode") == BRAKE or not node:
        print("Status: ON")
        return DONE
    from .record import read_attribute

    said, value = read_attribute(node, given.value("attribute"))
    if not said.is_done:
        return failed(f"the CIB cannot be read: {said.words}")
    print(f"Status: OFF ({value})" if value else "Status: ON")
    return OFF if value else DONE


def listed(given: Given) -> int:
    from .nodes import covered

    found = covered(given.value("attribute"), given.value("mode") == BRAKE)
    if isinstance(found, str):
        return failed(found)
    separator, with_status = given.value("separator"), given.value("action") == "list-status"
    for node, is_recorded in sorted(found.items()):
        state = (separator + ("OFF" if is_recorded else "ON")) if with_status else ""
        print(f"{node}{separator}{state}")
    return DONE


def monitor(given: Given) -> int:
    """Say whether an `off` could be recorded now. Changes nothing."""
    from .programs import ask

    said = ask(["crm_attribute", "--version"])
    spool = given.value("spool")
    around = spool if os.path.isdir(spool) else os.path.dirname(spool)
    if said.is_done or os.access(around, os.W_OK | os.X_OK):
        return DONE
    return failed(f"an off could be recorded nowhere: {said.words}; {spool} cannot be written")


def validated(given: Given) -> int:
    del given  # whatever is wrong was found before
    print("Success: the options are valid")
    return DONE


ACTIONS: "Mapping[str, Callable[[Given], int]]" = {
    "off": off,
    "reboot": off,  # nobody is offered it; who asks nevertheless wants the host's end recorded
    "on": on,
    "status": status,
    "list": listed,
    "list-status": listed,
    "monitor": monitor,
    "validate-all": validated,
}


# ------------------------------------------------------------------------------------- names


def node_of(given: Given) -> str:
    """Pacemaker's own name of the host. `port` may be another one, by pcmk_host_map. Pure."""
    return given.values.get(SUPPLIED) or given.value("plug")


def nova_name(given: Given) -> str:
    """Nova's name of the host, by the rule of fence_compute: short name and domain. Pure."""
    plug = given.value("plug") or node_of(given)
    domains = [given.values[name] for name in ("domain", "compute_domain") if name in given.values]
    if not domains:
        return plug
    short, domain = plug.partition(".")[0], domains[0].strip(".")
    return f"{short}.{domain}" if domain else short


# -------------------------------------------------------------------------------------- words


def failed(message: str) -> int:
    print(message, file=sys.stderr)
    return FAILED


def complain(given: Given, message: str) -> None:
    if not given.flag("quiet"):
        print(message, file=sys.stderr)


def log_to_file(given: Given, line: bytes) -> None:
    path = given.value("debug_file")
    if not path:
        return
    try:
        with open(path, "ab") as file:
            file.write(line)
    except OSError as error:
        complain(given, f"{path}: {error.strerror}")
