"""From the shape of the file to what everything is made of: sense checked, secrets read."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as File

from pydantic import BaseModel

from ninelives.core.model import BackendId, HostId, RoadId, SegmentId, WitnessId
from ninelives.core.policy import PRESETS, Policy
from ninelives.core.protection import Promise, Rule
from ninelives.core.setting import Setting
from ninelives.engine.errors import ConfigError

from . import document
from .configuration import (
    CloudAt,
    Configuration,
    Device,
    Modes,
    ProbePlan,
    Roles,
    Secret,
    StoreAt,
    Told,
)
from .inventory import Complaint, complaints, names_of, road_id, site_of
from .lines import Path
from .reading import complained, read_file

SECRET_BYTES_MAX = 4096
NEEDS: Mapping[str, tuple[str, ...]] = {  # what a receiver of this kind cannot be without
    "webhook": ("url",),
    "alertmanager": ("url",),
    "command": ("command",),
    "smtp": ("server", "sender", "to"),
}

ROUNDS_HEARD = 2  # of probes, within a silence


def read_configuration(path: File, name: str | None = None) -> Configuration:
    """Read the configuration of the controller `name`: all of it, or `ConfigError`."""
    file, places = read_file(path)
    found = [*complaints(file), *_complaints(file)]
    if found:
        raise complained((f"{places.place(at)}: {what}", hint) for at, what, hint in found)

    def read_secret(at: Path, source: document.SecretSource) -> Secret:
        try:
            return _secret(path.parent, source)
        except ConfigError as error:
            where = places.place(at)
            raise ConfigError(f"{where}: {Exception.__str__(error)}", error.hint) from error

    return _built(_absolute(file, path.parent), _who(file, name), read_secret)


def read_place(path: File) -> tuple[str, File]:
    """Read only where the store is, and this machine's own memory: for whoever disarms in haste."""
    file, _ = read_file(path)
    at = _absolute(file, path.parent)
    password = _secret(path.parent, at.store)
    store = _store_at(at, password)
    return store.whole_url, at.state


def _store_at(file: document.File, password: Secret) -> StoreAt:
    at = file.store
    return StoreAt(at.url, password, at.lease_s, at.margin_s, at.journal_days)


def _absolute(file: document.File, folder: File) -> document.File:
    """Let every path of the file begin where the file is. Pure."""

    def at(model: BaseModel, *names: str) -> dict[str, File | None]:
        paths: list[File | None] = [getattr(model, name) for name in names]
        return {n: path and folder / path for n, path in zip(names, paths, strict=True)}

    def host(each: document.Host) -> document.Host:
        devices = [device.model_copy(update=at(device, "ca_file")) for device in each.bmc]
        return each.model_copy(update={"bmc": devices})

    cloud = file.cloud.model_copy(update=at(file.cloud, "clouds_file"))
    changed = {**at(file, "state", "socket"), "cloud": cloud, "host": [*map(host, file.host)]}
    return file.model_copy(update=changed)


ReadSecret = Callable[[Path, document.SecretSource], Secret]


def _who(file: document.File, name: str | None) -> WitnessId:
    me = name or file.name or socket.gethostname()
    if me not in file.controllers:
        hint = f"controllers are: {' '.join(file.controllers)}; say which with `name` or --name"
        raise ConfigError(f"'{me}' is none of the controllers", hint)
    return WitnessId(me)


def _built(file: document.File, me: WitnessId, read_secret: ReadSecret) -> Configuration:
    return Configuration(
        me=me,
        state=file.state,
        socket=file.socket,
        socket_group=file.socket_group,
        roles=Roles(
            frozenset(file.operators), None if file.viewers is None else frozenset(file.viewers)
        ),
        log=file.log,
        listen=(file.http.address, file.http.port),
        store=_store_at(file, read_secret(("store",), file.store)),
        cloud=CloudAt(**file.cloud.model_dump()),
        probes=ProbePlan(
            **file.probes.model_dump(exclude={"references"}),
            references={plane: tuple(seen) for plane, seen in file.probes.references.items()},
        ),
        pacemaker_every_s=file.pacemaker.every_s if file.pacemaker.watch else None,
        modes=_modes(file),
        setting=setting_of(file),
        names={HostId(host.name): names_of(host) for host in file.host},
        devices=dict(_devices(file, read_secret)),
        shared=frozenset(BackendId(name) for name, each in file.storage.items() if each.shared),
        told=tuple(_told(file, read_secret)),
    )


# --------------------------------------------------------------------------------- the setting


def setting_of(file: document.File) -> Setting:
    """Return what decisions rest on. Pure: the same in every controller of one configuration."""
    rules = tuple(
        Rule(_promise(rule, rule.name), tuple((key, text) for key, text in rule.match.items()))
        for rule in file.rule
    )
    protected = replace(Policy(), rules=rules, default=_promise(file.promise, "default"))
    everywhere = _policy(protected, file.policy)
    own = {
        SegmentId(name): _policy(everywhere, each.policy)
        for name, each in file.segment.items()
        if each.policy.model_fields_set
    }
    return Setting(site_of(file), everywhere, own)


def _policy(before: Policy, numbers: document.PolicyNumbers) -> Policy:
    """Change the numbers that are given; a preset, if one is named, comes first."""
    if numbers.preset is not None:
        before = replace(PRESETS[numbers.preset], rules=before.rules, default=before.default)
    given = _given(numbers, "preset")
    return replace(before, **given)  # type: ignore[arg-type]  # the model has its types


def _promise(fields: document.PromiseFields, name: str) -> Promise:
    given = _given(fields, "name", "match")
    return replace(Promise(name), **given)  # type: ignore[arg-type]  # the model has its types


def _given(model: BaseModel, *but: str) -> Mapping[str, float]:
    """Return the fields that somebody wrote. Their types were checked by the model."""
    return model.model_dump(exclude_unset=True, exclude=set(but))


def _modes(file: document.File) -> Modes:
    own = {SegmentId(name): each.mode for name, each in file.segment.items() if each.mode}
    return Modes(file.mode, own)


# --------------------------------------------------------------------------------- the rest


def _devices(file: document.File, read_secret: ReadSecret) -> Iterator[tuple[RoadId, Device]]:
    for index, host in enumerate(file.host):
        for number, each in enumerate(host.bmc):
            road = road_id(host, number)
            yield (
                road,
                Device(
                    road,
                    HostId(host.name),
                    each.kind,
                    each.address,
                    each.user or "",
                    read_secret(("host", index, "bmc", number), each),
                    each.system,
                    each.ca_file,
                    each.fingerprint,
                    each.insecure,
                    {key: str(value) for key, value in each.options.items()},
                    each.cluster_device or "",
                ),
            )


def _told(file: document.File, read_secret: ReadSecret) -> Iterator[Told]:
    for index, each in enumerate(file.notify):
        yield Told(
            each.name,
            each.kind,
            each.url,
            tuple(each.command),
            each.server,
            each.user or "",
            read_secret(("notify", index), each),
            each.sender,
            tuple(each.to),
            each.timeout_s,
        )


def _secret(beside: File, source: document.SecretSource) -> Secret:
    """Read a password from its file or its variable; none is given: none is needed."""
    if source.password_file is not None and source.password_env is not None:
        raise ConfigError("a password in a file and in the environment", "give one of them")
    if source.password_env is not None:
        found = os.environ.get(source.password_env)
        if found is None:
            raise ConfigError(f"${source.password_env} is not set", "set it, or name a file")
        return Secret(found)
    if source.password_file is None:
        return Secret()
    return Secret(_first_line(beside / source.password_file))


def _first_line(path: File) -> str:
    try:
        with path.open() as file:
            return file.readline(SECRET_BYTES_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "is it there, and ours?") from error


def _complaints(file: document.File) -> Iterator[Complaint]:
    """Yield what makes no sense about everything but hosts. Pure."""
    segments = {host.segment for host in file.host}
    for name in sorted(set(file.segment) - segments):
        hint = f"segments with hosts: {' '.join(sorted(segments))}"
        yield ("segment", name), f"no host is in the segment '{name}'", hint
    if "@" in file.store.url and ":" in file.store.url.partition("://")[2].partition("@")[0]:
        hint = "leave it out there, and give password_file or password_env"
        yield ("store", "url"), "a password in a URL would be shown", hint
    if file.store.margin_s * 2 >= file.store.lease_s:
        yield ("store", "margin_s"), "the margin is less than half of the lease", ""
    for index, each in enumerate(file.notify):
        for key in NEEDS[each.kind]:
            if not getattr(each, key):
                what = f"'{each.name}' is a {each.kind}, and has no {key}"
                yield ("notify", index), what, ""
    setting = setting_of(file)
    for at, policy in (
        (("policy",), setting.policy),
        *((("segment", name, "policy"), each) for name, each in setting.segment_policies.items()),
    ):
        if policy.silence_s < ROUNDS_HEARD * file.probes.every_s:
            what = "silence_s is short: one lost probe, each every_s, would be a silence"
            yield (*at, "silence_s"), what, f"at least {ROUNDS_HEARD * file.probes.every_s:g}"
        if policy.nova_settle_s <= policy.request_timeout_s:
            # A send whose answer is late must not be taken for one that was never made.
            what = "nova_settle_s is longer than every timeout on the way: request_timeout_s"
            yield (*at, "nova_settle_s"), what, "the preset's 300 s fit most clouds"
