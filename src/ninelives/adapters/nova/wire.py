"""The one seam to HTTP: a request goes out once, an answer comes back or does not.

Reads share connections that are kept open. Whatever changes something gets a connection of its own:
one that stood idle may be closed by the other side at the very instant we write, and then nobody
could say whether the request was heard. A new one that cannot be opened says so.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import aiohttp

from ninelives.engine.errors import ConfigError, Unreachable

CONNECT_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 64
UNTRUSTED = "nobody signed its certificate whom the system or `cacert` in clouds.yaml trusts"


class NotReached(Unreachable):
    """No connection: it was certainly not heard."""


class Lost(Unreachable):
    """It went out, and no answer came: it may have been heard, or may yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """What an operator greps Nova's logs for."""
        return self.headers.get("x-openstack-request-id", "")

    @property
    def date(self) -> datetime | None:
        """The clock of whoever answered."""
        try:
            return parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None


class Wire(Protocol):
    """Whatever carries one request. Raises `NotReached` or `Lost`; never tries again."""

    async def exchange(self, request: Request, deadline_s: float) -> Reply: ...
    async def close(self) -> None: ...


def context_of(verify: bool, cacert: str, cert: str, key: str) -> ssl.SSLContext:
    """Build what TLS needs from what `clouds.yaml` says. Raises `ConfigError`."""
    try:
        context = ssl.create_default_context(cafile=cacert or None)
    except OSError as error:
        raise _unusable("cacert", cacert, error) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if cert:
            context.load_cert_chain(cert, key or None)
    except OSError as error:
        raise _unusable("cert", cert, error) from error
    return context


def _unusable(name: str, path: str, error: OSError) -> ConfigError:
    """Say which file of `clouds.yaml` it is: OpenSSL names none."""
    why = error.strerror or str(error)
    return ConfigError(f"{name}: {path}: {why}", "clouds.yaml names a file with PEM certificates")


class HttpWire:
    """aiohttp. It opens its connections in the loop that first asks it for something."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._clients: dict[bool, aiohttp.ClientSession] = {}

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        timeout = aiohttp.ClientTimeout(total=deadline_s, sock_connect=CONNECT_TIMEOUT_S)
        try:
            async with self._client(is_read=request.method == "GET").request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                timeout=timeout,
                allow_redirects=False,  # a POST that follows one is a second POST
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientConnectorCertificateError as error:
            raise NotReached(f"{request.url}: {error}", UNTRUSTED) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotReached(f"{request.url}: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(f"{request.url}: {error!r}") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status, headers, body)

    async def close(self) -> None:
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()

    def _client(self, is_read: bool) -> aiohttp.ClientSession:
        if is_read not in self._clients:
            tls = True if self._tls is None else self._tls
            kept = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=tls, force_close=not is_read)
            self._clients[is_read] = aiohttp.ClientSession(connector=kept)
        return self._clients[is_read]
