"""Words to the service manager, heard on a socket like its own."""

import os
import socket
from pathlib import Path

from ninelives.app.sd_notify import notify, watchdog_s


def test_a_word_is_one_datagram(tmp_path: Path) -> None:
    at = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(at)
        manager.settimeout(5.0)

        notify("READY=1", "STATUS=leads", environment={"NOTIFY_SOCKET": at})

        assert manager.recv(100) == b"READY=1\nSTATUS=leads"


def test_an_abstract_socket_is_found_too() -> None:
    name = f"ninelives-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        manager.settimeout(5.0)

        notify("READY=1", environment={"NOTIFY_SOCKET": "@" + name})

        assert manager.recv(100) == b"READY=1"


def test_without_a_manager_nobody_is_told(tmp_path: Path) -> None:
    notify("READY=1", environment={})
    notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")})


def test_the_watchdog_is_fed_twice_in_its_deadline() -> None:
    assert watchdog_s({"WATCHDOG_USEC": "20000000"}) == 10.0
    assert watchdog_s({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}) == 10.0
    assert watchdog_s({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_s({}) is None
