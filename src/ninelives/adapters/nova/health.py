"""Whether the control plane is well: canaries read from one list of its services, and Keystone.

    nova        the API answers                        (it reads its database for that)
    scheduler   one of them is up                      conductor: the same
    database    somebody's report was written lately
    bus         of the computes' reports, which come over the bus, some were
    keystone    it knows our own token

What is not shown is not judged: no data is never "ill".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ninelives.engine.errors import Refused

from .identity import Identity
from .services import COMPUTE, Roll
from .views import ServiceRow
from .wire import Request, Wire

WRITTEN_S = 45.0  # four reports of any service: they are written every 10 s
COMPUTES_MIN = 3  # fewer may well be down together
LOOK_TIMEOUT_S = 5.0


class Health:
    """What was told of each canary in this term, and when reports were last seen to grow."""

    def __init__(self) -> None:
        self._said: dict[str, bool] = {}
        self._newest: dict[str, tuple[datetime, float]] = {}

    def changed(self, answers: Mapping[str, bool]) -> list[tuple[str, bool]]:
        """Return which canaries are to be told of. All are thought well until one is seen ill."""
        news = [(name, ok) for name, ok in answers.items() if self._said.get(name, True) != ok]
        self._said.update(answers)
        return news

    def is_written(self, name: str, rows: Iterable[ServiceRow], now: float) -> bool:
        """Say whether the newest report of these was seen to grow not long ago, by our clock."""
        newest = max((row.reported_at for row in rows if row.reported_at is not None), default=None)
        if newest is None:
            return True  # nothing to judge by
        before, grew_at = self._newest.get(name, (newest, now))
        if newest > before:
            grew_at = now
        self._newest[name] = (max(newest, before), grew_at)
        return now < grew_at + WRITTEN_S


def answers_of(health: Health, roll: Roll | None, now: float) -> dict[str, bool]:
    """Judge every canary that a list of the services, or its absence, says something of."""
    if roll is None:
        return {"nova": False}
    rows = [row for row in roll.services if row.is_known]
    answers = {"nova": True, "database": health.is_written("database", rows, now)}
    for name in ("scheduler", "conductor"):
        those = [row for row in rows if row.binary == f"nova-{name}"]
        if those:
            answers[name] = any(row.is_up for row in those)
    computes = [row for row in rows if row.binary == COMPUTE and not row.is_forced_down]
    if len(computes) >= COMPUTES_MIN:
        answers["bus"] = health.is_written("bus", computes, now)
    return answers


async def keystone_answers(wire: Wire, identity: Identity) -> bool:
    """Let Keystone look at our own token; it reads its database for that."""
    headers = dict(await identity.headers())
    token = headers.get("X-Auth-Token")
    if token is None:
        return True  # a way to log in that needs none
    url = await identity.endpoint("identity")
    versioned = url if url.endswith("/v3") else f"{url}/v3"
    asked = Request("GET", f"{versioned}/auth/tokens", {**headers, "X-Subject-Token": token})
    reply = await wire.exchange(asked, LOOK_TIMEOUT_S)
    if reply.status in (401, 404):
        # It answers, but not to this token: whether a new one is to be had is the question then.
        try:
            await identity.renew()
        except Refused:
            return False
    return reply.status < 500
