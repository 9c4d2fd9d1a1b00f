"""Whoever is told: each word once, to everybody who is configured, and to the log always.

    core ──▶ outbox ──▶ tell ──▶ log, and every receiver that has not taken it
               ▲                      │ somebody did not: UNKNOWN
               └── offered again ◀────┘ all did: DONE, and it leaves the outbox

A new leader offers again what the last one had no answer to. So a receiver may hear a word twice
after a change of leader, and never less than once.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol, assert_never

from ninelives.adapters.command import Command
from ninelives.adapters.smtp import Mail
from ninelives.adapters.webhook import Webhook
from ninelives.core.events import Outcome
from ninelives.engine.errors import PortError
from ninelives.engine.ports import ACCEPTED, Answer, Word

from .config.configuration import Told

log = logging.getLogger(__name__)

REMEMBERED_MAX = 10_000  # words; an older one that came again would be told again


class Receiver(Protocol):
    """One who is told. Raises `PortError` where it was not taken, or nobody knows."""

    async def send(self, word: Word) -> None: ...


def receiver_of(told: Told) -> Receiver:
    """Build one receiver."""
    match told.kind:
        case "webhook" | "alertmanager":
            is_alertmanager = told.kind == "alertmanager"
            return Webhook(told.url, told.password.password, told.timeout_s, is_alertmanager)
        case "command":
            return Command(told.command, told.timeout_s)
        case "smtp":
            password = told.password.password
            return Mail(told.server, told.sender, told.to, told.user, password, told.timeout_s)
        case _:
            assert_never(told.kind)


class Notices:
    """The port `Notifier`."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._receivers: Mapping[str, Receiver] = {each.name: receiver_of(each) for each in told}
        self._taken: OrderedDict[Word, set[str]] = OrderedDict()

    async def tell(self, about: str, what: str, epoch: int, detail: str) -> Answer:
        """Tell everybody who has not taken this word yet. DONE once all have."""
        word = Word(about, what, epoch, detail)
        taken = self._remembered(word)
        failed: list[str] = []

        async def send(name: str) -> None:
            why = await sent(self._receivers[name], word)
            if why:
                failed.append(f"{name}: {why}")
            else:
                taken.add(name)

        async with asyncio.TaskGroup() as tasks:
            for name in self._receivers.keys() - taken:
                tasks.create_task(send(name))
        if failed:
            log.warning("notice.failed", extra={"about": about, "why": "; ".join(failed)})
            return Answer(Outcome.UNKNOWN, "not_taken", "; ".join(failed))
        return ACCEPTED

    def _remembered(self, word: Word) -> set[str]:
        if word not in self._taken:
            log.warning("notice.told", extra=word._asdict())
            self._taken[word] = set()
            if len(self._taken) > REMEMBERED_MAX:
                self._taken.popitem(last=False)
        return self._taken[word]


async def sent(receiver: Receiver, word: Word) -> str:
    """Send one word; return why it was not taken, "" when it was."""
    try:
        await receiver.send(word)
    except PortError as error:
        return str(error)
    return ""
