"""The cloud as the configuration names it: the port `Compute`, and the sources that watch Nova."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ninelives.adapters.nova.clouds import Cloud
from ninelives.adapters.nova.clouds import cloud_of as cloud_named
from ninelives.adapters.nova.compute import NovaCompute, Site
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.views import Names
from ninelives.adapters.nova.watch import NovaWatch, Watched
from ninelives.adapters.nova.wire import HttpWire, context_of
from ninelives.core.model import LOCAL, BackendId, HostId, ServerId
from ninelives.core.setting import Setting
from ninelives.engine.loop import Source

from .config.configuration import CloudAt, Configuration


@dataclass(frozen=True, slots=True)
class CloudSeen:
    """Nova, asked and watched."""

    compute: NovaCompute
    sources: tuple[Source, ...]
    reported_at: Callable[[HostId], float | None]  # when a host was last seen to report to Nova


@asynccontextmanager
async def cloud_of(configuration: Configuration) -> AsyncGenerator[CloudSeen]:
    """Open the way to the cloud; nothing is asked of it yet."""
    cloud = named(configuration.cloud)
    tls = context_of(cloud.verify, cloud.cacert, cloud.cert, cloud.key)
    wire = HttpWire(tls)
    nova = NovaCompute(wire, KeystoneIdentity(cloud), site_of(configuration))
    try:
        site = configuration.setting.site
        watched = Watched(site.agentless, partial(record_silence_s, configuration.setting))
        watch = NovaWatch(nova.services, nova.identity, wire, site_of(configuration).names, watched)
        yield CloudSeen(nova, (watch.observe,), watch.reported_at)
    finally:
        await nova.close()


def record_silence_s(setting: Setting, host: HostId) -> float:
    """Say for how long a record that stands still is a sign of life of `host`. Pure.

    Nova may know hosts that the inventory does not: they are of no segment.
    """
    site = setting.site.hosts.get(host)
    policy = setting.segment_policies.get(site.segment) if site is not None else None
    return (policy or setting.policy).record_silence_s


def named(at: CloudAt) -> Cloud:
    """Find the entry that is meant, as every OpenStack client does. Raises `ConfigError`."""
    environment = dict(os.environ)
    if at.clouds_file is not None:
        environment["OS_CLIENT_CONFIG_FILE"] = str(at.clouds_file)
    found = cloud_named(at.name, environment, Path.cwd())
    return replace(found, region=at.region) if at.region is not None else found


def site_of(configuration: Configuration) -> Site:
    """Say what the inventory knows and Nova does not. Pure."""
    names = {host: each.nova for host, each in configuration.names.items()}
    disks = {host: each.instances for host, each in configuration.names.items()}

    def disk_of(host: HostId | None) -> BackendId:
        return disks.get(host, LOCAL) if host is not None else LOCAL

    def sees_disk(host: HostId, server: ServerId) -> bool:
        del server  # on shared storage everybody's disk is there
        return disk_of(host) in configuration.shared

    return Site(Names(names), frozenset(names), disk_of, configuration.cloud.volumes, sees_disk)
