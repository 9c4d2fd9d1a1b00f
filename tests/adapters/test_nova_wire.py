"""The real wire over loopback: what it says when nobody listens, or nobody answers."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ninelives.adapters.nova.wire import HttpWire, Lost, NotReached, Request

Value = TypeVar("Value")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Openstack-Request-Id: req-1\r\n\r\n{}"
ELSEWHERE = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers each request on a connection with the same bytes; b"" hangs up instead."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        while head := await self._request(reader):
            self.requests.append(head.partition(b" HTTP")[0])
            writer.write(self.answer)
            if not self.answer:
                break
        writer.close()

    async def _request(self, reader: StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""


def over(server: Server, story: Callable[[HttpWire, str], Awaitable[Value]]) -> Value:
    async def run() -> Value:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port: int = listening.sockets[0].getsockname()[1]
        wire = HttpWire()
        try:
            return await story(wire, f"http://127.0.0.1:{port}/x")
        finally:
            await wire.close()
            await asyncio.sleep(0)
            listening.close()
            await listening.wait_closed()

    return asyncio.run(run())


@pytest.mark.parametrize(("method", "connections"), [("GET", 1), ("POST", 2), ("PUT", 2)])
def test_what_changes_something_gets_a_connection_of_its_own(method: str, connections: int) -> None:
    async def twice(wire: HttpWire, url: str) -> list[str]:
        answers = [await wire.exchange(Request(method, url), 5.0) for _ in range(2)]
        return [answer.request_id for answer in answers]

    server = Server(OK)

    assert over(server, twice) == ["req-1", "req-1"]
    assert server.connections == connections


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_connection_that_ends_without_an_answer_is_lost(method: str) -> None:
    async def once(wire: HttpWire, url: str) -> None:
        with pytest.raises(Lost):
            await wire.exchange(Request(method, url), 5.0)

    server = Server(b"")

    over(server, once)

    assert len([each for each in server.requests if each.startswith(b"POST")]) == (method == "POST")


def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    async def once(wire: HttpWire, url: str) -> None:
        with pytest.raises(Lost):
            await wire.exchange(Request("POST", url), 0.1)

    over(Server(b"HTTP/1.1 200 OK\r\n"), once)


def test_a_port_that_nobody_listens_on_is_not_reached() -> None:
    async def once(wire: HttpWire, _: str) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
        with pytest.raises(NotReached):
            await wire.exchange(Request("POST", f"http://127.0.0.1:{port}/x"), 5.0)

    over(Server(OK), once)


def test_no_redirect_is_followed() -> None:
    async def once(wire: HttpWire, url: str) -> int:
        return (await wire.exchange(Request("POST", url), 5.0)).status

    server = Server(ELSEWHERE)

    assert over(server, once) == 302
    assert server.requests == [b"POST /x"]
