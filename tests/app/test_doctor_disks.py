"""The doctor names whom a dead host would cost data, and shared storage that cannot be shared."""

from dataclasses import replace

import pytest
from tests.app.conftest import Configured

from ninelives.app.doctor_disks import Loss, loss_of, of_disks, of_shared
from ninelives.app.findings import Grade
from ninelives.core.model import LOCAL, BackendId, HostId, ServerId, ServerSeen, VmState

C1, C2, C3 = HostId("c1"), HostId("c2"), HostId("c3")
CEPH, VOLUMES = BackendId("ceph"), BackendId("volumes")
CATTLE = '[[rule]]\nname = "cattle"\nmatch = { flavor = "tiny" }\ndata = "disposable"\n'
WEB = ServerSeen(
    *(ServerId("web"), C1, VmState.ACTIVE, None, True),
    disks=(CEPH,),
    is_image_backed=True,
    name="web",
)


LOCAL_DISKS = ('instances = "ceph"', 'instances = "local"')
HAS_CATTLE = ("[defaults]", CATTLE + "[defaults]")


@pytest.mark.parametrize(
    ("server", "on_shared", "on_local"),
    [
        ({}, Loss.NONE, Loss.STAYS_DOWN),
        ({"flavor": "tiny"}, Loss.NONE, Loss.BUILT_ANEW),
        ({"is_image_backed": False}, Loss.NONE, Loss.EXTRA_DISKS),
    ],
)
def test_what_a_server_loses_rests_on_where_its_own_disks_are(
    configured: Configured, server: dict[str, object], on_shared: Loss, on_local: Loss
) -> None:
    there = replace(WEB, **server)  # type: ignore[arg-type]  # fields of ServerSeen by name
    at_home = replace(there, disks=(LOCAL,))

    assert loss_of(configured(HAS_CATTLE), there) is on_shared
    assert loss_of(configured(HAS_CATTLE, LOCAL_DISKS), at_home) is on_local


def test_a_server_on_volumes_alone_loses_nothing(configured: Configured) -> None:
    volumes = replace(WEB, disks=(VOLUMES,), is_image_backed=False)

    assert list(of_disks(configured(LOCAL_DISKS), [volumes])) == []


def test_they_are_told_host_by_host_with_their_names(configured: Configured) -> None:
    servers = [
        replace(WEB, id=ServerId(f"s{n}"), name=f"s{n}", disks=(LOCAL,), host=C1 if n < 7 else C2)
        for n in range(8)
    ]

    first, second = of_disks(configured(LOCAL_DISKS), servers)

    assert (first.about, first.grade) == (C1, Grade.WARNING)
    assert "7 servers on its own disk (s0, s1, s2, s3, s4 …) would stay down" in first.what
    assert (second.about, "(s7)" in second.what) == (C2, True)


def test_hosts_that_report_one_size_may_share_it(configured: Configured) -> None:
    assert list(of_shared(configured(), {C1: 1000, C2: 1000, C3: 1001}, [WEB])) == []


def test_a_host_that_reports_another_disk_does_not_share_it(configured: Configured) -> None:
    [found] = of_shared(configured(), {C1: 1000, C2: 1000, C3: 40}, [WEB])

    assert (found.about, found.grade) == ("storage ceph", Grade.ERROR)
    assert "most 1000 GB, c3 40 GB. 1 servers" in found.what


def test_what_nobody_reports_is_said_to_be_unknown(configured: Configured) -> None:
    [found] = of_shared(configured(), {C1: 1000}, [])

    assert (found.grade, "2 of 3 hosts" in found.what) == (Grade.NOTE, True)


def test_a_backend_that_nobody_declares_shared_is_not_compared(configured: Configured) -> None:
    apart = configured(("shared = true", "shared = false"))

    assert list(of_shared(apart, {C1: 1000, C2: 40}, [WEB])) == []
