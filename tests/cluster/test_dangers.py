"""Each trap is refused by its name, with a reason; the cluster of the documents has none."""

from collections.abc import Callable

import pytest
from tests.cluster.clouds import GOOD, cib_of, cluster

from ninelives.adapters.pacemaker.cib.pieces import pieces_of
from ninelives.adapters.pacemaker.cib.tree import parsed
from ninelives.app.cluster.dangers import dangers
from ninelives.app.cluster.dangers_found import Danger, Judged
from ninelives.app.cluster.declared import pieces_from
from ninelives.app.findings import Grade

TWO = GOOD.replace(GOOD[GOOD.index("  ctl3:") : GOOD.index("remotes:")], "")


def found(text: str, change: Callable[[str], str] = str) -> dict[str, Danger]:
    declared = pieces_from(cluster(text))
    pieces = pieces_of(parsed(change(cib_of(declared))))
    return {each.name: each for each in dangers(Judged(pieces, declared))}


def errors(text: str, change: Callable[[str], str] = str) -> set[str]:
    return {name for name, each in found(text, change).items() if each.grade is Grade.ERROR}


def test_the_cluster_of_the_documents_is_safe() -> None:
    assert found(GOOD) == {}


@pytest.mark.parametrize(
    ("added", "name"),
    [
        ("properties: {no-quorum-policy: ignore}", "quorum_ignored"),
        ("properties: {concurrent-fencing: unset}", "concurrent-fencing"),
        ("properties: {stonith-enabled: false}", "stonith-enabled"),
        ("properties: {stonith-action: reboot}", "stonith-action"),
        ("properties: {startup-fencing: false}", "startup-fencing"),
    ],
)
def test_a_property_that_undoes_the_safety_is_refused(added: str, name: str) -> None:
    assert errors(f"{GOOD}{added}\n") == {name}


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("stop_timeout_s: 300", "stop_failure: fence", "stop_fences"),
        ("stop_timeout_s: 300", "start_timeout_s: 600", "blocking_start"),
        ('"systemd:nova-compute"', '"ocf:openstack:NovaCompute"', "blocking_start"),
        ("gated: true", "gated: false", "no_gate"),
        ("agent: fence_apc", "agent: fence_dummy", "no_power_device"),
        ("address: 10.77.1.103", "address: 10.77.2.101", "shared_wire"),
        ("controller-clone}", "controller-clone, kind: Mandatory}", "order_stops_controller"),
        ("first: compute-clone", "first: compute", "no_such_resource"),
        ("    server: cmp2", "    start_timeout_s: 90\n    server: cmp2", "slow_connect"),
        (
            "orders:",
            "ninelives: {fencing: {options: {pcmk_action_limit: 1}}}\norders:",
            "serial_fencing",
        ),
        (
            "      - {mode: ipmi, address: 10.77.1.103, user: admin, "
            "password_file: /etc/ninelives/secrets/cmp3}",
            "      []",
            "unfenceable",
        ),
    ],
)
def test_each_trap_is_refused_by_its_name(old: str, new: str, name: str) -> None:
    assert old in GOOD

    assert errors(GOOD.replace(old, new, 1)) == {name}


def test_two_controllers_must_wait_for_each_other_and_not_start_by_themselves() -> None:
    both = {"two_without_wait_for_all", "two_with_autostart"}

    assert errors(TWO) == both
    assert errors(f"{TWO}corosync: {{wait_for_all: true}}\n") == {"two_with_autostart"}
    assert errors(f"{TWO}corosync: {{wait_for_all: true, autostart: false}}\n") == set()


def test_ninelives_is_told_only_when_the_power_is_off() -> None:
    def swapped(cib: str) -> str:
        return cib.replace("ipmi-cmp3,fence-ninelives", "fence-ninelives,ipmi-cmp3")

    assert errors(GOOD, swapped) == {"told_before_off"}


def test_a_level_that_names_no_device_is_refused() -> None:
    def misspelt(cib: str) -> str:
        return cib.replace("ipmi-cmp3,fence-ninelives", "impi-cmp3,fence-ninelives")

    assert errors(GOOD, misspelt) == {"no_such_device", "no_power_device"}


def test_what_others_built_is_judged_too_and_only_warned_of() -> None:
    def foreign(cib: str) -> str:
        return cib.replace(
            "</resources>",
            '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></resources>',
        )

    assert errors(GOOD, foreign) == set()
    assert found(GOOD, foreign).keys() == {"stray", "stop_fences"}


def test_the_switch_of_a_lab_is_called_one() -> None:
    lab = GOOD.replace("{mode: ipmi, address: 10.77.1.103", "{mode: libvirt, address: 10.77.1.103")

    assert found(lab)["lab_only"].grade is Grade.WARNING


def test_the_brake_may_stand_before_the_power_device() -> None:
    assert found(f"{GOOD}ninelives: {{brake: fence-brake}}\n") == {}
