"""Who is told hears each word: by HTTP, by a program, by mail, and again where it failed."""

import asyncio
import json
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from ninelives.adapters.command import Command
from ninelives.adapters.smtp import Mail
from ninelives.adapters.webhook import Webhook, alert_of
from ninelives.app.config.configuration import Secret, Told
from ninelives.app.notices import Notices, sent
from ninelives.core.events import Outcome
from ninelives.engine.ports import Word

WORD = Word("c1", "held:storm", 3, "five of twelve")


class Listener(HTTPServer):
    """Keeps what was posted; answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.status = 200
        self.heard: list[tuple[str, str, object]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Posted(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Listener)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.heard.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def listening() -> Generator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def told_by(name: str, url: str) -> Told:
    return Told(name, "webhook", url, (), "", "", Secret("token"), "", (), 5.0)


def test_a_webhook_gets_the_word_and_the_token() -> None:
    with listening() as server:
        assert asyncio.run(sent(Webhook(f"{server.url}/hook", "token"), WORD)) == ""

    [(path, token, body)] = server.heard
    assert (path, token) == ("/hook", "Bearer token")
    assert body == {"about": "c1", "what": "held:storm", "epoch": 3, "detail": "five of twelve"}


def test_an_alert_has_the_same_labels_each_time() -> None:
    alert, later = alert_of(WORD), alert_of(WORD._replace(detail="six of twelve"))

    assert alert["labels"] == later["labels"]
    assert alert["labels"]["alertname"] == "ninelives_held"
    with listening() as server:
        assert asyncio.run(sent(Webhook(server.url, is_alertmanager=True), WORD)) == ""
    assert server.heard == [("/api/v2/alerts", "", [alert])]


def test_who_has_taken_a_word_is_not_told_again_when_another_has_not() -> None:
    async def story(good: Listener, bad: Listener) -> None:
        notices = Notices((told_by("good", good.url), told_by("bad", bad.url)))
        bad.status = 500
        first = await notices.tell(*WORD)
        bad.status = 200
        second, third = await notices.tell(*WORD), await notices.tell(*WORD)

        assert (first.outcome, first.reason) == (Outcome.UNKNOWN, "not_taken")
        assert "bad" in first.detail
        assert (second.outcome, third.outcome) == (Outcome.DONE, Outcome.DONE)
        assert (len(good.heard), len(bad.heard)) == (1, 2)

    with listening() as good, listening() as bad:
        asyncio.run(story(good, bad))


def test_a_program_reads_the_word_from_its_stdin(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    assert asyncio.run(sent(Command(("/usr/bin/tee", str(heard))), WORD)) == ""

    assert json.loads(heard.read_text())["about"] == "c1"


def test_a_program_that_fails_hangs_or_is_not_there_has_taken_nothing() -> None:
    assert "ended with 1" in asyncio.run(sent(Command(("/bin/false",)), WORD))
    assert "no end within" in asyncio.run(sent(Command(("/bin/sleep", "60"), 0.2), WORD))
    assert "is it there?" in asyncio.run(sent(Command(("/no/such/program",)), WORD))


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as one message needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        lines: list[bytes] = []
        is_body = False
        while line := self.rfile.readline():
            lines.append(line)
            if is_body and line != b".\r\n":
                continue
            word = line[:4].upper()
            is_body = word == b"DATA"
            answers = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
            self.wfile.write(answers.get(word, b"250 ok\r\n"))
            if word == b"QUIT":
                break
        heard_mail.append(b"".join(lines).decode())


heard_mail: list[str] = []


def test_a_mail_names_the_host_in_its_subject() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        at = f"127.0.0.1:{server.server_address[1]}"
        mail = Mail(at, "ninelives@example.net", ("ops@example.net",))
        assert asyncio.run(sent(mail, WORD)) == ""
        thread.join()

    assert "Subject: ninelives: c1 held:storm" in heard_mail[-1]
    assert "five of twelve" in heard_mail[-1]


def test_a_mail_server_that_is_not_there_has_taken_nothing() -> None:
    assert "127.0.0.1:1" in asyncio.run(sent(Mail("127.0.0.1:1", "a@b", ("c@d",)), WORD))
