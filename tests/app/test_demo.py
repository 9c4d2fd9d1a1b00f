"""The demo shows every story, fits its terminal, says the same without one, and stops at once."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ninelives.app.cli import main
from ninelives.app.demo import STORIES, STORY_S, Show, frames, pace, show_live, shows, world_time
from ninelives.app.demo_screen import Scene, screen
from ninelives.app.exits import Exit
from ninelives.app.incidents import together
from ninelives.app.picture import Picture
from ninelives.core.model import ServerId

LEAVES_SCREEN = b"\x1b[?1049l"


@pytest.fixture(scope="module")
def shown() -> list[Show]:
    return list(shows())


def test_lines_alone_tell_the_whole_demo() -> None:
    result = CliRunner().invoke(main, ["demo"])  # not a terminal

    assert result.exit_code == Exit.DONE
    assert [title for _, title in STORIES if title not in result.stdout] == []
    assert "\x1b" not in result.stdout
    assert "incident 1: a1, a2, a3" in result.stdout
    assert "Read on" in result.stdout


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (160, 50)])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_frame_fits_its_terminal(
    shown: list[Show], width: int, height: int, encoding: str
) -> None:
    for number, show in enumerate(shown, start=1):
        picture = Picture(show.scenario.setup)
        for when, happening in show.happenings:
            picture.saw(when, happening)
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        console = Console(file=out, width=width, height=height, legacy_windows=False)
        scene = Scene(show.title, show.scenario.why, number, len(STORIES))

        lines = console.render_lines(screen(console, scene, picture, show.played.lines, 99.0))

        assert len(lines) <= height


def test_a_terminal_that_knows_ascii_alone_is_spoken_to_in_ascii() -> None:
    program = str(Path(sys.executable).with_name("ninelives"))
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    told = subprocess.run([program, "demo", "--plain"], env=env, capture_output=True)

    assert told.returncode == Exit.DONE
    assert b"healthy -> suspect" in told.stdout
    assert b"?" not in told.stdout


def test_the_live_demo_shows_all_stories() -> None:
    out = io.StringIO()

    told = show_live(Console(file=out, force_terminal=True, width=80, height=24), speed=100.0)

    assert [show.title for show in told] == [title for _, title in STORIES]
    assert all(title in out.getvalue() for _, title in STORIES)


def test_the_demo_ends_within_forty_seconds(shown: list[Show]) -> None:
    assert len(STORIES) * (STORY_S + 1.2) <= 40.0
    for show in shown:
        assert list(frames(show, STORY_S))[-1][0] == pytest.approx(STORY_S)


def test_the_clock_of_the_world_passes_every_line_and_never_goes_back() -> None:
    knots = pace([5.0, 10.0, 300.0], 8.0)

    seen = [world_time(knots, step / 100) for step in range(801)]
    assert seen == sorted(seen)
    assert seen[-1] >= 300.0


def test_a_group_is_one_incident(shown: list[Show]) -> None:
    switch = next(show for show in shown if show.title == "A switch fails")

    assert [len(group) for group in together(switch.incidents)] == [3]


def test_the_servers_of_a_frozen_host_are_away_from_the_beginning(shown: list[Show]) -> None:
    freeze = next(show for show in shown if show.title == "A host freezes, and wakes up")
    [incident] = freeze.incidents

    moved = {line.who: line.when for line in freeze.played.lines if line.text == "done"}
    for server in (ServerId("web"), ServerId("db")):
        away = incident.outage_s(server)
        assert away is not None
        assert away == pytest.approx(moved[server] - 5.0, abs=2.0)


def test_an_outage_is_told_without_a_gap(shown: list[Show]) -> None:
    for incident in (each for show in shown for each in show.incidents):
        end = incident.marks.get("vacated", incident.ended)
        assert end is not None
        assert sum(took for _, took in incident.phases) == pytest.approx(end - incident.last_life)


def test_no_law_is_broken_and_every_claim_holds(shown: list[Show]) -> None:
    assert [show.played.violations for show in shown] == [()] * len(STORIES)
    assert [show.played.failed for show in shown] == [()] * len(STORIES)


def test_ctrl_c_gives_the_screen_back() -> None:
    leader, follower = pty.openpty()
    program = str(Path(sys.executable).with_name("ninelives"))
    env = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen([program, "demo"], stdout=follower, stderr=follower, env=env) as demo:
        os.close(follower)
        seen = read_until(leader, b"A host loses power")
        demo.send_signal(signal.SIGINT)
        seen += read_until(leader, b"interrupted")

        assert demo.wait(timeout=20) == Exit.INTERRUPTED
    os.close(leader)
    assert LEAVES_SCREEN in seen


def read_until(leader: int, words: bytes, limit_s: float = 20.0) -> bytes:
    seen, deadline = b"", time.monotonic() + limit_s
    while words not in seen and time.monotonic() < deadline:
        try:
            seen += os.read(leader, 65_536)
        except OSError:  # the other side was closed
            break
    return seen
