"""A host rebooted, attested itself and went dark again, and no road may prove it: a person may."""

from dataclasses import replace

import pytest
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import HostId, Method
from ninelives.core.proofs import permits_start, valid
from ninelives.core.shooting import went_dark_again
from ninelives.core.site import Site

C1 = HostId("c1")


def unsigned() -> Site:
    """Every road is listed, and nobody verified where it leads."""
    site = small_site()
    hosts = {
        name: replace(host, roads=tuple(replace(r, is_verified=False) for r in host.roads))
        for name, host in site.hosts.items()
    }
    return replace(site, hosts=hosts)


@pytest.fixture(name="cloud")
def dark_again() -> SmallCloud:
    cloud = CheckedCloud(site=unsigned()).started()
    cloud.add("web", "c1")
    cloud.tell(on.CanarySeen("nova", is_ok=False))
    cloud.kill("c1")
    cloud.run(30)
    cloud.wake_up("c1", "c1-boot2")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 60)
    cloud.kill("c1")
    cloud.run(30)
    return cloud.successor()  # who knows of no attestation, and finds the control plane well


def confirm(cloud: SmallCloud) -> None:
    cloud.tell(on.ConfirmedDead("ann", C1, "c1", cloud.host("c1").epoch, "the LED is dark", "bob"))


def test_a_person_is_asked_for_the_proof_that_is_missing(cloud: SmallCloud) -> None:
    cloud.run(60)

    assert {proof.method for proof in valid(cloud.host("c1"))} == {Method.REBOOTED}
    assert cloud.was_told("unfenceable")
    assert not cloud.all_of(do.Evacuate)


def test_the_word_of_a_person_lets_its_servers_go(cloud: SmallCloud) -> None:
    confirm(cloud)

    cloud.successor().until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert cloud.all_of(do.Evacuate)


def test_the_word_says_nothing_of_what_comes_up_after_it(cloud: SmallCloud) -> None:
    confirm(cloud)
    assert permits_start(Draft(cloud.cluster, cloud.now), C1)

    cloud.wake_up("c1", "c1-boot3")

    assert not permits_start(Draft(cloud.cluster, cloud.now), C1)


def test_a_lease_that_ran_out_before_says_nothing_of_the_boot_that_went_dark(
    cloud: SmallCloud,
) -> None:
    record = cloud.host("c1")
    expired = replace(record.proofs[0], method=Method.LEASE_EXPIRED)
    cloud.cluster.hosts[C1] = replace(record, proofs=(expired, *record.proofs))

    assert went_dark_again(Draft(cloud.cluster, cloud.now), C1)
