"""What an operator asks of a running controller, by the commands, over its socket."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until

from ninelives.app.cli import main
from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def controller(tmp_path: Path, cloud: Cloud) -> Generator[Controller]:
    started = Controller("n1", written(tmp_path, "n1", cloud.served))
    with started:
        until(started.sees_all_well)
        yield started


def ninelives(
    controller: Controller, *words: str, is_asked: bool = True
) -> "subprocess.CompletedProcess[str]":
    program = "from ninelives.app.cli import main; main()"
    at = ("--socket", str(controller.config.with_suffix(".sock")))
    at = at if is_asked else ("-c", str(controller.config))
    return subprocess.run(
        [sys.executable, "-c", program, *words, *at], capture_output=True, text=True, timeout=60
    )


def completed(controller: Controller, line: str) -> str:
    """What a shell is offered at the end of `line`."""
    program = "from ninelives.app.cli import main; main(prog_name='ninelives')"
    asked = {
        "_NINELIVES_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
        "NINELIVES_SOCKET": str(controller.config.with_suffix(".sock")),
    }
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, env=asked, timeout=60).stdout


def test_an_operator_looks_and_orders(cloud: Cloud, controller: Controller) -> None:
    status = ninelives(controller, "status")
    assert status.returncode == 0, status.stderr
    assert "n1 leads (term 1" in status.stdout
    assert "hosts: 3 healthy" in status.stdout
    assert "c2" in ninelives(controller, "host", "list").stdout
    until(lambda: "ninelives_journal_rows 0.0" not in controller.get("/metrics")[1])
    pruned = ninelives(controller, "db", "prune", "--days", "30", is_asked=False)
    assert "0 decisions went" in pruned.stdout, pruned.stderr

    maintained = ninelives(controller, "host", "maintenance", "c1", "on", "--reason", "fans")
    shown = json.loads(ninelives(controller, "host", "show", "c1", "--format", "json").stdout)
    assert "order.taken" in maintained.stdout
    assert shown["maintenance"]

    assert completed(controller, "ninelives host show c").split() == [
        "plain,c1",
        "plain,c2",
        "plain,c3",
    ]

    unknown = ninelives(controller, "host", "show", "c9")
    unsure = ninelives(controller, "host", "fence", "c2", "--yes", "c3")
    early = ninelives(controller, "host", "confirm-dead", "c2", "--looked-at", "it", "--yes", "c2")
    assert (unknown.returncode, unsure.returncode, early.returncode) == (64, 77, 77)
    assert "no_episode" in early.stderr


def test_a_host_is_fenced_by_order_and_the_incident_tells_of_it(
    cloud: Cloud, controller: Controller
) -> None:
    servers = cloud.guests("c2")

    why_fenced = ("--reason", "its fan screams")
    ordered = ninelives(controller, "host", "fence", "c2", "--yes", "c2", *why_fenced)

    assert ordered.returncode == 0, ordered.stderr
    until(lambda: set(servers) <= {*cloud.guests("c1"), *cloud.guests("c3")})
    until(lambda: "c2/1" in ninelives(controller, "incident", "list").stdout)
    shown = ninelives(controller, "incident", "show", "c2/1").stdout
    assert "proof.made power_off" in shown
    assert ": its fan screams" in shown
    html = ninelives(controller, "incident", "report", "c2/1", "--format", "html").stdout
    assert html.startswith("<!doctype html>")
    assert "off twice" in html
    asked = ["why", "c2", "-c", str(controller.config)]
    why = CliRunner().invoke(main, asked)
    assert why.exit_code == 0, why.output
    assert "power_off, valid" in why.output
    assert cloud.ran_twice() == {}


def test_a_second_controller_on_the_same_memory_or_socket_is_refused(
    cloud: Cloud, controller: Controller, tmp_path: Path
) -> None:
    twin = subprocess.run(controller.command(), capture_output=True, text=True, timeout=60)
    config = controller.config.read_text().replace(f'state = "{controller.name}"', 'state = "n2"')
    controller.config.write_text(config)
    beside = subprocess.run(controller.command(), capture_output=True, text=True, timeout=60)

    assert (twin.returncode, beside.returncode) == (78, 78)
    assert "another controller uses" in twin.stderr
    assert "another controller listens" in beside.stderr
    assert ninelives(controller, "status").returncode == 0


def test_a_reload_is_whole_or_not_at_all(cloud: Cloud, controller: Controller) -> None:
    good = controller.config.read_text()
    controller.config.write_text(good.replace("silence_s = 1.5", "silense_s = 1.5"))
    controller.process.send_signal(1)
    until(lambda: controller.said("configuration.refused"))
    assert "did you mean 'silence_s'" in controller.said("configuration.refused")[0]["why"]
    assert "ninelives_config_refused 1.0" in controller.get("/metrics")[1]
    assert len(controller.said("term.began")) == 1

    controller.config.write_text(good.replace('mode = "act"', 'mode = "observe"'))
    controller.process.send_signal(1)

    until(lambda: controller.said("configuration.taken"))
    until(lambda: "mode observe" in ninelives(controller, "status").stdout)
    assert "ninelives_config_refused 0.0" in controller.get("/metrics")[1]
    assert controller.end() == 0


def test_what_if_tells_who_would_move_where_and_sends_nothing(
    cloud: Cloud, controller: Controller
) -> None:
    nova = cloud.login()
    servers = cloud.guests("c1")
    cloud.add_server("asleep", "c1", vm_state="paused")

    told = ninelives(controller, "what-if", "c1", "--format", "json")
    table = ninelives(controller, "host", "what-if", "c1").stdout

    found = {each["server"]: each for each in json.loads(told.stdout)["servers"]}
    assert {found[server]["target"] for server in servers} == {"c2", "c3"}
    assert "asleep" in table
    assert "stays away: paused" in table
    assert told.returncode == 1
    assert nova("GET", "/os-migrations").body["migrations"] == []
    assert ninelives(controller, "what-if", "c9").returncode == 64


def test_recover_orders_what_is_next_and_nothing_without_a_proof(
    cloud: Cloud, controller: Controller
) -> None:
    living = ninelives(controller, "host", "recover", "c3")
    unbounded = ninelives(controller, "incident", "storm-allow", "all", "99")
    assert (living.returncode, "host fence" in living.stderr) == (77, True)
    assert (unbounded.returncode, "unbounded" in unbounded.stderr) == (77, True)

    ninelives(controller, "host", "fence", "c2", "--yes", "c2")
    until(lambda: 'ninelives_hosts{state="vacated"} 1.0' in controller.get("/metrics")[1])
    ordered = ninelives(controller, "host", "recover", "c2")

    # It is empty, so its return was ordered; but a device may act a minute after it accepted.
    assert (ordered.returncode, "off_may_be_late" in ordered.stderr) == (77, True)
