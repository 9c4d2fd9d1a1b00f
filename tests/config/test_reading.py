"""What the configuration means, and how a wrong one is refused."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.config.conftest import GOOD, Read

from ninelives.app.cli import main
from ninelives.app.config.document import NUMBERS, PolicyNumbers, PromiseFields
from ninelives.core.model import HostId, Mode, Plane, RoadId, SegmentId
from ninelives.core.policy import BALANCED, FAST
from ninelives.core.protection import Key, Promise
from ninelives.engine.errors import ConfigError

C1, C2 = HostId("c1"), HostId("c2")


def line_of(text: str) -> int:
    """Return the line of GOOD on which `text` first stands."""
    return GOOD[: GOOD.index(text)].count("\n") + 1


def test_a_good_file_becomes_a_setting(read: Read) -> None:
    found = read()

    site, policy = found.setting.site, found.setting.policy
    assert policy.silence_s == 4.5
    assert policy.confirm_s == FAST.confirm_s
    assert policy.default == Promise("default", tier=60)
    assert policy.rules[0].promise == Promise("gold", tier=10)
    assert policy.rules[0].keys == ((Key.TAG, "class=gold"), (Key.PROJECT, "bank"))
    assert site.hosts[C1].planes == (Plane.MANAGEMENT, Plane.STORAGE)
    assert site.hosts[C1].witnesses == ("n1", "n2")
    assert site.hosts[C1].roads[0].is_verified
    assert not site.hosts[C2].roads[0].is_verified
    assert not site.hosts[C1].has_agent


def test_a_segment_has_its_own_numbers_and_mode(read: Read) -> None:
    found = read()

    own = found.setting.segment_policies[SegmentId("east")]
    assert own.silence_s == 9
    assert own.confirm_s == FAST.confirm_s
    assert own.rules == found.setting.policy.rules
    assert found.modes.default is Mode.ACT
    assert found.modes.segments == {"east": Mode.OBSERVE}


def test_defaults_hold_where_a_host_says_nothing_else(read: Read) -> None:
    found = read()

    assert found.setting.site.hosts[C1].segment == "east"
    assert found.setting.site.hosts[C2].segment == "west"
    assert found.devices[RoadId("c2/redfish/1")].user == "fencer"


def test_nobody_acts_who_was_not_told_to(read: Read) -> None:
    found = read(('mode = "act"\n', ""))

    assert found.modes.default is Mode.OBSERVE


def test_the_files_of_conf_d_are_joined_in_order(read: Read) -> None:
    host = '[[host]]\nname = "{}"\nsegment = "west"\naddress = {{ management = "10.0.0.{}" }}\n'
    found = read(b=host.format("c4", 4), a=host.format("c3", 3))

    assert list(found.setting.site.hosts) == ["c1", "c2", "c3", "c4"]


def test_every_controller_reads_the_same_setting(read: Read) -> None:
    assert read().setting == read(('name = "n1"', 'name = "n2"')).setting


# --------------------------------------------------------------------------------- refusals

WRONG = {
    "an unknown key": ("rack = ", "rac = ", "unknown key 'host[0].rac'", "did you mean 'rack'"),
    "a wrong type": ("silence_s = 4.5", 'silence_s = "long"', "policy.silence_s", ""),
    "a number out of bounds": ("silence_s = 4.5", "off_confirm_gap_s = 1", "off_confirm_gap_s", ""),
    "an unknown preset": ('"fast"', '"hasty"', "policy.preset", ""),
    "no TOML": ("silence_s = 4.5", "silence_s = = 4.5", "not TOML", ""),
    "a name of two hosts": ('name = "c2"', 'name = "C1"', "the name 'c1' would be both", ""),
    "an address of two hosts": ("10.0.0.2", "10.0.1.1", "the address '10.0.1.1'", ""),
    "an unseen host": (
        'address = { management = "10.0.0.2" }',
        "rack = 'r2'",
        "nobody can see 'c2'",
        "give it an address",
    ),
    "a name for an address": ("10.0.0.2", "c2.example.net", "'c2.example.net' is a name", ""),
    "an empty segment": ("[segment.east]", "[segment.eats]", "segment 'eats'", "east west"),
    "a short settling": (
        "silence_s = 4.5",
        "nova_settle_s = 10",
        "nova_settle_s is longer than every timeout",
        "",
    ),
    "a silence of one lost probe": (
        "silence_s = 4.5",
        "silence_s = 1.9",
        "one lost probe",
        "at least 2",
    ),
    "a receiver without an address": (
        "[segment.east]",
        '[[notify]]\nname = "pager"\nkind = "webhook"\n[segment.east]',
        "'pager' is a webhook, and has no url",
        "",
    ),
    "disks on no backend": (
        'backends = ["ceph"]',
        'backends = ["ceph"]\ninstances = "nfs"',
        "'nfs' is no backend of 'c1'",
        "local",
    ),
    "a controller that is a host": ('["n1", "n2"]', '["n1", "c2"]', "named like a host", ""),
    "a missing secret": ("bmc.secret", "no.secret", "no.secret cannot be read", "is it there"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_refused_with_its_line(read: Read, wrong: str) -> None:
    old, new, what, hint = WRONG[wrong]

    with pytest.raises(ConfigError, match=r"ninelives\.toml:\d+: ") as refused:
        read((old, new))

    message = str(refused.value)
    assert what in message
    assert hint in message
    place = int(message.partition("ninelives.toml:")[2].partition(":")[0])
    if wrong not in ("an unseen host", "a missing secret", "disks on no backend"):
        assert place in (line_of(old), line_of('name = "c2"'), line_of('"10.0.0.2"'))


def test_one_bmc_for_two_hosts_is_refused(read: Read) -> None:
    second = 'address = "https://10.9.0.2"'
    with pytest.raises(ConfigError, match=r"power device 'https://10\.9\.0\.1") as refused:
        read(('"https://10.9.0.2"', '"https://10.9.0.1"\nsystem = "/redfish/v1/Systems/1"'))

    assert f":{line_of(second)}: " in str(refused.value)


def test_two_systems_of_one_device_are_two_roads(read: Read) -> None:
    found = read(('"https://10.9.0.2"', '"https://10.9.0.1"\nsystem = "/redfish/v1/Systems/2"'))

    assert len(found.setting.site.on_device["https://10.9.0.1"]) == 2


def test_a_value_in_two_files_is_refused_and_both_are_named(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"more\.toml:2: 'policy.silence_s' is given twice") as e:
        read(more="[policy]\nsilence_s = 3\n")

    assert f"ninelives.toml:{line_of('silence_s = 4.5')}" in e.value.hint


def test_every_mistake_is_told_at_once(read: Read) -> None:
    with pytest.raises(ConfigError) as refused:
        read(("rack = ", "rac = "), ("silence_s = 4.5", "silence_z = 4.5"))

    assert len(Exception.__str__(refused.value).splitlines()) == 2


def test_a_password_stands_neither_in_the_file_nor_in_a_url(read: Read) -> None:
    with pytest.raises(ConfigError, match="password"):
        read(('password_file = "bmc.secret"', 'password = "hunter2"'))
    with pytest.raises(ConfigError, match="would be shown"):
        read(('url = "sqlite:////', 'url = "postgresql://me:hunter2@db/'))


# --------------------------------------------------------------------------------- secrets


def test_a_secret_is_read_and_never_shown(read: Read, tmp_path: Path) -> None:
    found = read()

    assert found.devices[RoadId("c1/redfish/1")].password.password == "hunter2"
    assert "hunter2" not in repr(found)
    shown = CliRunner().invoke(main, ["config", "show", "-c", str(tmp_path / "ninelives.toml")])
    assert shown.exit_code == 0
    assert "hunter2" not in shown.output
    assert json.loads(shown.output)["policy"]["silence_s"] == 4.5


def test_a_secret_may_come_from_the_environment(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMC_PASSWORD", "swordfish")

    found = read(('password_file = "bmc.secret"', 'password_env = "BMC_PASSWORD"'))

    assert found.devices[RoadId("c2/redfish/1")].password.password == "swordfish"


# --------------------------------------------------------------------------------- commands


def test_config_check_says_that_it_is_good(read: Read, tmp_path: Path) -> None:
    read()
    result = CliRunner().invoke(main, ["config", "check", "-c", str(tmp_path / "ninelives.toml")])

    assert result.exit_code == 0
    assert "2 hosts in 2 segments, 2 controllers, mode act" in result.output


def test_config_check_ends_with_the_code_of_a_bad_configuration(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["config", "check", "-c", str(tmp_path / "none.toml")])

    assert result.exit_code == 78


def test_the_schema_names_every_number_and_its_default() -> None:
    result = CliRunner().invoke(main, ["config", "schema"])

    numbers = json.loads(result.output)["$defs"]["PolicyNumbers"]["properties"]
    assert {*NUMBERS, "preset"} == set(numbers)
    assert numbers["silence_s"]["default"] == BALANCED.silence_s


def test_the_file_and_the_policy_have_the_same_fields() -> None:
    assert set(PolicyNumbers.model_fields) == {*NUMBERS, "preset"}
    assert set(PromiseFields.model_fields) == {each.name for each in fields(Promise)} - {"name"}
