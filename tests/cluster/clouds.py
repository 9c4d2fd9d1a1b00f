"""Clusters for tests: one as in the documents, and any that the file can say."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from ninelives.adapters.pacemaker.cib.changes import changed, differences
from ninelives.adapters.pacemaker.cib.pieces import Pieces, pieces_of
from ninelives.adapters.pacemaker.cib.tree import frozen, parsed_tree, written
from ninelives.app.cluster.devices import Mode
from ninelives.app.cluster.model import (
    UNSET,
    Alert,
    Cluster,
    Corosync,
    Device,
    Fencing,
    Member,
    Ninelives,
    Order,
    Remote,
    Resource,
    Service,
)
from ninelives.app.cluster.reading import cluster_of
from ninelives.app.cluster.yaml_lines import text_of

EMPTY = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0"
 admin_epoch="0"><configuration><crm_config/><nodes/><resources/><constraints/></configuration>
 <status/></cib>"""

GOOD = """\
members:
  ctl1: {role: controller, stonith: [{mode: ipmi, address: 10.77.1.11, user: admin, password_file: /etc/ninelives/secrets/ctl1}]}
  ctl2: {role: controller, stonith: [{mode: ipmi, address: 10.77.1.12, user: admin, password_file: /etc/ninelives/secrets/ctl2}]}
  ctl3: {role: controller, stonith: [{mode: ipmi, address: 10.77.1.13, user: admin, password_file: /etc/ninelives/secrets/ctl3}]}
remotes:
  cmp1:
    server: cmp1.example.com
    nova: cmp1.example.com
    role: compute
    stonith:
      - {mode: redfish, address: 10.77.1.101, system: /redfish/v1/Systems/1, user: admin, password_file: /etc/ninelives/secrets/cmp1}
      - {mode: ipmi, address: 10.77.2.101, user: admin, password_file: /etc/ninelives/secrets/cmp1}
  cmp2:
    server: cmp2.example.com
    nova: cmp2.example.com
    role: compute
    stonith:
      - {mode: agent, agent: fence_apc, address: 10.77.1.9, plug: "7", user: admin, password_file: /etc/ninelives/secrets/pdu}
  cmp3:
    role: compute
    stonith:
      - {mode: ipmi, address: 10.77.1.103, user: admin, password_file: /etc/ninelives/secrets/cmp3}
services:
  compute:
    role: compute
    gated: true
    resources:
      - {name: libvirtd, agent: "systemd:libvirtd"}
      - {name: nova-compute, agent: "systemd:nova-compute", stop_timeout_s: 300}
  neutron-openvswitch-agent:
    role: compute
    resources:
      - {name: neutron-openvswitch-agent, agent: "systemd:neutron-openvswitch-agent"}
orders:
  - {first: compute-clone, then: ninelives-controller-clone}
alerts:
  told: {path: /usr/lib/example/alert, recipients: [/run/example]}
"""  # noqa: E501 - as an operator writes it


def cluster(text: str = GOOD) -> Cluster:
    """Read a cluster from the words of its file."""
    return cluster_of(text_of(text, Path("my-cloud.yaml")))


def cib_of(pieces: Pieces, live: str = EMPTY) -> str:
    """Write the CIB that has these pieces, made of another one."""
    tree = parsed_tree(live)
    return written(changed(tree, differences(pieces_of(frozen(tree)), pieces, ())))


# ------------------------------------------------------------------------------ any cluster

WORD = st.text("abcdefgxyz019", min_size=1, max_size=6)
LINE = st.text("abz01 -_./:;'\"\\$&<>äé", max_size=12).map(str.strip)
OPTION = st.sampled_from(["alpha", "beta-gamma", "delta_epsilon", "zeta"])
OPTIONS = st.dictionaries(OPTION, LINE.filter(lambda text: text not in {"", UNSET}), max_size=2)
SECONDS = st.integers(0, 900)
SECRET_FILE = st.sampled_from(["", "/etc/ninelives/secrets/one", "/root/two"])


PLUGS = st.sampled_from(["", "7", "rack:2"])
AGENTS = st.sampled_from(["fence_apc", "external/riloe"])
MODES: tuple[Mode, ...] = ("ipmi", "redfish", "libvirt", "agent", "sbd")


@st.composite
def devices(draw: st.DrawFn) -> tuple[Device, ...]:
    """Draw the devices of one node, in the order of their levels."""
    found = list[Device]()
    for _ in range(draw(st.integers(0, 3))):
        mode = draw(st.sampled_from(MODES))
        options: Mapping[str, str] = draw(OPTIONS)
        if mode == "sbd":
            options = {**options, "devices": "/dev/disk/by-id/shared"}
        found.append(
            Device(
                mode=mode,
                agent=draw(AGENTS) if mode == "agent" else "",
                address=draw(WORD),
                user=draw(WORD),
                password_file=draw(SECRET_FILE),
                system="/redfish/v1/Systems/1" if mode == "redfish" else "",
                plug=draw(PLUGS),
                off_timeout_s=draw(SECONDS),
                monitor_interval_s=draw(SECONDS),
                options=dict(sorted(options.items())),
                meta=dict(sorted(draw(OPTIONS).items())),
            )
        )
    return tuple(found)


ATTRIBUTES = OPTIONS.map(lambda each: dict(sorted(each.items())))
ROLES = st.sampled_from(["", "compute", "controller", "network"])
RESOURCES = st.builds(
    Resource,
    name=st.just("placeholder"),
    agent=st.sampled_from(["systemd:one@1", "ocf:heartbeat:Dummy", "service:two"]),
    options=OPTIONS,
    meta=OPTIONS,
    start_timeout_s=SECONDS,
    stop_timeout_s=SECONDS,
    stop_failure=st.sampled_from(["block", "fence"]),
    monitor_interval_s=SECONDS,
    tries=st.integers(0, 9),
    forget_s=SECONDS,
)


@st.composite
def services(draw: st.DrawFn) -> dict[str, Service]:
    found = dict[str, Service]()
    for index in range(draw(st.integers(0, 3))):
        drawn = draw(st.lists(RESOURCES, min_size=1, max_size=3))
        resources = tuple(replace(each, name=f"s{index}-{i}") for i, each in enumerate(drawn))
        name = f"s{index}" if len(drawn) > 1 else f"s{index}-0"
        found[name] = Service(resources, draw(ROLES), draw(st.booleans()))
    return found


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    """Draw a cluster, written out as an export would write it."""
    members = {
        f"ctl{number}": Member(number, draw(ROLES), draw(ATTRIBUTES), draw(devices()))
        for number in range(1, draw(st.integers(1, 4)) + 1)
    }
    remotes = {f"cmp{number}": draw(remote()) for number in range(1, draw(st.integers(0, 4)) + 1)}
    served = any(each.recover and each.stonith for each in remotes.values())
    fencing = Fencing(monitor_interval_s=draw(SECONDS), off_timeout_s=draw(SECONDS))
    return Cluster(
        members=members,
        remotes=remotes,
        corosync=draw(st.none() | st.builds(Corosync, st.booleans(), st.booleans())),
        properties=draw(
            st.dictionaries(
                st.sampled_from(["batch-limit", "stonith-timeout", "no-quorum-policy"]),
                st.sampled_from([UNSET, "7", "ignore", "31s"]).filter(lambda each: each != "7"),
            ).map(
                lambda each: {
                    k: v for k, v in sorted(each.items()) if (k, v) != ("batch-limit", UNSET)
                }
            )
        ),
        defaults=draw(st.sampled_from([{}, {"resource-stickiness": UNSET}, {"priority": "1"}])),
        services=draw(services()),
        orders=tuple(draw(st.lists(st.just(Order("cmp1", "ctl1", "Mandatory", True)), max_size=1))),
        alerts=draw(st.sampled_from([{}, {"told": Alert("/bin/true", ("a", "b"))}])),
        ninelives=Ninelives(
            enabled=draw(st.booleans()),
            brake=draw(st.sampled_from([None, "fence-brake"])) if served else None,
            fencing=fencing if served else Fencing(),
        ),
    )


@st.composite
def remote(draw: st.DrawFn) -> Remote:
    stonith = draw(devices())
    recover = draw(st.booleans()) if stonith else True
    return Remote(
        server=draw(st.sampled_from(["", "10.0.0.1", "cmp.example.com"])),
        nova=draw(st.sampled_from(["", "c.example.com"])) if recover and stonith else "",
        role=draw(ROLES),
        recover=recover,
        monitor_interval_s=draw(SECONDS),
        start_timeout_s=draw(SECONDS),
        stop_timeout_s=draw(SECONDS),
        reconnect_interval_s=draw(SECONDS),
        attributes=draw(ATTRIBUTES),
        stonith=stonith,
        options=dict(sorted(draw(OPTIONS).items())),
        meta=draw(ATTRIBUTES),
    )
