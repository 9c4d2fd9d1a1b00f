"""The doctor finds today what would go wrong on the day when it counts."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.app.conftest import Configured
from tests.cloud.cloud_client import Cloud

from ninelives.app.cli import main
from ninelives.app.demo_site import written
from ninelives.app.doctor import Care, Examined, examined
from ninelives.app.findings import Grade
from ninelives.core.model import HostId

Ill = Callable[..., Examined]


@pytest.fixture
def examine(configured: Configured) -> Ill:
    def examine_with(*changes: tuple[str, str]) -> Examined:
        return asyncio.run(examined(configured(*changes)))

    return examine_with


def errors(found: Examined) -> dict[str, str]:
    return {each.about: each.what for each in found.findings if each.grade is Grade.ERROR}


def test_a_good_site_has_no_error_and_every_host_is_protected(examine: Ill) -> None:
    found = examine()

    assert errors(found) == {}
    assert set(found.hosts.values()) == {Care.PROTECTED}


def test_two_witnesses_without_agents_shoot_nobody_by_silence(examine: Ill) -> None:
    what = {each.about: each.what for each in examine().findings}

    assert "2 witnesses, 3 needed" in what["c1"]


def test_an_agent_that_nobody_speaks_to_is_an_error(examine: Ill) -> None:
    found = examine(('name = "c1"', 'name = "c1"\nagent = true'))

    assert "speaks to no agent" in errors(found)["c1"]


def test_a_bmc_that_refuses_us_leaves_its_host_to_people(examine: Ill, cloud: Cloud) -> None:
    cloud.set_bmc("c2", is_locked=True)

    found = examine()

    assert set(errors(found)) == {"c2/redfish/1"}
    assert found.hosts == {"c1": Care.PROTECTED, "c2": Care.WATCHED, "c3": Care.PROTECTED}


def test_a_road_that_nobody_signed_proves_nothing(examine: Ill) -> None:
    found = examine(("verified = true", "verified = false"))

    assert set(errors(found)) == {f"c{number}/redfish/1" for number in (1, 2, 3)}
    assert set(found.hosts.values()) == {Care.WATCHED}


def test_a_bmc_of_another_machine_is_found_by_its_serial(examine: Ill) -> None:
    found = examine(('name = "c3"', 'name = "c3"\nserial = "not-this-one"'))

    assert "not-this-one" in errors(found)["c3/redfish/1"]


def test_a_host_that_nobody_can_see_is_blind(examine: Ill, cloud: Cloud) -> None:
    cloud.drive("c1", "off")

    found = examine()

    assert found.hosts[HostId("c1")] is Care.BLIND


def test_a_host_that_nova_does_not_know_is_an_error(examine: Ill) -> None:
    found = examine(('name = "c3"', 'name = "c33"'))

    assert "no nova-compute at c33" in errors(found)["c33"]
    strangers = {each.about for each in found.findings if "not in the inventory" in each.what}
    assert strangers == {"c3"}


def test_disks_that_only_their_host_sees_are_named(examine: Ill) -> None:
    found = examine(("shared = true", "shared = false"), ("[defaults]", "[defaults]\nzone = 'z'"))

    lost = {each.about: each.what for each in found.findings if "would stay down" in each.what}
    assert sorted(lost) == ["c1", "c2", "c3"]
    assert "2 servers on ceph, which nobody declared shared" in lost["c1"]


def test_a_rule_that_matches_nobody_is_named(examine: Ill) -> None:
    rule = '[[rule]]\nname = "gold"\nmatch = { flavor = "huge" }\n\n[defaults]'
    found = examine(("[defaults]", rule))

    assert "matches no server" in {each.about: each.what for each in found.findings}["rule gold"]


def test_a_cloud_that_does_not_let_us_in_is_an_error(examine: Ill, tmp_path: Path) -> None:
    found = examine(('name = "stand-in"', 'name = "another"'))

    assert "no cloud 'another'" in errors(found)["cloud"]


def test_the_command_says_it_in_json_and_by_its_exit_code(tmp_path: Path, cloud: Cloud) -> None:
    path = str(written(tmp_path, "n1", cloud.served))
    good = CliRunner().invoke(main, ["doctor", "-c", path, "--name", "n1", "--format", "json"])
    cloud.set_bmc("c1", is_failing=True)
    ill = CliRunner().invoke(main, ["doctor", "-c", path, "--name", "n1"])

    assert (good.exit_code, ill.exit_code) == (0, 1), good.output
    assert json.loads(good.output)["hosts"]["c1"] == "protected"
    assert "hosts: 1 watched, 2 protected" in ill.output


# --------------------------------------------------------------------------------- policy

RULE = '[[rule]]\nname = "gold"\ntier = 10\nmatch = {{ {key} = "{value}" }}\n\n[defaults]'


def ruled(tmp_path: Path, cloud: Cloud, key: str, value: str) -> str:
    path = written(tmp_path, "n1", cloud.served)
    rule = RULE.format(key=key, value=value)
    path.write_text(path.read_text().replace("[defaults]", rule))
    return str(path)


def test_a_server_s_promise_is_explained_rule_by_rule(tmp_path: Path, cloud: Cloud) -> None:
    [server, other] = cloud.guests("c1")
    path = ruled(tmp_path, cloud, "id", server)

    is_for = CliRunner().invoke(main, ["policy", "explain", server, "-c", path, "--name", "n1"])
    is_not = CliRunner().invoke(main, ["policy", "explain", other, "-c", path, "--name", "n1"])
    nobody = CliRunner().invoke(main, ["policy", "explain", "none", "-c", path, "--name", "n1"])

    assert "is for it   gold" in is_for.output
    assert "gold, tier 10, data preserve, evacuate" in is_for.output
    assert "not for it  gold" in is_not.output
    assert "default, tier 50" in is_not.output
    assert nobody.exit_code == 64


def test_a_rule_for_nobody_is_something_found(tmp_path: Path, cloud: Cloud) -> None:
    good = CliRunner().invoke(
        main, ["policy", "check", "-c", ruled(tmp_path, cloud, "flavor", "small"), "--name", "n1"]
    )
    ill = CliRunner().invoke(
        main, ["policy", "check", "-c", ruled(tmp_path, cloud, "flavor", "huge"), "--name", "n1"]
    )

    assert (good.exit_code, ill.exit_code) == (0, 1), good.output
    assert "gold" in good.output
