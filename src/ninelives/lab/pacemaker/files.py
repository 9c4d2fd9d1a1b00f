"""What each machine of a cluster has of its own: configuration, keys, state, and logs."""

import grp
import os
import pwd
import secrets
from pathlib import Path
from typing import NamedTuple

from ninelives.engine.errors import ConfigError
from ninelives.lab.openstack.install import PartMissing
from ninelives.lab.places import Network, Places

from . import cib
from .machines import home, mounts

# knet without encryption on a network that ends on this machine needs no key, and neither real-time
# scheduling nor locked memory. Nothing may follow a "{" on its line.
COROSYNC = """totem {{
  version: 2
  cluster_name: lab
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: 3000
}}
nodelist {{
{members}}}
quorum {{
  provider: corosync_votequorum
  two_node: {is_pair}
}}
system {{
  sched_rr: no
  allow_knet_handle_fallback: yes
}}
logging {{
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
  to_syslog: no
  timestamp: hires
}}
"""
MEMBER = """  node {{
    ring0_addr: {address}
    name: {name}
    nodeid: {number}
  }}
"""
STATE = ("cib", "pengine", "blackbox", "cores")
KEY_BYTES = 4096


class Owner(NamedTuple):
    """As whom Pacemaker's daemons run."""

    user: int
    group: int


def owner() -> Owner:
    """Look up the user of Pacemaker's daemons; in a user namespace it is root."""
    try:
        return Owner(pwd.getpwnam("hacluster").pw_uid, grp.getgrnam("haclient").gr_gid)
    except KeyError as error:
        raise PartMissing("there is no user hacluster", "apt-get install pacemaker") from error


def write(places: Places) -> None:
    """Write what is not there yet. What a cluster has made of its CIB since is left alone."""
    _demand_same_address(places)
    who = owner()
    _key(places, who)
    lines = [f"{places.host_at(Network.MANAGEMENT, each)} {each}" for each in places.machines]
    (home(places) / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
    for machine in places.machines:
        for source, _ in mounts(places, machine):
            if source.name != "hosts":
                source.mkdir(parents=True, exist_ok=True)
        state, log = home(places) / machine / "pacemaker-state", places.log / machine / "pacemaker"
        for folder in (state, log, *(state / name for name in STATE)):
            folder.mkdir(exist_ok=True)
            _give(folder, who, 0o770)
    for controller in places.controllers:
        own = home(places) / controller
        (own / "corosync/corosync.conf").write_text(_corosync(places))
        _seed(own / "pacemaker-state/cib/cib.xml", places, who)


def _demand_same_address(places: Places) -> None:
    """Complain where the CIB names other addresses than this lab has now."""
    kept = home(places) / "address"
    kept.parent.mkdir(parents=True, exist_ok=True)
    made_for = kept.read_text() if kept.exists() else places.address
    if made_for != places.address:
        raise ConfigError(
            f"the cluster of this lab is that of {made_for}, and it is at {places.address} now",
            f"ninelives lab down --wipe --folder {places.folder}",
        )
    kept.write_text(places.address)


def _key(places: Places, who: Owner) -> None:
    key = home(places) / "etc/authkey"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        _give(key.parent, Owner(os.geteuid(), who.group), 0o750)
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(KEY_BYTES))
        _give(key, Owner(os.geteuid(), who.group), 0o640)


def _seed(place: Path, places: Places, who: Owner) -> None:
    """Put the configuration on disk. Without a signature beside it, it is taken unchecked."""
    if not place.exists():
        place.write_text(cib.written(places))
        _give(place, who, 0o600)


def _corosync(places: Places) -> str:
    members = "".join(
        MEMBER.format(address=places.host_at(Network.MANAGEMENT, name), name=name, number=number)
        for number, name in enumerate(places.controllers, start=1)
    )
    # With two, votequorum waits for both at a start (`wait_for_all`), so that neither shoots first.
    return COROSYNC.format(members=members, is_pair=int(len(places.controllers) == len("ab")))


def _give(place: Path, who: Owner, mode: int) -> None:
    os.chown(place, who.user, who.group)
    place.chmod(mode)
