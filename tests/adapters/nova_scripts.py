"""A wire without a network: it answers from a script, and remembers what was asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ninelives.adapters.nova.pace import Limits, Pace
from ninelives.adapters.nova.session import NOVA, Session
from ninelives.adapters.nova.wire import Reply, Request

Told = Callable[[Request], "Reply | Exception"]
VERSION = {"version": {"id": "v2.1", "version": "2.96", "min_version": "2.1"}}
DATE = "Sun, 22 Nov 2026 18:00:00 GMT"


def reply(status: int, body: object = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = b"" if body is None else json.dumps(body).encode()
    return Reply(status, {"date": DATE, **named}, text)


@dataclass
class ScriptedWire:
    """`told` maps "METHOD path" to answers, given in turn; the last one again and again."""

    told: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.told.setdefault("GET /compute/v2.1/", [reply(200, VERSION)])

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        self.asked.append(request)
        path = urlsplit(request.url).path
        answers = self.told[f"{request.method} {path}"]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Reply)
        return answer

    async def close(self) -> None:
        self.asked.clear()

    def sent(self, method: str) -> list[Request]:
        return [each for each in self.asked if each.method == method]

    def query(self, number: int) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.asked[number].url).query))


@dataclass
class Somebody:
    """An identity whose tokens are counted."""

    tokens: int = 1
    is_ready: bool = True

    async def headers(self) -> Mapping[str, str]:
        self.is_ready = True
        return {"X-Auth-Token": f"token-{self.tokens}"}

    def headers_now(self) -> Mapping[str, str] | None:
        return {"X-Auth-Token": f"token-{self.tokens}"} if self.is_ready else None

    async def renew(self) -> None:
        self.tokens += 1

    async def endpoint(self, service: str) -> str:
        return f"http://cloud/{service}" + ("/v2.1" if service == "compute" else "")

    async def user_id(self) -> str:
        return "ninelives-user"


def session(wire: ScriptedWire, identity: Somebody | None = None) -> Session:
    return Session(wire, identity or Somebody(), NOVA, Pace(Limits()))
