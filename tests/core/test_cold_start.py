"""A boot whose gate a person opened is the host's own, unless something was built on its death."""

from dataclasses import replace

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NEW,
    NOW,
    OLD,
    ROAD,
    STORAGE,
    TENANT,
    Arrange,
    both,
    fresh,
    off_read,
    plane,
    record,
    sees,
    views,
)

from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.host import look
from ninelives.core.model import Attestation, BootId, Sign
from ninelives.core.states import Class

SAID = Attestation(
    NEW,
    1,
    "serial-c1",
    signed=True,
    gate_closed=False,
    guests=2,
    autostart=False,
    resume_guests=False,
    opened_by="ada",
)
SUSPECT = at.Suspect(NOW - 60, Class.REBOOTED, NOW - 60)
HELD = at.Held(NOW - 60, "rebooted", Class.REBOOTED)


def says(said: Attestation) -> Arrange:
    heard = on.Attested(C1, said)
    return sees(attested=heard, attested_at=NOW, strong_boot=NEW, strong_at=NOW)


def back(*steps: Arrange, state: at.HostState = SUSPECT, said: Attestation = SAID) -> Draft:
    draft = fresh()
    all_up = plane(Sign.STRONG, MGMT, STORAGE, TENANT)
    both(all_up, says(said), record(epoch=1, boot=OLD, state=state), *steps)(draft)
    look(draft, C1)
    return draft


@pytest.mark.parametrize("state", [SUSPECT, HELD], ids=["suspect", "held"])
def test_it_is_taken_over_and_its_host_is_healthy_in_a_while(state: at.HostState) -> None:
    draft = back(state=state)
    assert draft.host(C1).boot == NEW

    draft.now += draft.policy(C1).alive_again_s
    look(draft, C1)
    assert isinstance(draft.host(C1).state, at.Healthy)
    assert not draft.host(C1).proofs


def test_what_its_power_read_was_about_the_old_boot() -> None:
    assert not back(off_read(NOW - 50, NOW - 45)).host(C1).off_reads


@pytest.mark.parametrize(
    "step",
    [
        record(is_touched=True),
        record(zombie_risk="it lives"),
        record(shots=(at.Shot(ROAD, 1, NOW - 50, is_open=True),)),
        sees(strong_boot=BootId("c1-boot3")),
        views(own_fault="froze"),
    ],
    ids=["touched", "risk", "shot", "yet another boot", "own fault"],
)
def test_it_is_not_after_an_effect_or_in_doubt(step: Arrange) -> None:
    assert back(step, state=HELD).host(C1).boot == OLD


@pytest.mark.parametrize(
    "said",
    [
        replace(SAID, opened_by=""),
        replace(SAID, signed=False),
        replace(SAID, serial="serial-c2"),
        replace(SAID, epoch=0),
    ],
    ids=["by nobody", "unsigned", "other machine", "other episode"],
)
def test_it_is_not_on_any_other_word(said: Attestation) -> None:
    assert back(said=said).host(C1).boot == OLD


@pytest.mark.parametrize(
    "state",
    [at.Fencing(NOW - 60, Class.DEAD_OR_FROZEN), at.Fenced(NOW - 60), at.Evacuating(NOW - 60)],
    ids=["fencing", "fenced", "evacuating"],
)
def test_it_is_not_once_its_servers_may_run_elsewhere(state: at.HostState) -> None:
    assert back(state=state).host(C1).boot == OLD
