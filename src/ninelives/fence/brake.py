"""As the first device of a level: fail it while the storm brake holds.

It asks the controller of this machine, which may know better than Pacemaker that half the hosts
have "died" together. Nobody there, or no answer in time: it passes. A brake that holds because
its own maker is down would keep every host from being rescued.
"""

import json
import socket

ANSWER_S = 1.0  # in all: this stands in front of every fencing
ANSWER_BYTES_MAX = 65_536


class Answer:
    """What the controller says. `held` is why a shot is held, "" while none is."""

    __slots__ = ("held", "nobody")

    def __init__(self, held: str = "", nobody: str = "") -> None:
        self.held, self.nobody = held, nobody  # the latter: why nobody could be asked


def asked(node: str, path: str, limit_s: float = ANSWER_S) -> Answer:
    """Ask about one host. Never raises, never takes longer than `limit_s` for each read."""
    request = f"GET /v1/brakes/storm/{quoted(node)} HTTP/1.0\r\nHost: ninelives\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(limit_s)
            channel.connect(path)
            channel.sendall(request.encode())
            return read(whole(channel))
    except OSError as error:
        return Answer(nobody=f"{path}: {error.strerror or error}")


def quoted(name: str) -> str:
    """Write a name as part of a URL: urllib's own way takes longer to import than to ask. Pure."""
    plain = "-._~"
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in plain else f"%{byte:02X}"
        for byte in name.encode()
    )


def whole(channel: socket.socket) -> bytes:
    answer = b""
    while len(answer) < ANSWER_BYTES_MAX and (some := channel.recv(4096)):
        answer += some
    return answer


def read(answer: bytes) -> Answer:
    """Read the reply. Pure. Whatever is not a plain yes is no brake."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        return Answer(nobody=f"answered {b' '.join(status).decode(errors='replace') or 'nothing'}")
    try:
        document: dict[str, object] = json.loads(body)
        held = document.get("held", "")
    except (ValueError, AttributeError):
        return Answer(nobody="answered something else")
    return Answer(held=held if isinstance(held, str) else "")
