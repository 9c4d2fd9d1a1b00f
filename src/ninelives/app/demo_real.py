"""The true demo: real controllers, HTTP and time, against a cloud that stands in on loopback.

    stand-in (Keystone, Nova, Placement, a Redfish BMC a host)  ◀── HTTP ──  n1, n2 (processes)
       c1 loses its power ──▶ silence ──▶ proved off ──▶ evacuated; the leader is killed meanwhile

Nothing outside this machine is touched, and nothing is left behind.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

from .demo_site import CONTROLLERS, written

LIMIT_S = 240.0  # for the whole of it, on a slow machine
LOOK_S = 0.1
ANSWER_S = 10.0
PLAN = Plan(hosts=3, servers=6, spawn_s=12.0, pace=0.25, report_interval_s=1.0)
VICTIM = "c1"
TOLD = {  # what of a controller's log is worth a line here
    "term.began": "leads",
    "host.moved": "",
    "shot.fired": "power off, by",
    "proof.made": "proof:",
    "service.forced_down": "Nova is told that it is down",
    "move.sent": "evacuate to",
    "move.unknown": "what became of it is looked up",
    "move.done": "is back on",
}


class Host(BaseModel):
    """One host as it really is."""

    name: str
    power: str
    guests: tuple[str, ...]


class Twice(BaseModel):
    """Servers that ran on two hosts at once, ever."""

    ever: dict[str, tuple[str, ...]]


class Truth(BaseModel):
    """The stand-in as it really is."""

    hosts: tuple[Host, ...]
    names: dict[str, str]  # of servers
    twice: Twice
    evacuations: dict[str, int]  # by server, as Nova counts them

    def guests(self, host: str) -> tuple[str, ...]:
        return next(each.guests for each in self.hosts if each.name == host)


@dataclass
class Running:
    """One controller, and how much of its log was read."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes]"
    lines_read: int = 0

    def news(self) -> Iterator[Mapping[str, str]]:
        """Yield what it wrote since; a line that is not whole yet waits."""
        lines = self.log.read_text().split("\n")[:-1]
        fresh, self.lines_read = lines[self.lines_read :], len(lines)
        for line in fresh:
            if line.startswith("{"):
                yield json.loads(line)


@dataclass
class Stage:
    """The whole of it while it runs."""

    console: Console
    cloud: Served
    controllers: list[Running]
    names: Mapping[str, str]
    began: float = field(default_factory=time.monotonic)
    states: dict[str, str] = field(default_factory=dict[str, str])  # of hosts and servers
    leader: str = ""

    def until(self, what: str, is_so: Callable[[], bool]) -> bool:
        """Tell what happens until `is_so`; False: the time was up."""
        while not is_so():
            if time.monotonic() - self.began > LIMIT_S:
                self.say("demo", f"it did not come to this: {what}", "bold red")
                return False
            for each in self.controllers:
                for event in each.news():
                    self._heard(each.name, event)
            time.sleep(LOOK_S)
        return True

    def say(self, who: str, words: str, style: str = "") -> None:
        after_s = time.monotonic() - self.began
        line = Text.assemble((f"{after_s:6.1f}  ", "dim"), (f"{who:<7}", "cyan"), (words, style))
        self.console.print(line, soft_wrap=True)

    def _heard(self, who: str, event: Mapping[str, str]) -> None:
        what, about, why = event["event"], event.get("about", ""), event.get("why", "")
        if what == "term.began":
            self.leader = who
        if what not in TOLD:
            return
        detail = event.get("detail", "")
        self.states[about] = detail.partition("→ ")[2] if what == "host.moved" else what
        name = "" if about == "control" else self.names.get(about, about)
        style = "bold green" if what in ("proof.made", "move.done") else ""
        order = (detail, why) if what in ("host.moved", "move.done") else (why, detail)
        self.say(who, " ".join(filter(None, (name, TOLD[what], *order))), style)


def show_real(console: Console) -> bool:
    """Play it. True: every server came back, each was sent once, and none ran twice."""
    console.print(Text("A host loses its power, and then the leader its life", style="bold"))
    console.print("Two controllers, true HTTP and true time; only the OpenStack stands in.\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ninelives-")))
        cloud = stack.enter_context(served(PLAN))
        # At the end it is closed with callers still waiting; that is no news to who watches.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        running = [stack.enter_context(started(folder, cloud, name)) for name in CONTROLLERS]
        stage = Stage(console, cloud, running, truth(cloud).names)
        is_over = played(stage)
        return judged(stage) and is_over


def played(stage: Stage) -> bool:
    hosts = list(stage.cloud.bmc_urls)
    if not stage.until(
        "every host is well", lambda: all(stage.states.get(host) == "healthy" for host in hosts)
    ):
        return False
    lost = truth(stage.cloud).guests(VICTIM)
    names = " and ".join(stage.names[server] for server in lost)
    asked(stage.cloud, f"/hosts/{VICTIM}/off", "POST")
    stage.say("", f"{VICTIM} loses its power, with {names} on it", "bold red")
    if not stage.until("it is sent for", lambda: "move.sent" in stage.states.values()):
        return False
    [leader] = [each for each in stage.controllers if each.name == stage.leader]
    leader.process.kill()
    stage.say("", f"{leader.name} is killed in the middle of it", "bold red")
    back = {"move.done"}
    return stage.until(
        "every server is back", lambda: {stage.states.get(server) for server in lost} == back
    )


def judged(stage: Stage) -> bool:
    """Hold what happened against what the stand-in knows to be true."""
    found = truth(stage.cloud)
    stage.console.print()
    for host in found.hosts:
        guests = " ".join(sorted(found.names[server] for server in host.guests))
        stage.console.print(f"  {host.name}  {host.power:<3}  {guests}", highlight=False)
    again = {server: count for server, count in found.evacuations.items() if count != 1}
    if found.twice.ever or again:
        wrong = f"ran twice: {found.twice.ever}; not sent once: {again}"
        stage.console.print(Text(f"  this should not have happened: {wrong}", style="bold red"))
    else:
        good = f"{len(found.evacuations)} servers were sent for once each; none ever ran twice"
        stage.console.print(Text(f"  {good}", style="bold"))
    return not found.twice.ever and not again


# --------------------------------------------------------------------------------- its parts


def truth(cloud: Served) -> Truth:
    return Truth.model_validate_json(asked(cloud, "", "GET"))


def asked(cloud: Served, path: str, method: str) -> bytes:
    request = Request(f"{cloud.url}/control{path}", method=method)  # noqa: S310 - our own
    with urlopen(request, timeout=ANSWER_S) as reply:  # noqa: S310
        found: bytes = reply.read()
        return found


@contextmanager
def started(folder: Path, cloud: Served, name: str) -> Generator[Running]:
    """Start one controller; whatever happens, it is gone in the end."""
    config, log = written(folder, name, cloud), folder / f"{name}.log"
    program = "from ninelives.app.cli import main; main()"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-P", "-c", program, "controller", "-c", str(config), "--name", name],
            stderr=stderr,
        )
    try:
        yield Running(name, log, process)
    finally:
        process.kill()
        process.wait()
