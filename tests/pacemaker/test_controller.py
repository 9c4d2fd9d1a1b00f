"""ocf:ninelives:controller, called as Pacemaker does: true controllers, a stand-in cloud."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until
from tests.pacemaker.cluster_file import AGENT, DEPLOY, agent, away

from ninelives.app.demo_site import written

OCF = DEPLOY / "ocf" / "controller"
SHELL_FUNCTIONS = Path("/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs")
AS_DAEMON = ("setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups")
SUCCESS, ARGS, UNIMPLEMENTED, INSTALLED, NOT_RUNNING = 0, 2, 3, 5, 7

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not SHELL_FUNCTIONS.exists(), reason="no OCF here: apt-get install resource-agents"
    ),
]


@dataclass(frozen=True)
class Resource:
    """One instance of the resource, with its log and process number in a folder of its own."""

    config: Path
    more: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return self.config.parent

    @property
    def parameters(self) -> dict[str, str]:
        return {
            "binary": str(AGENT.with_name("ninelives")),
            "config": str(self.config),
            "name": self.config.stem,
            "user": "",
            "run": str(self.folder),
            "log": str(self.config.with_suffix(".log")),
            **dict(self.more),
        }

    def asked(self, action: str, **around: str) -> subprocess.CompletedProcess[str]:
        named = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT": "/usr/lib/ocf"}
        return subprocess.run(
            [OCF, action],
            capture_output=True,
            text=True,
            env={**path, **named, "OCF_RESOURCE_INSTANCE": "controller", **around},
            timeout=60,
        )

    def does(self, action: str, **around: str) -> int:
        return self.asked(action, **around).returncode

    @property
    def pid(self) -> int:
        return int((self.folder / "controller.pid").read_text())


@pytest.fixture
def resource(cloud: Cloud, tmp_path: Path) -> Generator[Resource]:
    made = Resource(written(tmp_path, "n1", cloud.served))
    yield made
    made.does("stop")


def test_ocf_tester_passes_it(resource: Resource) -> None:
    if shutil.which("ocf-tester") is None:
        pytest.skip("no ocf-tester: apt-get install resource-agents")
    given = [part for pair in resource.parameters.items() for part in ("-o", "=".join(pair))]

    judged = subprocess.run(
        ["ocf-tester", "-n", "controller", *given, OCF], capture_output=True, text=True, timeout=150
    )

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "passed all tests" in judged.stdout


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="apt-get install shellcheck")
def test_shellcheck_finds_nothing() -> None:
    assert subprocess.run(["shellcheck", OCF], capture_output=True).stdout == b""


def test_a_controller_that_is_killed_is_seen(resource: Resource) -> None:
    started = resource.does("start")
    alive = resource.does("monitor")
    os.kill(resource.pid, 9)
    until(lambda: resource.does("monitor") == NOT_RUNNING, 10.0)

    assert (started, alive) == (SUCCESS, SUCCESS)
    assert resource.does("monitor") == NOT_RUNNING
    assert resource.does("stop") == SUCCESS


def test_somebody_elses_process_number_is_not_ours(resource: Resource) -> None:
    (resource.folder / "controller.pid").write_text(f"{os.getpid()}\n")

    assert resource.does("monitor") == NOT_RUNNING
    assert resource.does("stop") == SUCCESS


def test_a_wrong_configuration_is_no_reason_to_stop_the_others(resource: Resource) -> None:
    resource.config.write_text("nonsense = true\n")

    began = time.monotonic()
    started = resource.asked("start")

    assert started.returncode == ARGS, started.stderr
    assert "ended with 78" in started.stderr
    assert time.monotonic() - began < 10.0


def test_a_part_that_is_missing_is_named(resource: Resource) -> None:
    for name in ("binary", "config"):
        without = Resource(resource.config, ((name, "/nowhere/at/all"),))
        assert without.does("validate-all") == INSTALLED
        assert without.does("start") == INSTALLED
    nobody = Resource(resource.config, (("user", "nobody-at-all"),))
    assert nobody.does("validate-all") == INSTALLED


def test_an_action_that_nobody_knows_is_unimplemented(resource: Resource) -> None:
    assert resource.does("promote") == UNIMPLEMENTED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_it_runs_as_its_own_user_and_may_still_ping(cloud: Cloud) -> None:
    # pytest's own folders are closed to everybody else.
    with tempfile.TemporaryDirectory(prefix="ninelives-") as name:
        config = written(Path(name), "n1", cloud.served)
        for path in (config.parent, *config.parent.iterdir()):
            shutil.chown(path, "daemon", "daemon")
        resource = Resource(config, (("user", "daemon"), ("log", f"{name}/n1.log")))
        reach = f"import os; raise SystemExit(not os.access({sys.executable!r}, os.X_OK))"
        if subprocess.run([*AS_DAEMON, "/usr/bin/env", "python3", "-c", reach]).returncode != 0:
            pytest.skip(f"{sys.executable} is closed to other users")

        started = resource.asked("start")
        assert started.returncode == SUCCESS, started.stderr
        status = Path(f"/proc/{resource.pid}/status").read_text()
        stopped = resource.does("stop")

    assert stopped == SUCCESS
    assert f"Uid:\t{pwd.getpwnam('daemon').pw_uid}\t" in status
    assert "CapEff:\t0000000000002000" in status  # CAP_NET_RAW


def test_a_stop_hands_over_within_five_seconds(cloud: Cloud, resource: Resource) -> None:
    assert resource.does("start") == SUCCESS
    first = Log(resource.config.with_suffix(".log"))
    until(first.leads)
    with Controller("n2", written(resource.folder, "n2", cloud.served)) as second:
        until(lambda: second.get("/readyz")[0] == 200)
        began = time.monotonic()

        stopped = resource.does("stop")
        took_s = time.monotonic() - began
        until(second.leads, 10.0)
        handed_s = time.monotonic() - began

        assert stopped == SUCCESS
        assert took_s < 5.0
        assert handed_s < 5.0  # and not after the lease, of 6 s and a margin
        assert second.end() == 0


def test_a_controller_hears_the_agent_and_answers_it(cloud: Cloud, resource: Resource) -> None:
    assert resource.does("start") == SUCCESS
    log = resource.config.with_suffix(".log")
    until(Log(log).leads)
    lines = away(resource.folder).replace("/api.", "/n1.") + "action=off\nmode="

    recorded = agent(f"{lines}record\nport=c1\n")
    passed = agent(f"{lines}brake\nport=c1\n")
    of_a_stranger = agent(f"{lines}brake\nport=c99\n")
    until(lambda: "fence_call.heard" in log.read_text(), 10.0)

    assert (recorded.returncode, passed.returncode, of_a_stranger.returncode) == (0, 0, 0)
    assert "not told" not in recorded.stderr
    assert (passed.stdout, passed.stderr) == ("Success: no storm brake holds c1\n", "")
    assert "nobody could be asked, so it passes: answered 404" in of_a_stranger.stderr


@dataclass(frozen=True)
class Log:
    """A controller that somebody else started, known by its log."""

    path: Path

    def leads(self) -> bool:
        began = [line for line in self.path.read_text().splitlines() if "daemon.began" in line]
        if not began:
            return False
        address = began[-1].split('"http": "')[1].split('"')[0]
        try:
            with urlopen(f"http://{address}/leader", timeout=5.0) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False
