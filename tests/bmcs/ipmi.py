"""An IPMI BMC on loopback: OpenIPMI's `ipmi_sim`, which asks a small program about the power."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bmcs.machine import USER, Fault, Machine

from ninelives.lab.ipmi import EMULATOR, LAN

IPMI_PASSWORD = "lab-only=16#c$r"  # of IPMI's 20 characters at most; the simulator knows no blanks
PATIENCE_S = 10.0
GUID = "a123456789abcdefa123456789abcdef"

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
            LAN.format(
                address="127.0.0.1",
                port=self.port,
                guid=GUID,
                folder=folder,
                user=USER,
                password=IPMI_PASSWORD,
            )
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
