"""Who asked what of a server, as `ports.Compute` shows it: its user's word, and our own reboots."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud

from ninelives.core.model import REBOOT, MoveRecord
from ninelives.engine.ports import Compute

from .compute_site import C1, Site3, arrived, one


@pytest.fixture
def site(cloud: Cloud, tmp_path: Path) -> Generator[Site3]:
    yield Site3(cloud, tmp_path)
    assert cloud.ran_twice() == {}


def test_the_will_of_a_user_is_read_and_ours_is_none(site: Site3) -> None:
    async def story(compute: Compute) -> list[str]:
        await compute.stop(ours)
        return [(await one(compute, each)).user_action for each in (theirs, ours)]

    theirs, ours = site.servers_on(C1)
    site.cloud.login("demo").act(theirs, "os-stop")

    assert site.ask(story) == ["stop", ""]


def test_each_reboot_of_ours_is_on_record_and_those_of_others_are_not(site: Site3) -> None:
    async def story(compute: Compute) -> list[tuple[MoveRecord, ...]]:
        shown = [(await arrived(compute, theirs, C1)).records]
        for _ in range(2):
            await compute.hard_reboot(ours)
            shown.append((await arrived(compute, ours, C1)).records)
        return shown

    theirs, ours = site.servers_on(C1)
    site.cloud.login("demo").act(theirs, "reboot", {"type": "HARD"})

    none, [first], [second] = site.ask(story)

    assert none == ()
    assert (first.kind, first.source, first.target, first.is_final) == (REBOOT, C1, None, True)
    assert replace(second, id=first.id) == first
    assert 0 > first.id != second.id < 0, "Nova numbers its migrations from one"
