"""An IPMI BMC on loopback: OpenIPMI's `ipmi_sim`, which asks a small program about the power."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bmcs.machine import USER, Fault, Machine

IPMI_PASSWORD = "lab-only=16#c$r"  # of IPMI's 20 characters at most; the simulator knows no blanks
PATIENCE_S = 10.0

# ipmi_sim 2.0.33 calls it as `get power`, `set power 0`, `check power`; see chassis_control in
# ipmi_lan(5), which tells of an address argument that never comes.
CHASSIS = """#!/bin/sh
cd "{folder}" || exit 1
case "$1 $2" in
"get power")
    power=$(cat power)
    [ -e says_on ] && power=1
    [ -e says_off ] && power=0
    echo "power:$power" ;;
"set power") [ -e stuck ] || echo "$3" > power ;;
esac
exit 0
"""

LAN = """name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{folder}/chassis"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

EMULATOR = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
"""


@dataclass
class IpmiBmc:
    """One `ipmi_sim`, the BMC of one machine."""

    machine: Machine

    def __post_init__(self) -> None:
        folder, self.port = self.machine.folder, free_port()
        (folder / "state").mkdir()
        chassis = folder / "chassis"
        chassis.write_text(CHASSIS.format(folder=folder))
        chassis.chmod(0o755)
        (folder / "sim.emu").write_text(EMULATOR)
        (folder / "lan.conf").write_text(
            LAN.format(port=self.port, folder=folder, user=USER, password=IPMI_PASSWORD)
        )
        self._process = subprocess.Popen(
            ["ipmi_sim", "-c", "lan.conf", "-f", "sim.emu", "-s", "state", "-n"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._await_start()

    def break_by(self, fault: Fault) -> None:
        if fault is Fault.SILENT:
            os.kill(self._process.pid, signal.SIGSTOP)
        else:
            self.machine.break_by(fault)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def _await_start(self) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while f":{self.port:04X} " not in Path("/proc/net/udp").read_text():
            assert self._process.poll() is None, "ipmi_sim did not take its configuration"
            assert time.monotonic() < give_up, "ipmi_sim does not listen"
            os.sched_yield()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
