"""`ninelives fencing`: what is wrong with a device is found, told with its remedy, harmed never."""

import hashlib
import json
import shutil
import ssl
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.bmcs.machine import PASSWORD, USER, Fault, machine_in
from tests.bmcs.redfish import SYSTEMS, RedfishBmc, new_certificate

from ninelives.app.cli import main
from ninelives.app.exits import Exit

Write = Callable[..., Path]

FILE = """
controllers = ["n1"]
name = "n1"

[defaults]
bmc = {{ kind = "redfish", user = "{user}", password_file = "bmc.secret", verified = true }}

[[host]]
name = "c1"
serial = "{serial}"
address = {{ management = "10.0.0.1" }}

[[host.bmc]]
address = "https://127.0.0.1:{port}"
system = "{system}"
{more}

[[host]]
name = "c2"
serial = "serial-2"
address = {{ management = "10.0.0.2" }}

[[host.bmc]]
address = "https://localhost:{port}"
system = "{other}"
{trust}
"""


@pytest.fixture
def bmc(tmp_path: Path) -> Generator[RedfishBmc]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    systems = {"1": machine_in(tmp_path / "c1"), "2": machine_in(tmp_path / "c2")}
    bmc = RedfishBmc(systems, new_certificate(tmp_path))
    yield bmc
    bmc.stop()


def pin_of(bmc: RedfishBmc) -> str:
    text = bmc.certificate.read_text()
    der = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])
    return hashlib.sha256(der).hexdigest()


@pytest.fixture
def write(bmc: RedfishBmc, tmp_path: Path) -> Write:
    def write(
        more: str | None = None,
        serial: str = "sku-1",
        system: str = f"{SYSTEMS}/1",
        other: str = f"{SYSTEMS}/2",
        password: str = PASSWORD,
    ) -> Path:
        trust = f'fingerprint = "{pin_of(bmc)}"'
        (tmp_path / "bmc.secret").write_text(password)
        path = tmp_path / "ninelives.toml"
        words = {"user": USER, "port": bmc.port, "trust": trust, "serial": serial}
        words |= {"system": system, "other": other, "more": trust if more is None else more}
        path.write_text(FILE.format_map(words))
        return path

    return write


def fencing(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["fencing", *map(str, words)])


def test_devices_that_would_work_are_good(write: Write, bmc: RedfishBmc) -> None:
    result = fencing("status", "-c", write(), "--format", "json")

    first, second = json.loads(result.output)
    assert result.exit_code == Exit.DONE
    assert (first["power"], first["machine"], first["usable"]) == ("on", "same", True)
    assert second["serials"] == ["serial-2", "sku-2"]
    assert all(machine.is_on for machine in bmc.systems.values())
    assert {request.split()[0] for request in bmc.requests} == {"GET"}


def test_a_person_sees_a_table(write: Write) -> None:
    result = fencing("status", "-c", write())

    assert "c1/redfish/1" in result.output
    assert result.exit_code == Exit.DONE


def test_a_certificate_that_nobody_knows_is_shown_to_be_pinned(
    write: Write, bmc: RedfishBmc
) -> None:
    result = fencing("test", "c1", "-c", write(more=""))

    assert result.exit_code == Exit.FOUND
    assert "its certificate is not trusted" in result.output
    assert f'fingerprint = "{pin_of(bmc)}"' in result.output
    assert bmc.requests == []


def test_a_wrong_password_is_told_with_its_remedy_and_not_shown(write: Write) -> None:
    result = fencing("test", "c1", "-c", write(password="wrong-hush"))

    assert "carries no proof" in result.output
    assert "look at user and password_file" in result.output
    assert "hush" not in result.output


def test_a_device_that_switches_another_machine_carries_no_proof(write: Write) -> None:
    result = fencing("test", "c1", "-c", write(serial="7X42"))

    assert result.exit_code == Exit.FOUND
    assert "another machine: serial-1 sku-1 instead of 7X42" in result.output


def test_one_machine_for_two_hosts_is_told_of_both(write: Write) -> None:
    result = fencing("status", "-c", write(serial="", other=f"{SYSTEMS}/1"), "--format", "json")

    found = json.loads(result.output)
    assert result.exit_code == Exit.FOUND
    assert [each["usable"] for each in found] == [False, False]
    assert found[0]["findings"][0]["what"] == "the same machine is switched for c2"


def test_a_mapping_for_which_nobody_vouches_carries_no_proof(write: Write, bmc: RedfishBmc) -> None:
    result = fencing("test", "c1", "-c", write(f'verified = false\nfingerprint = "{pin_of(bmc)}"'))

    assert result.exit_code == Exit.FOUND
    assert "does not vouch that it switches c1, though the serial is the host's" in result.output


def test_a_device_that_says_nothing_of_use_is_told_in_its_own_words(
    write: Write, bmc: RedfishBmc
) -> None:
    bmc.systems["1"].break_by(Fault.GARBAGE)

    assert "HTTP 200: no Redfish" in fencing("test", "c1", "-c", write()).output


def test_an_agent_that_is_not_here_is_told_with_its_remedy(write: Write) -> None:
    result = fencing("test", "c1", "-c", write('kind = "fence_nothing"'))

    assert "no fence agent fence_nothing here" in result.output
    assert "hint: install fence-agents" in result.output


def test_an_option_that_redfish_does_not_know_is_told(write: Write) -> None:
    result = fencing("test", "c1", "-c", write("options = { power_wait = 2 }"))

    assert "redfish does not know power_wait" in result.output


def test_a_host_that_is_not_in_the_inventory_is_a_usage_error(write: Write) -> None:
    assert fencing("test", "c9", "-c", write()).exit_code == Exit.USAGE
