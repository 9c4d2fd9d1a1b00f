"""Words to the service manager: one datagram each, to the socket that it named (sd_notify(3)).

Where nobody named one, nobody is told.
"""

import asyncio
import os
import socket
import time
from collections.abc import Mapping

WATCHDOG_SHARE = 0.5  # of the manager's deadline: one beat may be lost


def notify(*words: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the manager, for example "READY=1"."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto("\n".join(words).encode(), address)
        except OSError:
            return  # a manager that does not listen is no reason to stop


def reloading() -> None:
    """Say that a new configuration is being taken, with the instant the manager wants to know."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often the manager wants to hear of us; None where it does not."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    deadline = environment.get("WATCHDOG_USEC", "")
    return int(deadline) / 1e6 * WATCHDOG_SHARE if deadline.isdigit() else None


async def beat(every_s: float) -> None:
    """Tell the manager that this loop still turns. One that hangs is killed, and started again."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(every_s)
