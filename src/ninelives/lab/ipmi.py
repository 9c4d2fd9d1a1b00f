"""IPMI of a lab's BMCs: OpenIPMI's `ipmi_sim`, which asks the Redfish half of the same BMC.

    fence_ipmilan ── ipmitool ── UDP ──▶ ipmi_sim ── a script of ours ── HTTP ──▶ bmcs.py

So a BMC is at fault in both of its languages. One that is dead has no `ipmi_sim`: what it was sent
meanwhile is lost. Where the program is not installed, a BMC speaks Redfish alone.
"""

import asyncio
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from pathlib import Path

from ninelives.lab import planes
from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import Network, Places

USER = "admin"
PORT = 623  # of a BMC that has an address of its own
LOOK_S = 0.1

# ipmi_sim 2.0.33 calls it as `get power`, `set power 0`, `check power`; see chassis_control in
# ipmi_lan(5), which tells of an address argument that never comes. What is not read is an error,
# and never "off".
CHASSIS = """#!/bin/bash
ask() {{
    exec 3<>/dev/tcp/{address}/{port} || exit 1
    printf '%s\\r\\n' "$1 /redfish/v1/Systems/{host}$2 HTTP/1.0" \\
        "Authorization: {login}" "Content-Type: application/json" "Content-Length: ${{#3}}" "" >&3
    printf %s "$3" >&3
    cat <&3
}}
reset() {{
    body="{{\\"ResetType\\":\\"$1\\"}}"
    case $(ask POST /Actions/ComputerSystem.Reset "$body") in *" 204 "*) ;; *) exit 1 ;; esac
}}
case "$1 $2 $3" in
"get power "*)
    case $(ask GET) in
    *'"PowerState":"On"'*) echo power:1 ;;
    *'"PowerState":"Off"'*) echo power:0 ;;
    *) exit 1 ;;
    esac ;;
"set power 0"*) reset ForceOff ;;
"set power 1"*) reset On ;;
esac
"""

LAN = """name "bmc"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
  chassis_control "{folder}/chassis"
  user 1 true "" "none" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

EMULATOR = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
"""


def port_of(places: Places, host: str) -> int:
    """Return where it listens, by UDP: on loopback the number that its Redfish has by TCP."""
    return places.bmc_port(host) if places.slot is None else PORT


async def serve(hosts: Hosts, host: str, login: str) -> None:
    """Keep it running while the BMC is not dead. It ends with whoever runs this."""
    program = planes.where("ipmi_sim")
    if program is None:
        return
    folder = written(hosts.places, host, login)
    words = [program, "-c", "lan.conf", "-f", "sim.emu", "-s", "state", "-n"]
    if hosts.places.slot is not None:
        space = planes.NAMESPACES / planes.bmc_space(hosts.places, host)
        words = [str(planes.where("nsenter")), f"--net={space}", *words]
    runs: Process | None = None
    while True:
        is_dead = hosts.bmc(host) is BmcMode.DEAD
        if is_dead and runs is not None:
            runs.kill()
            await runs.wait()
            runs = None
        elif not is_dead and (runs is None or runs.returncode is not None):
            runs = await create_subprocess_exec(*words, cwd=folder, stdin=DEVNULL, stdout=DEVNULL)
        await asyncio.sleep(LOOK_S)


def written(places: Places, host: str, login: str) -> Path:
    """Write what it reads. Safe to repeat."""
    folder, address = places.etc / "ipmi" / host, places.host_at(Network.OOB, host)
    (folder / "state").mkdir(parents=True, exist_ok=True)
    chassis = folder / "chassis"
    at = places.bmc_port(host)
    chassis.write_text(CHASSIS.format(address=address, port=at, host=host, login=login))
    chassis.chmod(0o755)
    (folder / "sim.emu").write_text(EMULATOR)
    (folder / "lan.conf").write_text(
        LAN.format(
            address=address,
            port=port_of(places, host),
            guid=f"{places.machines.index(host):032x}",
            folder=folder,
            user=USER,
            password=PASSWORD,
        )
    )
    return folder
