"""Power through any ClusterLabs fence agent of the system: `off`, `status`, `on`, nothing else.

    status   0 and "ON": on     2 and "OFF": off     anything else: unreadable
    off, on  0: acknowledged, or refused because it was so already     anything else: unknown

Laws:
  - What an agent returns from `off` proves nothing. What `status` reads afterwards does.
  - The number 2 alone is no "off": Python and the shell end with it when they cannot even run an
    agent, for example while its package is being replaced.
  - Options go in by stdin. Secrets are in no argument, log, repr or answer of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ninelives.adapters import process
from ninelives.adapters.fence_metadata import NO_AGENT, Metadata, metadata_from
from ninelives.adapters.process import Ended, Program
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.device import Identity, Look
from ninelives.engine.errors import Refused, Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

FOLDERS = (Path("/usr/sbin"), Path("/usr/bin"), Path("/usr/local/sbin"))
METADATA_S = 20.0
# Below the core's own limits (`read_timeout_s`, `off_timeout_s`), so that an agent which hangs is
# asked to end, and what it printed is told.
READ_S = 4.5
ORDER_S = 24.0
DETAIL_MAX = 300

TRUST: tuple[str, ...] = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
IS_ON, IS_OFF = 0, 2
SAYS = re.compile(r"^Status: *(ON|OFF)\s*$", re.IGNORECASE | re.MULTILINE)
SAYS_ALREADY = re.compile(r"^Success: Already (ON|OFF)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FenceAgent:
    """One device behind one agent, set up as `fence_metadata.findings` found good."""

    program: Path
    options: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca_file: Path | None = None  # for agents that speak HTTPS by Python's requests or by curl
    read_s: float = READ_S
    order_s: float = ORDER_S

    async def look(self) -> Look:
        """Read the power. UNREADABLE unless the number and the words say the same."""
        ended = await self._run("status", self.read_s)
        said = SAYS.findall(ended.stdout)
        match ended.code, [word.upper() for word in said]:
            case int(code), ["ON"] if code == IS_ON:
                return Look(Power.ON)
            case int(code), ["OFF"] if code == IS_OFF:
                return Look(Power.OFF)
            case _:
                return Look(Power.UNREADABLE, self._words_of(ended))

    async def identity(self) -> Identity:
        """Say nothing: no agent tells whose power it switches."""
        return Identity()

    async def switch_off(self) -> Answer:
        return await self._order("off")

    async def switch_on(self) -> Answer:
        return await self._order("on")

    async def close(self) -> None:
        """Nothing stays open: each call is a process of its own."""

    async def _order(self, action: str) -> Answer:
        try:
            ended = await self._run(action, self.order_s)
        except Refused as error:
            return Answer(Outcome.REFUSED, "not_installed", str(error))
        if ended.code != 0:
            return Answer(Outcome.UNKNOWN, "agent_failed", self._words_of(ended))
        # The agent read the power first, and sent nothing to a device that had it so already.
        if action.upper() in (word.upper() for word in SAYS_ALREADY.findall(ended.stdout)):
            return Answer(Outcome.REFUSED, f"already_{action}")
        return ACCEPTED

    async def _run(self, action: str, deadline_s: float) -> Ended:
        """Call the agent. `Unreachable` at the deadline, `Refused` where there is no agent."""
        stdin = options_for(action, {**self.options, **self.secrets})
        trust = dict.fromkeys(TRUST, str(self.ca_file)) if self.ca_file else {}
        try:
            ended = await process.run(Program((str(self.program),), deadline_s, stdin, trust))
        except OSError as error:
            raise Refused(f"{self.program}: {error.strerror}", "install fence-agents") from error
        if ended.code is None:
            raise Unreachable(f"{self.program.name} {action}: no end within {deadline_s:g} s")
        return ended

    def _words_of(self, ended: Ended) -> str:
        """Return the last line that says something, for people; no secret in it."""
        lines = [line.strip() for line in (ended.stdout + ended.stderr).splitlines()]
        telling = [line for line in lines if line and "use '-h'" not in line]
        words = " ".join([f"exit code {ended.code}", *telling[-1:]])
        for secret in sorted(filter(None, self.secrets.values()), key=len, reverse=True):
            words = words.replace(secret, "***")
        return words[:DETAIL_MAX]


def options_for(action: str, options: Mapping[str, str]) -> bytes:
    """Write an agent's stdin: one option a line, the action last, for the last one counts."""
    lines = [f"{name}={quoted(value)}" for name, value in options.items()]
    text = "\n".join([*lines, f"action={action}", ""])
    assert text.count("\n") == len(options) + 1, "a value that would be an option of its own"
    return text.encode()


def quoted(value: str) -> str:
    """Protect a value that agents would strip of blanks or of its own quotes (fencing.py)."""
    is_safe = value == value.strip() and not (value[:1] == value[-1:] == '"')
    return value if is_safe else f'"{value}"'


def find_program(agent: str) -> Path | None:
    """Find an agent by its name where distributions put them; a path is taken as it is."""
    places = [Path(agent)] if "/" in agent else [folder / agent for folder in FOLDERS]
    return next((place for place in places if place.is_file()), None)


async def metadata_of(program: Path) -> Metadata:
    """Ask an agent what it is. `Refused` where it does not run, `Garbled` where it makes no sense.

    Offline and harmless: an agent answers this before it looks at anything else.
    """
    asked = Program((str(program), "--action", "metadata"), METADATA_S)
    try:
        ended = await process.run(asked)
    except OSError as error:
        raise Refused(f"{program}: {error.strerror}", "install fence-agents") from error
    if ended.code != 0:
        raise Refused(f"{program}: no metadata, exit code {ended.code}", NO_AGENT)
    return metadata_from(program.name, ended.stdout)
