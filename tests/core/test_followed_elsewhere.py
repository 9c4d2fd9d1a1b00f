"""A host is not back before who left it late runs elsewhere (world 6 of seed hsh)."""

from dataclasses import replace

from tests.core.arrangements import C1, NEW, NOW, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.elsewhere import domains_seen
from ninelives.core.in_place import restart_in_place
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan

C2, WEB = HostId("c2"), ServerId("web")


def led_back() -> Draft:
    """C1 brings back who waited for it; web arrived on c2 after all, and is not started yet."""
    draft = fresh()
    record(epoch=1, state=at.Returning(NOW, at.Stage.RESTARTING, NOW, NEW))(draft)
    seen = ServerSeen(WEB, C2, VmState.STOPPED, None, is_running=False, disks=(CEPH,))
    move = plan(draft, C1, seen)
    draft.put_move(replace(move, state=at.Starting(NOW, C2), writers=frozenset({C1, C2})))
    return draft


def test_its_host_waits_until_it_is_started() -> None:
    draft = led_back()

    assert not restart_in_place(draft, C1)
    assert do.LookForDomain(WEB, (C1,), 0) in draft.actions


def test_that_no_copy_is_on_its_old_host_clears_the_way() -> None:
    draft = led_back()

    domains_seen(draft, on.DomainsSeen(do.LookForDomain(WEB, (C1,), 0), ((C1, False),)))

    move = draft.move(WEB)
    assert move is not None
    assert move.absent_on == {C1}
