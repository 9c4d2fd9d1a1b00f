"""Agents made here that misbehave; and the system's own, with what their metadata forbids."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from ninelives.adapters.fence_agent import (
    FenceAgent,
    find_program,
    metadata_of,
    options_for,
    quoted,
)
from ninelives.adapters.fence_metadata import Metadata, findings
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.device import Look
from ninelives.engine.errors import Garbled, Refused, Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

PATIENCE_S = 20.0


def agent(folder: Path, script: str, **secrets: str) -> FenceAgent:
    program = folder / "fence_made_here"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return FenceAgent(program, {"ip": "192.0.2.1"}, secrets, None, PATIENCE_S, PATIENCE_S)


def look(device: FenceAgent) -> Look:
    return asyncio.run(device.look())


def off(device: FenceAgent) -> Answer:
    return asyncio.run(device.switch_off())


@pytest.fixture(scope="module")
def redfish() -> Metadata:
    return metadata("fence_redfish")


def metadata(name: str) -> Metadata:
    program = find_program(name)
    if program is None:
        pytest.skip(f"no {name}: apt-get install fence-agents")
    return asyncio.run(metadata_of(program))


GOOD = {"ip": "192.0.2.1", "username": "admin", "systems_uri": "/redfish/v1/Systems/1"}
SECRETS = {"password": "hush"}


def said(
    metadata: Metadata, options: Mapping[str, str], secrets: Mapping[str, str] = SECRETS
) -> str:
    return "; ".join(each.what for each in findings(metadata, options, secrets))


# --------------------------------------------------------------------------------- status


@pytest.mark.parametrize(
    ("script", "power"),
    [
        ("echo 'Status: ON'; exit 0", Power.ON),
        ("echo 'Status: OFF'; exit 2", Power.OFF),
        ("echo 'Status: OFF'; exit 1", Power.UNREADABLE),
        ("echo 'Status: OFF'; exit 0", Power.UNREADABLE),
        ("echo 'Status: ON'; exit 2", Power.UNREADABLE),
        ("exit 0", Power.UNREADABLE),
        ("exit 2", Power.UNREADABLE),
        ("echo 'Status: ON'; echo 'Status: OFF'; exit 2", Power.UNREADABLE),
        ("exec python3 /nowhere/fence_redfish", Power.UNREADABLE),  # ends with 2
        ("echo 'Status: OFF'; kill -9 $$", Power.UNREADABLE),
    ],
)
def test_a_number_counts_only_with_its_word(tmp_path: Path, script: str, power: Power) -> None:
    assert look(agent(tmp_path, script)).power is power


def test_what_it_says_is_told_without_its_secrets(tmp_path: Path) -> None:
    device = agent(tmp_path, "echo 'login hush-hush failed' >&2; exit 1", password="hush-hush")

    assert look(device).detail == "exit code 1 login *** failed"
    assert "hush" not in repr(device)


def test_secrets_are_in_no_argument(tmp_path: Path) -> None:
    script = """tr '\\0' ' ' < /proc/$$/cmdline >&2; exit 1"""

    assert "hush" not in look(agent(tmp_path, script, password="hush")).detail
    assert "***" not in look(agent(tmp_path, script, password="hush")).detail


def test_one_that_hangs_is_unreachable(tmp_path: Path) -> None:
    device = FenceAgent(agent(tmp_path, "exec sleep 600").program, {}, read_s=0.3)

    with pytest.raises(Unreachable, match="no end within"):
        look(device)


def test_one_that_is_not_there_refuses() -> None:
    device = FenceAgent(Path("/nowhere/fence_redfish"), {})

    assert off(device)[:2] == (Outcome.REFUSED, "not_installed")
    with pytest.raises(Refused):
        look(device)


# --------------------------------------------------------------------------------- off


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("echo 'Success: Powered OFF'; exit 0", ACCEPTED),
        ("echo 'Success: Already OFF'; exit 0", Answer(Outcome.REFUSED, "already_off")),
        ("echo 'Success: Already ON'; exit 0", ACCEPTED),
        ("exit 0", ACCEPTED),
        ("exit 2", Answer(Outcome.UNKNOWN, "agent_failed", "exit code 2")),
        ("exit 1", Answer(Outcome.UNKNOWN, "agent_failed", "exit code 1")),
    ],
)
def test_off_is_an_answer_and_never_a_reading(tmp_path: Path, script: str, answer: Answer) -> None:
    assert off(agent(tmp_path, script)) == answer


# --------------------------------------------------------------------------------- options


def test_a_value_keeps_its_blanks_and_its_quotes() -> None:
    assert [quoted(value) for value in ("a b", " a", '"a"', "")] == ["a b", '" a"', '""a""', ""]


def test_the_action_comes_last() -> None:
    assert options_for("off", {"ip": "::1"}) == b"ip=::1\naction=off\n"


def test_a_value_cannot_smuggle_in_another_option() -> None:
    with pytest.raises(AssertionError):
        options_for("status", {"username": "admin\naction=on"})


# --------------------------------------------------------------------------------- metadata


def test_a_good_set_of_options_is_found_good(redfish: Metadata) -> None:
    assert said(redfish, GOOD) == ""
    assert said(redfish, {name.replace("_", "-"): value for name, value in GOOD.items()}) == ""


def test_fence_redfish_must_be_told_which_system(redfish: Metadata) -> None:
    assert "whichever system comes last" in said(redfish, {"ip": "192.0.2.1", "username": "admin"})


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("systems_url", "/redfish/v1/Systems/1", "does not know systems_url"),
        ("ipaddr", "192.0.2.2", "ip is set a second time, by its older name"),
        ("ipport", "https", "ipport is no integer"),
        ("action", "on", "action is not allowed"),
        ("verbose", "1", "verbose is not allowed"),
        ("debug_file", "/tmp/x", "debug_file is not allowed"),
        ("ssl_insecure", "0", "ssl_insecure=0 is taken for yes"),
        ("ssl_insecure", "1", "nobody verifies that it is this BMC"),
        ("redfish_uri", "/\naction=on", "redfish_uri holds a control character"),
    ],
)
def test_what_could_make_off_mean_less_is_found(
    redfish: Metadata, option: str, value: str, words: str
) -> None:
    assert words in said(redfish, {**GOOD, option: value})


def test_a_password_belongs_into_a_file(redfish: Metadata) -> None:
    found = said(redfish, {**GOOD, "password": "hush"}, {})

    assert "password stands in the open" in found
    assert "hush" not in found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fence_scsi", "cuts off a fabric, not the power"),
        ("fence_brocade", "cuts off a fabric, not the power"),
        ("fence_compute", "switches no power"),
        ("fence_kdump", "no off that can be read back"),
        ("fence_sbd", "switches no power"),
        ("fence_heuristics_ping", "switches no power"),
        ("fence_dummy", "switches no power"),
    ],
)
def test_an_agent_whose_off_leaves_the_cpu_running_is_no_road(name: str, words: str) -> None:
    assert words in said(metadata(name), {})


def test_fence_ipmilan_is_told_of_for_what_it_shows_to_everybody() -> None:
    (found,) = findings(metadata("fence_ipmilan"), {"ip": "192.0.2.1"}, SECRETS)

    assert "on its command line" in found.what
    assert not found.forbids_use


def test_what_is_no_fence_agent_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Garbled):
        asyncio.run(metadata_of(agent(tmp_path, "echo '<html></html>'").program))
    with pytest.raises(Garbled):
        asyncio.run(metadata_of(agent(tmp_path, "echo hello").program))
    with pytest.raises(Refused):
        asyncio.run(metadata_of(agent(tmp_path, "exit 1").program))


def test_the_dummy_agent_of_the_system_is_driven_for_real(tmp_path: Path) -> None:
    program = find_program("fence_dummy")
    if program is None:
        pytest.skip("no fence_dummy: apt-get install fence-agents")
    status = tmp_path / "status"
    status.write_text("on")
    device = FenceAgent(program, {"status_file": str(status)}, {}, None, PATIENCE_S, PATIENCE_S)

    assert look(device).power is Power.ON
    assert off(device) == ACCEPTED
    assert look(device).power is Power.OFF
    assert off(device) == Answer(Outcome.REFUSED, "already_off")
    assert asyncio.run(device.switch_on()) == ACCEPTED
    assert asyncio.run(device.switch_on()) == Answer(Outcome.REFUSED, "already_on")
