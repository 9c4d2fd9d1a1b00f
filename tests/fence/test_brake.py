"""What the agent makes of an answer to "does the storm brake hold?"."""

import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from ninelives.fence.brake import asked, quoted, read


def test_a_brake_that_holds_says_why() -> None:
    answer = read(b'HTTP/1.1 200 OK\r\nx: y\r\n\r\n{"held": "rack:a: 4 of at most 3"}')

    assert answer.held == "rack:a: 4 of at most 3"


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\nnonsense",
        b"HTTP/1.1 200 OK\r\n\r\n[1]",
        b'HTTP/1.1 404 Not Found\r\n\r\n{"held": "everything"}',
    ],
)
def test_whoever_does_not_say_so_plainly_holds_nothing(reply: bytes) -> None:
    answer = read(reply)

    assert not answer.held
    assert answer.nobody


def test_nobody_there_is_no_brake(tmp_path: Path) -> None:
    assert asked("c1", str(tmp_path / "api.sock")).nobody


def test_one_that_never_answers_is_no_brake(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "api.sock"))
        listening.listen(1)

        answer = asked("c1", str(tmp_path / "api.sock"), limit_s=0.2)

    assert not answer.held
    assert "timed out" in answer.nobody


@pytest.mark.parametrize("name", ["c1.example.com", "a/b", "hôte", "a%b?c#d"])
def test_a_name_goes_into_a_url_as_one_part_of_it(name: str) -> None:
    assert quoted(name) == quote(name, safe="")
