"""Read the YAML of a cluster: text, then shape, then sense; each complaint has its line.

my-cloud.yaml ──▶ Text ──▶ Cluster ──▶ what each refers to exists, and stands there once
"""

import difflib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ninelives.app.config.reading import complained, dotted
from ninelives.engine.errors import ConfigError

from .devices import named
from .model import ROLE_ATTRIBUTES, Cluster, Device, Member, Remote
from .yaml_lines import Text, Value, Where, read_text

HINT = "docs/reference/cluster.md describes every key"
SHAPE = TypeAdapter(Cluster)
TAKES_ADDRESS = frozenset({"ipmi", "redfish", "libvirt"})


def read_cluster(file: Path) -> tuple[Cluster, Text]:
    """Read a file. Raises `ConfigError` that names everything that is wrong."""
    text = read_text(file)
    return cluster_of(text), text


def cluster_of(text: Text) -> Cluster:
    """Turn a text into the cluster that it describes. Raises `ConfigError`."""
    value = text.value
    if isinstance(value, dict):
        value = {key: each for key, each in value.items() if key != "unmanaged"}  # of an export
    try:
        cluster = SHAPE.validate_python(_without_empty(value))
    except ValidationError as error:
        wrong = [_complaint(text, each) for each in error.errors(include_input=False)]
        raise _complained(wrong) from error
    if senseless := [*_senseless(cluster)]:
        raise _complained([(f"{text.place(path)}: {what}", hint) for path, what, hint in senseless])
    return cluster


def _without_empty(value: Value) -> Value:
    """Take `stonith:` with nothing behind it for what is left out."""
    match value:
        case dict():
            return {key: _without_empty(each) for key, each in value.items() if each != ""}
        case list():
            return [_without_empty(each) for each in value]
        case str():
            return value


def _complained(wrong: list[tuple[str, str]]) -> ConfigError:
    error = complained(wrong)
    error.hint = next((hint for _, hint in wrong if hint), HINT)
    return error


def _complaint(text: Text, error: ErrorDetails) -> tuple[str, str]:
    path = tuple(part for part in error["loc"] if part != "[key]")
    place, name = text.place(path), dotted(path)
    match error["type"]:
        case "unexpected_keyword_argument":
            known = _known_keys(path)
            close = difflib.get_close_matches(str(path[-1]), known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known here: {' '.join(known)}"
            return f"{place}: unknown key '{name}'", hint
        case "missing":
            return f"{place}: '{name}' is missing", ""
        case "dataclass_type":
            return f"{place}: {name or 'the file'}: a table of keys belongs here", ""
        case _:
            return f"{place}: {name}: {error['msg'].removeprefix('Value error, ')}", ""


def _known_keys(path: Where) -> list[str]:
    """List the keys that may stand beside the last of `path`."""
    shape: object = Cluster
    for part in path[:-1]:
        hints = get_type_hints(shape) if isinstance(shape, type) else {}
        if isinstance(part, str) and part in hints:
            shape = _inner(hints[part]) or shape
    return sorted(each.name for each in fields(shape)) if is_dataclass(shape) else []


def _inner(annotation: object) -> object:
    """Find the shape inside `tuple[Shape, ...]` or `Mapping[str, Shape]`."""
    if is_dataclass(annotation):
        return annotation
    inside = get_args(annotation)
    return next((found for each in inside if (found := _inner(each)) is not None), None)


# ---------------------------------------------------------------------------------------- sense


def _senseless(cluster: Cluster) -> Iterator[tuple[Where, str, str]]:
    """Yield what cannot be meant: path, what, hint."""
    yield from _numbers(cluster)
    yield from _names_twice(cluster)
    for group, nodes in (("members", cluster.members), ("remotes", cluster.remotes)):
        for name, node in nodes.items():
            yield from _of_node((group, name), node)
    for name, service in cluster.services.items():
        if len(service.resources) == 1 and service.resources[0].name != name:
            hint = f"call it {service.resources[0].name}"
            yield ("services", name), "a service of one resource has that resource's name", hint


def _numbers(cluster: Cluster) -> Iterator[tuple[Where, str, str]]:
    seen = dict[int, str]()
    for index, (name, member) in enumerate(cluster.members.items(), start=1):
        number = member.id or index
        if number in seen:
            yield ("members", name), f"{name} has the id of {seen[number]}", "see corosync.conf"
        seen[number] = name


def _names_twice(cluster: Cluster) -> Iterator[tuple[Where, str, str]]:
    seen = dict[str, Where]()
    for path, name in _names(cluster):
        if name in seen:
            where = dotted(seen[name])
            yield path, f"the name {name} is taken by {where}", "the cluster tells both by it"
        seen.setdefault(name, path)


def _names(cluster: Cluster) -> Iterator[tuple[Where, str]]:
    yield from ((("members", name), name) for name in cluster.members)
    yield from ((("remotes", name), name) for name in cluster.remotes)
    for group, nodes in (("members", cluster.members), ("remotes", cluster.remotes)):
        for name, node in nodes.items():
            for index, device in enumerate(named(name, node.stonith)):
                yield (group, name, "stonith", index), device.name
    for name, service in cluster.services.items():
        if len(service.resources) > 1:
            yield ("services", name), name
        for index, resource in enumerate(service.resources):
            yield ("services", name, "resources", index), resource.name
            if len(service.resources) == 1:
                yield ("services", name), f"{name}-clone"
        if len(service.resources) > 1:
            yield ("services", name), f"{name}-clone"
    ours = cluster.ninelives
    if ours.enabled:
        yield ("ninelives", "controller"), ours.controller.name
        yield ("ninelives", "controller"), f"{ours.controller.name}-clone"
    yield ("ninelives", "fencing"), ours.fencing.name
    if ours.brake:
        yield ("ninelives", "brake"), ours.brake


def _of_node(path: Where, node: Member | Remote) -> Iterator[tuple[Where, str, str]]:
    for name in ROLE_ATTRIBUTES:
        if name in node.attributes:
            yield (*path, "attributes", name), f"{name} is the node's role", "say `role: …`"
    for index, device in enumerate(node.stonith):
        yield from _of_device((*path, "stonith", index), device)


def _of_device(path: Where, device: Device) -> Iterator[tuple[Where, str, str]]:
    if (device.mode == "agent") != bool(device.agent):
        what = "`agent` belongs to the mode agent, and the mode agent to an `agent`"
        yield path, what, "mode: agent, agent: fence_apc"
    if device.mode in TAKES_ADDRESS and not device.address:
        yield path, f"a device of the mode {device.mode} needs an address", "address: 10.0.0.1"
    if device.mode == "redfish" and not device.system and "systems_uri" not in device.options:
        # Without it the agent takes the last system that it finds (find_systems_resource).
        what = "without `system` it would switch whichever system comes last"
        yield path, what, "system: /redfish/v1/Systems/1"
    if device.mode == "sbd" and "devices" not in device.options:
        yield path, "sbd needs its disks", "options: {devices: /dev/disk/by-id/…}"
    if device.password_file and device.password_script:
        yield path, "one of password_file and password_script", "leave one of them out"
