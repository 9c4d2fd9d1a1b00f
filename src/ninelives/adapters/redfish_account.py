"""Who we are to a BMC, and how its answers read: credentials, sessions, documents, errors.

Who was refused three times waits before it looks again: BMCs lock accounts, and one that our own
looks have locked would not take our `off`.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple, cast

from ninelives.adapters.redfish_wire import Raw, Wire
from ninelives.engine.errors import PortError

SESSIONS = "/redfish/v1/SessionService/Sessions"
WORDS_MAX = 300
REFUSED_MAX = 3
REFUSED_PAUSE_S = 30.0
LOG_OUT_S = 1.0

Document = Mapping[str, object]


class Reply(NamedTuple):
    """One answer of a BMC. `words` is what it comes to, for people."""

    status: int
    document: Document
    words: str


class Account:
    """One user of one BMC, by password with each request or by a session that it keeps open."""

    def __init__(self, wire: Wire, user: str, password: str, *, has_sessions: bool) -> None:
        self._wire, self._user, self._password = wire, user, password
        self._has_sessions = has_sessions
        self._session: Mapping[str, str] = {}  # the header that stands for it
        self._session_path = ""
        self._login = asyncio.Lock()
        self._refusals = 0
        self._refused_at = 0.0

    async def get(self, path: str) -> Reply:
        """Ask for a document. Safe to repeat."""
        now = asyncio.get_running_loop().time()
        if self._refusals >= REFUSED_MAX and now < self._refused_at + REFUSED_PAUSE_S:
            words = f"it refused our credentials {self._refusals} times: not asked for a while"
            return Reply(401, {}, words)
        return await self._asked("GET", path, b"")

    async def post(self, path: str, body: Mapping[str, str]) -> Reply:
        """Order something, once."""
        return await self._asked("POST", path, json.dumps(body).encode())

    async def close(self) -> None:
        """Give the session back: a BMC has few. One that does not answer ends it by itself."""
        if self._session:
            try:
                async with asyncio.timeout(LOG_OUT_S):
                    await self._sent("DELETE", self._session_path, self._session)
            except (PortError, TimeoutError):
                self._session = {}
        self._session = {}
        self._wire.close()

    async def _asked(self, method: str, path: str, body: bytes) -> Reply:
        shown = await self._credentials()
        reply = reply_of(await self._sent(method, path, shown, body))
        if reply.status == 401 and shown is self._session and shown:
            # It forgot our session, and so did nothing of what we asked: that is no second order.
            self._session = {}
            reply = reply_of(await self._sent(method, path, await self._credentials(), body))
        self._refusals = self._refusals + 1 if reply.status == 401 else 0
        self._refused_at = asyncio.get_running_loop().time()
        return reply

    async def _credentials(self) -> Mapping[str, str]:
        """Return the header that says who we are; an empty one where no session was to be had."""
        if not self._has_sessions:
            both = f"{self._user}:{self._password}".encode()
            return {"authorization": f"Basic {b64encode(both).decode()}"}
        async with self._login:
            if not self._session:
                name = {"UserName": self._user, "Password": self._password}
                raw = await self._sent("POST", SESSIONS, {}, json.dumps(name).encode())
                token = raw.headers.get("x-auth-token", "")
                if raw.status in (200, 201) and token:
                    self._session = {"x-auth-token": token}
                    self._session_path = _path_of(raw.headers.get("location", ""))
            return self._session

    async def _sent(
        self, method: str, path: str, shown: Mapping[str, str], body: bytes = b""
    ) -> Raw:
        plain = {"accept": "application/json", "odata-version": "4.0"}
        kind = {"content-type": "application/json"} if body else {}
        return await self._wire.send(method, path, {**plain, **kind, **shown}, body)


def reply_of(raw: Raw) -> Reply:
    """Read an answer; one that is no Redfish is an empty document."""
    document = _document(raw.body)
    said = _message(document) or ("no Redfish" if raw.body and not document else "")
    words = f"HTTP {raw.status}: {said}" if said else f"HTTP {raw.status}"
    return Reply(raw.status, document, words[:WORDS_MAX])


def _document(body: bytes) -> Document:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return {}
    return cast("Document", parsed) if isinstance(parsed, dict) else {}


def _message(document: Document) -> str:
    """Find the words of an error (DSP0266, "Error responses"), or of a state."""
    match document:
        case {"error": {"@Message.ExtendedInfo": [{"Message": str(message)}]}}:
            return message
        case {"error": {"message": str(message)} | {"code": str(message)}}:
            return message
        case {"PowerState": power}:
            return f"PowerState {power}"
        case _:
            return ""


def _path_of(location: str) -> str:
    """Return the path of a URL that may be absolute."""
    return "/" + location.split("://", 1)[-1].partition("/")[2]
