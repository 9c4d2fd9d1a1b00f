"""Watching shows each change once where no terminal is, and outlives a moment without a leader."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from rich.console import Console

from ninelives.app.exits import Complaint, Exit
from ninelives.app.incident_watched import incident_picture
from ninelives.app.views import Document
from ninelives.app.watching import Look, watch


def looks(*found: Look | Complaint) -> Callable[[], Look]:
    following: Iterator[Look | Complaint] = iter(found)

    def look() -> Look:
        each = next(following)
        if isinstance(each, Complaint):
            raise each
        return each

    return look


def test_each_change_is_printed_once_until_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    watch(Console(file=StringIO()), looks(Look("a"), Look("a"), Look("b", is_over=True)), 0.0)

    assert capsys.readouterr().out == "a\nb\n"


def test_who_does_not_answer_for_a_moment_is_named_below_what_was_seen_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silent = Complaint("nobody leads", "wait", Exit.AGAIN)

    watch(Console(file=StringIO()), looks(Look("a"), silent, silent, Look("b", is_over=True)), 0.0)

    assert capsys.readouterr().out == "a\na\nnobody leads\nb\n"


def test_a_refusal_ends_it() -> None:
    refused = Complaint("no such incident", "look", Exit.USAGE)

    with pytest.raises(Complaint):
        watch(Console(file=StringIO()), looks(Look("a"), refused), 0.0)


def test_a_picture_says_how_far_the_servers_are() -> None:
    line: Document = {"wall": 12.5, "about": "web", "what": "move.sent", "why": "c2", "detail": ""}
    incident: Document = {
        "host": "c1",
        "number": 1,
        "began": 10.0,
        "ended": None,
        "state": "evacuating",
        "why": "dead_or_frozen",
        "servers": 3,
        "done": 1,
        "outcomes": {"web": "move.sent"},
        "timeline": [line],
    }
    drawn = StringIO()

    Console(file=drawn, width=100).print(incident_picture(incident, {"web": "verifying"}))

    assert "1 of 3 servers are back" in drawn.getvalue()
    assert "verifying" in drawn.getvalue()
    assert "2.5 s  web move.sent c2" in drawn.getvalue()
