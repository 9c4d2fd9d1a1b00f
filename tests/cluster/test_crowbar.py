"""A batch of Crowbar becomes a cluster, with a report in which nothing is passed over."""

from pathlib import Path

import pytest
from tests.cluster.clouds import cluster

from ninelives.app.cluster.crowbar import Fate, Line, imported
from ninelives.app.cluster.dangers import dangers
from ninelives.app.cluster.dangers_found import Judged
from ninelives.app.cluster.declared import pieces_from
from ninelives.app.cluster.model import Cluster
from ninelives.app.cluster.writing import yaml_of
from ninelives.app.cluster.yaml_lines import text_of
from ninelives.engine.errors import ConfigError

BATCH = """\
proposals:
- barclamp: nova
  name: default
  attributes:
    use_migration: true
  deployment:
    elements:
      nova-controller: [ "cluster:services" ]
      nova-compute-kvm: [ "remotes:services", "@@lonely@@" ]
      ec2-api: []
- barclamp: pacemaker
  name: services
  attributes:
    stonith:
      mode: per_node
      sbd: {nodes: {}}
      per_node:
        agent: fence_ipmilan
        nodes:
          "@@controller1@@": {params: 'ip=10.1.0.1 username=root password=secret1 lanplus=1'}
          "@@controller2@@": {params: 'ip=10.1.0.2 username=root password=secret2'}
          "@@compute1@@": {params: 'ip=10.1.0.11 username="root" password="a b"'}
          "@@compute2@@": {params: 'ip=10.1.0.12 username=root password=secret4'}
    crm: {no_quorum_policy: ignore, other: 1}
    drbd: {enabled: false}
  deployment:
    elements:
      hawk-server: [ "@@controller1@@", "@@controller2@@" ]
      pacemaker-cluster-member: [ "@@controller1@@", "@@controller2@@" ]
      pacemaker-remote: [ "@@compute1@@", "@@compute2@@" ]
- barclamp: glance
  name: default
"""


def taken(batch: str = BATCH) -> tuple[Cluster, tuple[Line, ...]]:
    return imported(text_of(batch, Path("batch.yaml")))


def test_nodes_roles_and_power_devices_are_taken() -> None:
    found, _ = taken()

    assert [*found.members] == ["controller1", "controller2"]
    assert [*found.remotes] == ["compute1", "compute2"]
    assert {node.role for node in found.remotes.values()} == {"compute"}
    device = found.remotes["compute1"].stonith[0]
    assert (device.mode, device.address, device.user) == ("ipmi", "10.1.0.11", "root")
    assert device.password_file == "/etc/ninelives/secrets/compute1"
    assert found.services["compute"].gated


def test_no_secret_of_the_batch_is_written_anywhere() -> None:
    found, report = taken()

    everything = yaml_of(found) + str(report)
    assert [word for word in ("secret1", "secret2", "a b", "secret4") if word in everything] == []


def test_the_report_names_every_part_of_the_batch() -> None:
    _, report = taken()
    paths = {".".join(map(str, line.path)) for line in report}
    fates = {line.path[-1]: line.fate for line in report if line.path}

    assert fates["hawk-server"] is Fate.MEANINGLESS
    assert fates["drbd"] is Fate.MEANINGLESS
    assert fates["use_migration"] is Fate.MEANINGLESS
    assert fates["no_quorum_policy"] is Fate.TO_DECIDE
    assert fates["@@compute1@@"] is Fate.TO_DECIDE
    assert fates["pacemaker-remote"] is Fate.TAKEN
    assert fates["nova-compute-kvm"] is Fate.TAKEN
    assert "proposals.2" in paths


def test_what_was_unsafe_there_is_refused_here() -> None:
    found, _ = taken()
    declared = pieces_from(found)

    assert {each.name for each in dangers(Judged(declared, declared))} == {"quorum_ignored"}
    assert cluster(yaml_of(found)) == found


@pytest.mark.parametrize(
    ("mode", "words", "fate"),
    [
        ("{mode: libvirt, libvirt: {hypervisor_ip: 10.0.0.1}}", "for a lab alone", Fate.TO_DECIDE),
        ("{mode: manual}", "manual: name power devices", Fate.TO_DECIDE),
        ("{mode: ipmi_barclamp}", "write each of them", Fate.TO_DECIDE),
        (
            '{mode: sbd, sbd: {nodes: {"@@controller1@@": {devices: [/dev/sdb]}}}}',
            "sbd on /dev/sdb",
            Fate.TAKEN,
        ),
    ],
)
def test_each_mode_of_stonith_is_taken_or_asked_about(mode: str, words: str, fate: Fate) -> None:
    start, end = BATCH.index("    stonith:"), BATCH.index("    crm:")
    batch = f"{BATCH[:start]}    stonith: {mode}\n{BATCH[end:]}"

    found, report = taken(batch)

    assert [line.fate for line in report if words in line.words] == [fate]
    assert cluster(yaml_of(found)) == found


def test_another_file_is_no_batch() -> None:
    with pytest.raises(ConfigError, match="no batch of Crowbar"):
        taken("members: {}")
