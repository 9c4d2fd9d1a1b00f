"""A configuration to change, and what becomes of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ninelives.app.config.building import read_configuration
from ninelives.app.config.configuration import Configuration

GOOD = """\
controllers = ["n1", "n2"]
name = "n1"
mode = "act"

[store]
url = "sqlite:////var/lib/ninelives/store.db"

[policy]
preset = "fast"
silence_s = 4.5

[promise]
tier = 60

[[rule]]
name = "gold"
tier = 10
match = { tag = "class=gold", project = "bank" }

[segment.east]
mode = "observe"
policy = { silence_s = 9 }

[defaults]
backends = ["ceph"]
segment = "east"
bmc = { kind = "redfish", user = "fencer", password_file = "bmc.secret" }

[[host]]
name = "c1"
hypervisor = "c1.example.net"
rack = "r1"
address = { management = "10.0.0.1", storage = "10.0.1.1" }

[[host.bmc]]
address = "https://10.9.0.1"
system = "/redfish/v1/Systems/1"
verified = true

[[host]]
name = "c2"
segment = "west"
address = { management = "10.0.0.2" }

[[host.bmc]]
address = "https://10.9.0.2"
"""

Read = Callable[..., Configuration]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read GOOD with some text replaced, and further files of conf.d."""

    def read_with(*changes: tuple[str, str], **drop_ins: str) -> Configuration:
        text = GOOD
        for old, new in changes:
            assert text.count(old) >= 1, f"nothing to replace: {old!r}"
            text = text.replace(old, new, 1)
        (tmp_path / "ninelives.toml").write_text(text)
        (tmp_path / "bmc.secret").write_text("hunter2\n")
        (tmp_path / "conf.d").mkdir(exist_ok=True)
        for name, drop_in in drop_ins.items():
            (tmp_path / "conf.d" / f"{name}.toml").write_text(drop_in)
        return read_configuration(tmp_path / "ninelives.toml")

    return read_with
