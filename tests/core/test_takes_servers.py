"""Nobody is sent to a host that Nova's own record shows out of service (worlds 149, 232 of s3)."""

import pytest
from tests.core.arrangements import C1, fresh
from tests.core.small_cloud import CEPH

from ninelives.core import events as on
from ninelives.core.draft import Draft
from ninelives.core.model import Candidate, HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.targets import choose

C2, C3 = HostId("c2"), HostId("c3")
ROOMS = (Candidate(C2, 9, sees_disk=True), Candidate(C3, 9, sees_disk=True))
DISABLED = on.NovaSeen(C2, True, True, forced_down=False, disabled=True, is_ours=True)
FORCED_DOWN = on.NovaSeen(C2, False, False, forced_down=True, disabled=False, is_ours=False)
IN_SERVICE = on.NovaSeen(C2, True, True, forced_down=False, disabled=False, is_ours=True)


def shown(nova: on.NovaSeen) -> Draft:
    draft = fresh()
    draft.put_sights(draft.sights(C2)._replace(nova=nova))
    return draft


@pytest.mark.parametrize(("nova", "chosen"), [(IN_SERVICE, C2), (DISABLED, C3), (FORCED_DOWN, C3)])
def test_who_is_out_of_service_at_nova_is_no_target(nova: on.NovaSeen, chosen: HostId) -> None:
    draft = shown(nova)
    web = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, is_running=True, disks=(CEPH,))

    assert choose(draft, plan(draft, C1, web), ROOMS) == chosen
