"""Words by mail: one short message each, which a pager's gateway may cut and still be right."""

import asyncio
import smtplib
from dataclasses import dataclass, field
from email.message import EmailMessage

from ninelives.engine.errors import Refused, Unreachable
from ninelives.engine.ports import Word

PORT = 25
PORT_TLS = 465


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail server, and to whom it carries words. "smtps://" speaks TLS from the first byte."""

    server: str
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 10.0

    async def send(self, word: Word) -> None:
        """Send one word, in a thread; `PortError` where it was not taken, or nobody knows."""
        try:
            await asyncio.to_thread(self._deliver, message_of(word, self.sender, self.to))
        except smtplib.SMTPResponseException as error:
            raise Refused(f"{self.server}: {error.smtp_code} {error.smtp_error!r}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(f"{self.server}: {error!r}") from error

    def _deliver(self, message: EmailMessage) -> None:
        scheme, _, place = self.server.rpartition("://")
        is_tls = scheme == "smtps"
        host, _, port = place.partition(":")
        kind = smtplib.SMTP_SSL if is_tls else smtplib.SMTP
        number = int(port or (PORT_TLS if is_tls else PORT))
        with kind(host, number, timeout=self.timeout_s) as server:
            if not is_tls and server.has_extn("starttls"):
                server.starttls()
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)


def message_of(word: Word, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Write a word as a mail. Pure."""
    message = EmailMessage()
    # A line break in a header would begin another header; EmailMessage refuses one.
    message["Subject"] = f"ninelives: {word.about} {word.what}".replace("\n", " ")
    message["From"], message["To"] = sender, ", ".join(to)
    message.set_content(f"{word.about} {word.what}\n{word.detail}\nepisode {word.epoch}\n")
    return message
