"""A boot that cannot attest itself clean is asked again at a pace, not with each of its answers."""

from tests.core.arrangements import (
    C1,
    MGMT,
    NEW,
    NOW,
    STORAGE,
    TENANT,
    both,
    fresh,
    plane,
    record,
    sees,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.evidence import saw
from ninelives.core.host import look
from ninelives.core.model import Attestation, Sign


def dirty(state: at.HostState) -> Draft:
    """c1 came back with a boot that starts its guests by itself."""
    said = Attestation(NEW, 1, "serial-c1", True, True, 0, True, False)
    draft = fresh()
    both(
        plane(Sign.STRONG, MGMT, STORAGE, TENANT),
        sees(attested=on.Attested(C1, said), attested_at=NOW, strong_boot=NEW, strong_at=NOW),
        record(epoch=1, state=state),
    )(draft)
    return draft


def asked(draft: Draft) -> int:
    return sum(isinstance(action, do.AskAttestation) for action in draft.actions)


def test_each_answer_of_a_dirty_boot_is_no_new_question() -> None:
    draft = dirty(at.Quarantined(0.0, NOW - 1, "fell_too_often"))
    for _ in range(3):
        look(draft, C1)
    assert asked(draft) == 1

    draft.now += draft.policy(C1).attest_retry_s
    look(draft, C1)
    assert asked(draft) > 1


def test_a_late_answer_to_an_earlier_episode_takes_none_of_this_one_away() -> None:
    draft = dirty(at.Suspect(0.0, at.Class.UNKNOWN, 0.0))
    now = draft.sights(C1).attested

    saw(draft, on.Attested(C1, Attestation(NEW, 0, "serial-c1", True, True, 0, False, False)))

    assert draft.sights(C1).attested == now
