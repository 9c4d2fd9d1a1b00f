"""Words to whoever listens over HTTP: a webhook with one document each, or an Alertmanager.

An Alertmanager tells equal alerts apart by their labels and repeats them by itself, so what may
change from one telling to the next stands in the annotations.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from ninelives.engine.errors import Refused, Unreachable
from ninelives.engine.ports import Word

ALERTS_PATH = "/api/v2/alerts"  # of Alertmanager from 0.16 on


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address that takes a POST."""

    url: str
    token: str = field(default="", repr=False)
    timeout_s: float = 10.0
    is_alertmanager: bool = False

    async def send(self, word: Word) -> None:
        """Send one word; `PortError` where it was not taken, or nobody knows."""
        url = self.url.rstrip("/") + ALERTS_PATH if self.is_alertmanager else self.url
        body = [alert_of(word)] if self.is_alertmanager else word._asdict()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        status = await self._posted(url, json.dumps(body), headers)
        if not 200 <= status < 300:
            raise Refused(f"{self.url} answers {status}", "is it the right address and token?")

    async def _posted(self, url: str, body: str, headers: Mapping[str, str]) -> int:
        limit = aiohttp.ClientTimeout(total=self.timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as client,
                client.post(url, data=body, headers=headers, allow_redirects=False) as reply,
            ):
                return reply.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self.url}: {error!r}") from error


def alert_of(word: Word) -> dict[str, dict[str, str]]:
    """Write a word as an alert. Pure."""
    what, _, reason = word.what.partition(":")
    labels = {"alertname": f"ninelives_{what}", "about": word.about, "severity": "warning"}
    if reason:
        labels["reason"] = reason
    summary = " ".join(filter(None, (word.about, word.what, word.detail)))
    return {"labels": labels, "annotations": {"summary": summary, "episode": str(word.epoch)}}
