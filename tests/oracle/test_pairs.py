"""An event that cannot meet a state breaks a law of its own, once in a world."""

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId
from ninelives.sim.oracle.accounting import NEVER
from ninelives.sim.state_table import IMPOSSIBLE

from .history import C1, story

STRANGER = HostId("c9")  # no record: it was never seen alive
LISTED = on.Listed(do.ListServers(STRANGER, 1, 0), (), is_complete=True)


def test_an_event_that_cannot_meet_a_state_breaks_a_law() -> None:
    told = story().decided(LISTED).decided(LISTED)

    assert told.laws == {NEVER}
    (broken,) = told.oracle.violations  # the first time says it all
    assert broken.about == "Unknown.Listed"
    assert IMPOSSIBLE[at.Unknown, on.Listed] in broken.what


def test_the_same_event_in_a_state_that_it_can_meet_breaks_none() -> None:
    told = story().fencing()

    told.decided(on.Listed(do.ListServers(C1, 1, 0), (), is_complete=True))

    assert told.laws == set()
