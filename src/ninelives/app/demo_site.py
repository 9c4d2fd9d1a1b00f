"""The site of the true demo: a configuration for controllers beside a stand-in cloud on loopback.

Times are shorter than anybody's in production, as nobody wants to watch silence; the rules and
proofs are the same. A closed port counts as silence here, for on loopback a dead host refuses.
"""

from collections.abc import Sequence
from pathlib import Path

from ninelives.sim.cloud.catalogue import PASSWORD, clouds_yaml
from ninelives.sim.cloud.serve import Served

CONTROLLERS = ("n1", "n2")
HEAD = """\
controllers = {controllers}
mode = "{mode}"
state = "{name}"
socket = "{name}.sock"
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
look_again_s = 2.0
request_timeout_s = 5.0
nova_settle_s = 10.0

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


def written(
    folder: Path,
    name: str,
    cloud: Served,
    mode: str = "act",
    controllers: Sequence[str] = CONTROLLERS,
    hosts: int = 3,
) -> Path:
    """Write what one controller of this cloud's first hosts needs; return its configuration."""
    (folder / "clouds.yaml").write_text(clouds_yaml(cloud.url))
    (folder / "bmc.secret").write_text(PASSWORD)
    text = HEAD.format(controllers=list(controllers), mode=mode, folder=folder, name=name)
    for host, bmc in list(cloud.bmc_urls.items())[:hosts]:
        planes = ", ".join(f'{plane} = "{at}"' for plane, at in cloud.addresses[host].items())
        text += HOST.format(host=host, addresses=planes, bmc=bmc)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path
