"""Real controllers as processes of their own, beside a stand-in cloud, with one store."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

PATIENCE_S = 60.0


@dataclass
class Controller:
    """One process. Its log is a file of JSON lines."""

    name: str
    config: Path
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.config.with_suffix(".log")
        with self.log.open("ab") as stderr:
            self.process = subprocess.Popen(self.command(), stderr=stderr)

    def command(self) -> list[str]:
        program = "from ninelives.app.cli import main; main()"
        own = ("-c", str(self.config), "--name", self.name)
        return [sys.executable, "-c", program, "controller", *own]

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
        except (OSError, HTTPException) as error:  # it may die in the middle of its answer
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
