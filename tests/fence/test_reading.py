"""Options of the fence agent: from stdin, from arguments, under old names and new ones."""

import pytest

from ninelives.adapters.fence_metadata import findings, metadata_from
from ninelives.fence import agent
from ninelives.fence.metadata import metadata, parameters
from ninelives.fence.options import OPTIONS
from ninelives.fence.reading import SUPPLIED, from_arguments, from_lines

OF_FENCE_COMPUTE = (  # what its metadata lists, version 4.12.1
    *("action", "auth_url", "endpoint_type", "login", "passwd", "passwd_script", "password"),
    *("password_script", "plug", "port", "region_name", "tenant_name", "username", "insecure"),
    *("project-domain", "project_domain", "user-domain", "user_domain", "domain"),
    *("instance_filtering", "no_shared_storage", "record_only", "compute-domain"),
    *("compute_domain", "quiet", "verbose", "verbose_level", "debug", "debug_file", "version"),
    *("help", "plug_separator", "separator", "delay", "disable_timeout", "login_timeout"),
    *("power_timeout", "power_wait", "shell_timeout", "stonith_status_sleep", "retry_on"),
)


@pytest.mark.parametrize("name", OF_FENCE_COMPUTE)
def test_every_option_of_fence_compute_is_taken_and_listed(name: str) -> None:
    given = from_lines([f"{name}=1"])

    assert not given.warnings
    assert f'<parameter name="{name}"' in metadata("fence_ninelives")


def test_no_option_is_required() -> None:
    assert 'required="1"' not in metadata("fence_ninelives")


@pytest.mark.parametrize("name", ["fence_ninelives", "fence_compute"])
def test_nobody_takes_it_for_a_power_switch(name: str) -> None:
    said = metadata_from(name, metadata(name))

    assert "reboot" not in said.actions
    assert any("switches no power" in found.what for found in findings(said, {}, {}))


@pytest.mark.parametrize("line", ["plug=c1", "port=c1", "  PORT=c1 ", 'plug="c1"'])
def test_the_host_has_two_names_on_stdin(line: str) -> None:
    assert from_lines([line]).value("plug") == "c1"


def test_dashes_comments_blanks_and_a_second_equals_sign_are_read_as_by_other_agents() -> None:
    given = from_lines(["# plug=c9", "", "project-domain=a=b", "plug=c1", "plug=c2"])

    assert given.value("project_domain") == "a=b"
    assert given.value("plug") == "c2"


def test_a_name_that_is_not_known_is_warned_of_without_its_value() -> None:
    given = from_lines(["pasword=hush", "insecure=perhaps"])

    assert [warning.split()[0] for warning in given.warnings] == ["unknown", "insecure"]
    assert "hush" not in str(given.warnings)


@pytest.mark.parametrize(("value", "is_set"), [("1", True), ("on", True), ("0", False)])
def test_a_flag_that_is_off_is_off(value: str, is_set: bool) -> None:
    assert from_lines([f"quiet={value}"]).flag("quiet") is is_set


def test_arguments_are_read_short_and_long() -> None:
    given = from_arguments(["-o", "off", "--plug=c1", "-q", "--project-domain", "d", "-r", "1"])

    assert given.value("action") == "off"
    assert (given.value("plug"), given.value("project_domain")) == ("c1", "d")
    assert given.flag("quiet")


@pytest.mark.parametrize("wrong", [["--nonsense"], ["off"], ["-o"]])
def test_arguments_that_are_wrong_are_refused(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_arguments(wrong)


def test_the_record_is_about_pacemakers_name_and_the_flag_about_novas() -> None:
    given = from_lines([f"{SUPPLIED}=remote-c1", "port=c1", "domain=example.com"])

    assert agent.node_of(given) == "remote-c1"
    assert agent.nova_name(given) == "c1.example.com"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["port=c1"], "c1"),
        (["port=c1.old.net"], "c1.old.net"),
        (["port=c1.old.net", "domain=new.net"], "c1.new.net"),
        (["port=c1.old.net", "domain="], "c1"),
        (["port=c1", "compute-domain=new.net"], "c1.new.net"),
        (["nodename=c1"], "c1"),
    ],
)
def test_novas_name_follows_the_rule_of_fence_compute(lines: list[str], name: str) -> None:
    assert agent.nova_name(from_lines(lines)) == name


def test_every_option_says_what_it_is_for() -> None:
    for option in OPTIONS:
        assert any(f">{'' if option.is_used else '(unused) '}" in p for p in parameters(option))


@pytest.mark.parametrize(
    "lines", [["plug=-x"], ["plug=c\t1"], ["mode=both"], ["attribute="], ["plug=" + "c" * 300]]
)
def test_what_could_be_meant_otherwise_is_refused(lines: list[str]) -> None:
    assert agent.first_wrong(from_lines(lines))
