"""A controller of the version before beside one of this version: either takes over from the other.

The version before is no imitation: it is this repository as it was before the vocabulary changed
last, taken from its history, and run as a process of its own.
"""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud, Nova
from tests.daemon.controllers import Controller, until

from ninelives.app.client import asked
from ninelives.app.demo_site import written
from ninelives.engine.codec import VERSION

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
CODEC = "src/ninelives/engine/codec.py"


@dataclass
class Previous(Controller):
    """A controller of the version before."""

    def command(self) -> list[str]:
        here, *rest = super().command()
        return ["/usr/bin/env", f"PYTHONPATH={source_in(self.config.parent)}", here, *rest]


@pytest.fixture
def history(tmp_path: Path) -> str:
    """Put the sources of the version before under `tmp_path`; return their commit."""
    changed = git("log", "-1", "--format=%H", "-G^VERSION = ", "--", CODEC)
    parents = git("log", "-1", "--format=%P", changed).split() if changed else []
    if not parents or git("cat-file", "-t", parents[0]) != "commit":
        pytest.skip("no history: a clone with all of it is needed (git fetch --unshallow)")
    packed = subprocess.run(
        ["git", "archive", parents[0], "src"], cwd=ROOT, capture_output=True, check=True
    )
    source_in(tmp_path).parent.mkdir()
    subprocess.run(["tar", "-x"], cwd=source_in(tmp_path).parent, input=packed.stdout, check=True)
    return parents[0]


def source_in(folder: Path) -> Path:
    return folder / "previous" / "src"


def git(*words: str) -> str:
    told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else ""


def test_the_version_before_is_another_one(history: str, tmp_path: Path) -> None:
    program = "from ninelives.engine import codec; print(codec.VERSION, codec.__file__)"
    environment = {"PYTHONPATH": str(source_in(tmp_path))}

    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )

    assert told.stdout.split() == [
        str(VERSION - 1),
        f"{source_in(tmp_path)}/ninelives/engine/codec.py",
    ]


def test_either_version_takes_over_from_the_other_in_the_middle_of_an_outage(
    history: str, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.reset(hosts=4, servers=8, spawn_s=50.0)  # a second each, at this pace
    nova = cloud.login()
    first, second = (written(tmp_path, name, cloud.served, hosts=4) for name in ("n1", "n2"))
    with ExitStack() as stack:
        before = stack.enter_context(Previous("n1", first))
        until(before.leads)
        follower = stack.enter_context(Previous("n2", second))
        until(lambda: before.sees_all_well(4))

        # One of two is upgraded while c1 is out: the other goes on.
        lost = cloud.guests("c1")
        cloud.drive("c1", "off")
        until(lambda: moved_off(nova, "c1"))
        before.kill()
        now = stack.enter_context(Controller("n1", first))
        until(lambda: run_elsewhere(cloud, "c1", lost), 120.0)

        # The new one leads, orders say why, and dies in the middle: the old one goes on.
        follower.kill()
        until(now.leads)
        behind = stack.enter_context(Previous("n2", second))
        until(
            lambda: behind.said("daemon.began") and 'state="vacated"} 1.0' in now.get("/metrics")[1]
        )
        more = cloud.guests("c2")
        fence = {"order": "fence", "host": "c2", "typed": "c2", "reason": "it is upgraded"}
        asked(first.with_suffix(".sock"), "/v1/orders", fence)
        until(lambda: moved_off(nova, "c2"))
        now.kill()

        until(lambda: behind.is_alive() and behind.leads())
        until(lambda: run_elsewhere(cloud, "c2", more), 120.0)
        assert behind.end() == 0

    assert cloud.ran_twice() == {}
    assert moved_off(nova, "c1") == dict.fromkeys(lost, 1)
    assert moved_off(nova, "c2") == dict.fromkeys(more, 1)


def moved_off(nova: Nova, host: str) -> Counter[str]:
    """Count the evacuations of a host that Nova accepted, by server."""
    records = nova("GET", "/os-migrations?migration_type=evacuation").body["migrations"]
    return Counter(each["instance_uuid"] for each in records if each["source_compute"] == host)


def run_elsewhere(cloud: Cloud, host: str, servers: list[str]) -> bool:
    others = (each for each in cloud.truth()["hosts"] if each["name"] != host)
    return set(servers) <= {guest for each in others for guest in each["guests"]}
