"""HTTPS to one BMC: who it is, one request at a time, and nothing that goes out behind our back.

A client for websites retries, follows, flushes and lingers. What we send may cut a host's power:

  - Nothing is sent to a BMC that did not prove who it is: by a certificate that somebody signed
    for it, or by the very one that was pinned.
  - No redirect is followed, no proxy is asked, nothing is sent a second time.
  - Who is cancelled has aborted the connection: what is still in a buffer is dropped, not flushed.
"""

import asyncio
import hashlib
import select
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from ninelives.engine.errors import Garbled, Unreachable

CONNECT_S = 5.0  # a BMC that is there takes a connection; one that is not must not hold up a road
# BMCs drop idle connections after some seconds, and a POST that meets one dropped is lost. Reads
# come every two seconds while a host is in trouble, so that a connection in use stays younger.
KEEP_S = 4.0
BODY_MAX = 262_144
READ_MAX = 65_536
UNTRUSTED = "name its ca_file or its fingerprint; `ninelives fencing test` shows what it presents"


class Untrusted(Unreachable):
    """Somebody is there, and did not prove to be this BMC. Nothing was sent."""


class Trust(NamedTuple):
    """How a BMC is known to be the one that is meant."""

    ca_file: Path | None = None  # None: whoever the system trusts
    fingerprint: bytes | None = None  # SHA-256 of its own certificate: then nothing else counts
    is_insecure: bool = False


class Raw(NamedTuple):
    """One answer, as it came."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Wire:
    """The way to one BMC, and the one connection that is kept for the next request."""

    def __init__(self, url: str, trust: Trust) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, "an address is checked where it is read"
        is_secured = parts.scheme != "http"
        self._url, self._host, self._location = url, parts.hostname, parts.netloc
        self._port = parts.port or (443 if is_secured else 80)
        self._pinned = trust.fingerprint
        self._context = _context(trust) if is_secured else None
        self._idle: _Connection | None = None

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Raw:
        """Send one request and read its answer. Without an answer: `Unreachable`, or `Garbled`."""
        try:
            connection = await self._connected()
        except OSError as error:
            raise self._unreachable(error) from error
        is_reusable = False
        try:
            length = {"content-length": str(len(body))} if method == "POST" else {}
            named = {"host": self._location, **headers, **length}
            raw, is_reusable = await connection.exchange(method, path, named, body)
        except OSError as error:
            raise self._unreachable(error) from error
        except h11.RemoteProtocolError as error:
            raise Garbled(f"{self._url}: this is no HTTP: {error}") from error
        finally:
            self._keep(connection) if is_reusable else connection.abort()
        return raw

    def close(self) -> None:
        if self._idle is not None:
            self._idle.abort()
            self._idle = None

    async def certificate(self) -> bytes:
        """Return what it presents, believed or not, in DER. Nothing is sent."""
        context = _context(Trust(is_insecure=True))
        try:
            connection = await _open(self._host, self._port, context)
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            return connection.certificate
        finally:
            connection.abort()

    async def _connected(self) -> "_Connection":
        """Return the connection that was kept, if it is fresh; else a new one, its end known."""
        idle, self._idle = self._idle, None
        if idle is not None and idle.is_fresh:
            return idle
        if idle is not None:
            idle.abort()
        connection = await _open(self._host, self._port, self._context)
        if self._context is not None and not self._is_pinned(connection):
            connection.abort()
            raise Untrusted(f"{self._url}: another certificate than the pinned", UNTRUSTED)
        return connection

    def _is_pinned(self, connection: "_Connection") -> bool:
        found = hashlib.sha256(connection.certificate).digest()
        return self._pinned is None or found == self._pinned

    def _keep(self, connection: "_Connection") -> None:
        self.close()
        self._idle = connection

    def _unreachable(self, error: OSError) -> Unreachable:
        if isinstance(error, ssl.SSLCertVerificationError):
            what = f"its certificate is not trusted: {error.verify_message}"
            return Untrusted(f"{self._url}: {what}", UNTRUSTED)
        if isinstance(error, TimeoutError):
            return Unreachable(f"{self._url}: no connection within {CONNECT_S:g} s")
        return Unreachable(f"{self._url}: {error.strerror or str(error) or type(error).__name__}")


class _Connection:
    """One connection, its end already known."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)
        self._used_at = 0.0

    @property
    def is_fresh(self) -> bool:
        """Say whether the other side may be expected to listen still.

        Between two requests a BMC has nothing to say but that it hangs up.
        """
        age_s = asyncio.get_running_loop().time() - self._used_at
        if age_s > KEEP_S or self._reader.at_eof() or self._writer.is_closing():
            return False
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    @property
    def certificate(self) -> bytes:
        secured = self._writer.get_extra_info("ssl_object")
        assert isinstance(secured, ssl.SSLObject)
        return secured.getpeercert(binary_form=True) or b""

    def abort(self) -> None:
        self._writer.transport.abort()

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Raw, bool]:
        """Send, and read the answer to its end. True: another request may follow."""
        request = h11.Request(method=method, target=path, headers=list(headers.items()))
        for part in (request, h11.Data(data=body), h11.EndOfMessage()):
            self._writer.write(self._http.send(part) or b"")
        response, content = None, bytearray()
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                content += event.data
                if len(content) > BODY_MAX:
                    raise h11.RemoteProtocolError(f"an answer of more than {BODY_MAX} bytes")
            elif isinstance(event, h11.EndOfMessage):
                break
        assert response is not None, "an end without a beginning"
        said = {name.decode(): value.decode("latin-1") for name, value in response.headers}
        return Raw(response.status_code, said, bytes(content)), self._is_reusable()

    async def _next_event(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            some = await self._reader.read(READ_MAX)
            if not some and self._http.their_state is h11.SEND_RESPONSE:
                raise ConnectionResetError("it hung up without an answer")
            self._http.receive_data(some)
        assert not isinstance(event, type), "we speak in turns"
        return event

    def _is_reusable(self) -> bool:
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._used_at = asyncio.get_running_loop().time()
        return True


async def _open(host: str, port: int, context: ssl.SSLContext | None) -> _Connection:
    async with asyncio.timeout(CONNECT_S):
        return _Connection(*await asyncio.open_connection(host, port, ssl=context))


def _context(trust: Trust) -> ssl.SSLContext:
    if trust.fingerprint is None and not trust.is_insecure:
        return ssl.create_default_context(cafile=trust.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the pinned certificate is compared instead, whatever its names
    context.verify_mode = ssl.CERT_NONE
    return context
