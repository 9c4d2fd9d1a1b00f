"""A draft of the inventory: what is certain is written, what is not is commented and explained."""

import tomllib
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from tests.cloud.cloud_client import Cloud

from ninelives.adapters.nova.views import ServiceRow
from ninelives.adapters.redfish_systems import SystemSeen
from ninelives.app.cli import main
from ninelives.app.config.building import read_configuration
from ninelives.app.discovery import Aggregate, BmcsFound, CloudFound, Hypervisor
from ninelives.app.discovery_draft import Draft, drafted, written
from ninelives.sim.cloud.catalogue import PASSWORD, clouds_yaml

HEAD = 'controllers = ["n1"]\nmode = "observe"\n'


def service(host: str, zone: str = "nova") -> ServiceRow:
    return ServiceRow(
        id=f"id-{host}",
        host=host,
        binary="nova-compute",
        zone=zone,
        is_known=True,
        is_up=True,
        is_disabled=False,
        reason="",
        is_forced_down=False,
        reported_at=None,
    )


def cloud_of(*services: ServiceRow, aggregates: tuple[Aggregate, ...] = ()) -> CloudFound:
    """Each host has one hypervisor of its own name, and an address of its own."""
    hypervisors = {
        each.host: (Hypervisor(each.host, "QEMU", f"10.0.0.{number}"),)
        for number, each in enumerate(services, 1)
    }
    return CloudFound(services, hypervisors, aggregates)


def with_hypervisors(found: CloudFound, host: str, *seen: Hypervisor) -> CloudFound:
    return found._replace(hypervisors={**found.hypervisors, host: seen})


def hosts(draft: Draft) -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads(written(draft, "test")).get("host", [])
    return found


def doubts(draft: Draft) -> dict[str, str]:
    return {each.name: "; ".join(each.doubts) for each in draft.entries if each.doubts}


def test_what_is_certain_is_an_inventory() -> None:
    found = cloud_of(service("c1", "east"), service("c2"))
    bmc = SystemSeen("https://10.9.0.1", "/redfish/v1/Systems/1", "C1", "SN1")

    draft = drafted(found, BmcsFound((bmc,)))

    assert hosts(draft) == [
        {
            "name": "c1",
            "zone": "east",
            "segment": "east",
            "address": {"management": "10.0.0.1"},
            "serial": "SN1",
            "bmc": [{"address": "https://10.9.0.1", "system": "/redfish/v1/Systems/1"}],
        },
        {"name": "c2", "zone": "nova", "address": {"management": "10.0.0.2"}},
    ]
    assert doubts(draft) == {}
    assert "no BMC says that it is this host" in written(draft, "test")


def test_a_segment_is_named_by_one_aggregate_or_by_nobody() -> None:
    east = Aggregate("a", {"ninelives:segment": "east"}, ("c1", "c2"))
    west = Aggregate("b", {"ninelives:segment": "west"}, ("c2",))

    draft = drafted(cloud_of(service("c1"), service("c2"), aggregates=(east, west)), BmcsFound())

    assert [host["segment"] for host in hosts(draft)] == ["east"]
    assert doubts(draft) == {"c2": "its aggregates name several segments: east, west"}


def test_what_fits_two_hosts_is_commented_with_the_reason() -> None:
    found = cloud_of(*(service(f"c{number}") for number in range(1, 8)))
    found = with_hypervisors(found, "c2", Hypervisor("c2", "QEMU", "10.0.0.1"))
    found = with_hypervisors(found, "c3")
    found = with_hypervisors(
        found, "c4", Hypervisor("a", "QEMU", "10.0.1.1"), Hypervisor("b", "QEMU", "10.0.1.2")
    )
    found = with_hypervisors(found, "c5", Hypervisor("node", "ironic", "10.0.1.3"))
    found = with_hypervisors(found, "c6", Hypervisor("c6", "QEMU", "127.0.0.1"))

    draft = drafted(found, BmcsFound())

    assert doubts(draft) == {
        "c1": "the address 10.0.0.1 is another host's, too",
        "c2": "the address 10.0.0.1 is another host's, too",
        "c3": "Nova shows no hypervisor of it",
        "c4": "Nova shows 2 hypervisors of it: a, b",
        "c5": "an Ironic compute: its machines are no hypervisors, and it is never judged",
        "c6": "the address that Nova shows leads nowhere: '127.0.0.1'",
    }
    assert [host["name"] for host in hosts(draft)] == ["c7"]
    assert not draft.is_certain


def test_a_cell_that_did_not_answer_leaves_its_hosts_in_doubt() -> None:
    silent = replace(service("c1"), is_known=False)

    assert "its cell did not answer" in doubts(drafted(cloud_of(silent), BmcsFound()))["c1"]


def test_a_power_device_is_never_guessed() -> None:
    found = cloud_of(service("c1"), service("c2"), service("c3.example.net"))
    said = BmcsFound(
        (
            SystemSeen("https://b1", "/redfish/v1/Systems/1", "c1", "SN1"),
            SystemSeen("https://b2", "/redfish/v1/Systems/1", "c1", "SN2"),
            SystemSeen("https://b3", "/redfish/v1/Systems/1", "c3", "SN3"),
        ),
        {"https://b4": "no answer within 15 s"},
    )

    draft = drafted(found, said)
    text = written(draft, "test")

    assert not any("bmc" in host for host in hosts(draft))
    assert "several BMCs say that they are this host" in text
    assert "gives 'c3': no compute host is called so" in text
    assert "https://b4 did not answer" in text


def test_a_serial_that_two_systems_give_is_nobodys() -> None:
    said = BmcsFound(
        tuple(SystemSeen(f"https://{h}", "/redfish/v1/Systems/1", h, "12345") for h in ("c1", "c2"))
    )

    draft = drafted(cloud_of(service("c1"), service("c2")), said)

    assert not any("serial" in host for host in hosts(draft))
    assert "its serial 12345 is another system's, too" in written(draft, "test")


def test_the_draft_of_a_cloud_is_taken_by_the_configuration(tmp_path: Path, cloud: Cloud) -> None:
    (tmp_path / "clouds.yaml").write_text(clouds_yaml(cloud.url))
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "conf.d").mkdir()
    drafted_at = tmp_path / "conf.d" / "hosts.toml"
    bmcs = [word for host in ("c1", "c2", "c3") for word in ("--bmc", cloud.bmc_url(host))]
    asked = ["--cloud", "stand-in", "--clouds-file", str(tmp_path / "clouds.yaml"), *bmcs]
    asked += ["--bmc-user", "admin", "--bmc-password-file", str(tmp_path / "secret")]

    result = CliRunner().invoke(main, ["inventory", "discover", *asked, "-o", str(drafted_at)])

    assert result.exit_code == 0, result.output
    defaults = '[defaults]\nbmc = { user = "admin", password_file = "secret" }\n'
    (tmp_path / "n.toml").write_text(HEAD + defaults)
    taken = read_configuration(tmp_path / "n.toml", "n1")
    assert sorted(taken.setting.site.hosts) == ["c1", "c2", "c3"]
    assert {site.serial for site in taken.setting.site.hosts.values()} == {
        "SN-c1",
        "SN-c2",
        "SN-c3",
    }
    assert sorted(device.address for device in taken.devices.values()) == sorted(
        cloud.bmc_url(host) for host in ("c1", "c2", "c3")
    )
