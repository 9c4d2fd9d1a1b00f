"""Real controllers as processes of their own, beside a stand-in cloud, with one store."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.cloud.cloud_client import Cloud

from ninelives.sim.cloud.catalogue import PASSWORD, clouds_yaml

PATIENCE_S = 60.0
NAMES = ("n1", "n2")

HEAD = """\
controllers = ["n1", "n2"]
mode = "{mode}"
state = "{folder}/{name}"
socket = "{folder}/{name}.sock"
log = "json"

[store]
url = "sqlite:///{folder}/store.db"
lease_s = 6.0
margin_s = 1.0

[cloud]
name = "stand-in"
clouds_file = "clouds.yaml"

[http]
port = 0

[probes]
kind = "tcp"
every_s = 0.3
refused_is_life = false

[policy]
preset = "fast"
silence_s = 1.5
confirm_s = 0.5
record_silence_s = 8.0
settle_s = 5.0
request_timeout_s = 5.0
nova_settle_s = 10.0
look_again_s = 2.0

[storage.ceph]
shared = true

[defaults]
backends = ["ceph"]
instances = "ceph"
bmc = {{ kind = "redfish", user = "admin", password_file = "bmc.secret", verified = true }}
"""
HOST = """
[[host]]
name = "{host}"
address = {{ {addresses} }}

[[host.bmc]]
address = "{bmc}"
system = "/redfish/v1/Systems/{host}"
"""


def written(folder: Path, cloud: Cloud, name: str, hosts: int = 3, mode: str = "act") -> Path:
    """Write the configuration of one controller of this cloud."""
    (folder / "clouds.yaml").write_text(clouds_yaml(cloud.url))
    (folder / "bmc.secret").write_text(PASSWORD)
    text = HEAD.format(mode=mode, folder=folder, name=name)
    for number in range(1, hosts + 1):
        host = f"c{number}"
        planes = cloud.served.addresses[host].items()
        addresses = ", ".join(f'{plane} = "{at}"' for plane, at in planes)
        text += HOST.format(host=host, addresses=addresses, bmc=cloud.bmc_url(host))
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


@dataclass
class Controller:
    """One process. Its log is a file of JSON lines."""

    name: str
    config: Path
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.config.with_suffix(".log")
        with self.log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from ninelives.app.cli import main; main()", "controller",
                 "-c", str(self.config), "--name", self.name],
                stderr=stderr,
                env={**os.environ, "NO_PROXY": "*"},
            )  # fmt: skip

    def __enter__(self) -> "Controller":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def get(self, path: str) -> tuple[int, str]:
        """Ask its HTTP port; (0, "") while it does not answer."""
        began = self.said("daemon.began")
        if not began:
            return 0, ""
        try:
            with urlopen(f"http://{began[-1]['http']}{path}", timeout=5.0) as reply:
                return reply.status, reply.read().decode()
        except URLError as error:
            return getattr(error, "code", 0), ""

    def is_alive(self) -> bool:
        """Say that it runs; one that ended by itself is a failure, with its last words."""
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return True

    def sees_all_well(self, hosts: int = 3) -> bool:
        well = f'ninelives_hosts{{state="healthy"}} {hosts}.0'
        return self.is_alive() and well in self.get("/metrics")[1]

    def leads(self) -> bool:
        return self.get("/leader")[0] == 200

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
