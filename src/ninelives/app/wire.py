"""From a configuration to a wiring: every port and source, opened together and closed together."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from ninelives.adapters.absent import NoAgents, NoStorage
from ninelives.adapters.probes import Plan, Prober
from ninelives.adapters.probes_views import Target
from ninelives.core.cluster import Cluster
from ninelives.core.decide import decide
from ninelives.core.events import Event
from ninelives.core.invariants import check
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId
from ninelives.core.setting import Setting
from ninelives.engine.loop import Wiring
from ninelives.engine.node import Ready
from ninelives.engine.ports import Ports
from ninelives.engine.writer import Writer

from . import retention, sources, witness
from .cloud import cloud_of
from .config.configuration import Configuration
from .foundation import Foundation, new_holder
from .modes import orders_for
from .notices import Notices
from .pacemaker import cluster_sources
from .power import power_of


@dataclass(frozen=True, slots=True)
class Wired:
    """One wiring, and what has to run beside it."""

    wiring: Wiring
    prober: Prober


@asynccontextmanager
async def wired(base: Foundation, configuration: Configuration) -> AsyncGenerator[Wired]:
    """Open everything that this configuration names."""
    prober = Prober(plan_of(configuration), base.clock.now)
    async with cloud_of(configuration) as cloud, power_of(configuration) as power:
        ports = Ports(
            base.store,
            base.clock,
            base.guard,
            power,
            NoStorage(),
            cloud.compute,
            NoAgents(),
            Notices(configuration.told),
        )
        probes, me = configuration.probes, configuration.me
        base.presence.compute = cloud.compute
        yield Wired(
            Wiring(
                me=me,
                holder=new_holder(me),
                memory=base.memory,
                setting=configuration.setting,
                decide=decide,
                laws=check,
                objection=objection,
                ports=ports,
                open_writer=Writer,
                sources=(
                    partial(sources.presence, base.presence),
                    base.desk.observe,
                    partial(witness.own, me, prober.views, base.clock, probes.every_s / 2),
                    partial(witness.others, me, base.board, base.clock),
                    partial(sources.power_sweep, configuration, power),
                    partial(sources.mapping_sweep, configuration, power),
                    partial(sources.kdump, configuration),
                    partial(
                        retention.kept,
                        base.store,
                        base.store,
                        base.bases,
                        base.clock,
                        configuration.store.journal_days,
                        base.numbers.stored,
                    ),
                    *cloud.sources,
                    *cluster_sources(configuration, base, cloud.reported_at),
                ),
                published=partial(_published, base),
                lease_s=configuration.store.lease_s,
                margin_s=configuration.store.margin_s,
                opening=partial(_opening, base, configuration),
                leave=asyncio.Event(),
            ),
            prober,
        )


def _opening(base: Foundation, configuration: Configuration, cluster: Cluster) -> tuple[Event, ...]:
    base.presence.cluster = cluster
    return orders_for(configuration.modes, cluster.control)


def _published(base: Foundation, ready: Ready) -> None:
    base.numbers.decided(ready)
    base.desk.published(ready)


# --------------------------------------------------------------------------------- probes


def plan_of(configuration: Configuration) -> Plan:
    """Say who is looked at, and how. Pure."""
    probes, setting = configuration.probes, configuration.setting
    hosts = [
        Target(host, plane, address)
        for host, names in configuration.names.items()
        for plane, address in names.addresses.items()
    ]
    references = [
        Target(None, plane, address)
        for plane, addresses in probes.references.items()
        for address in addresses
    ]
    return Plan(
        (*hosts, *references),
        silences(setting),
        setting.policy.silence_s,
        probes.every_s,
        probes.timeout_s,
        uses_icmp=probes.kind != "tcp",
        tcp_port=probes.tcp_port,
        refused_is_life=probes.refused_is_life,
    )


def silences(setting: Setting) -> Mapping[HostId, float]:
    """Say of each host after how long without a sign it is called silent. Pure."""
    own = setting.segment_policies
    return {
        host: own.get(site.segment, setting.policy).silence_s
        for host, site in setting.site.hosts.items()
    }
