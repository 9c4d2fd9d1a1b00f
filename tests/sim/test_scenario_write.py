"""What is written of a setup is read back as the same setup."""

from collections.abc import Callable

import pytest

from ninelives.sim.scenario_parse import Scenario, parse_story
from ninelives.sim.scenario_write import written
from ninelives.sim.setup import Setup

END = "until 5\nnever: any host shot\n"


def check(_: Setup) -> Callable[[str], str | None]:
    return lambda _: None


def setup_of(declarations: str) -> Setup:
    scenario = parse_story(f"# A story told for a reason.\n{declarations}{END}", check)
    assert isinstance(scenario, Scenario), str(scenario)
    return scenario.setup


@pytest.mark.parametrize(
    "declarations",
    [
        "hosts c1\n",
        "hosts c1 c2 rack=a\nhosts c3 rack=b zone=z agent=no watchdog=yes reserved=yes\n",
        "hosts c1 c2 planes=management,storage fate=management+storage backends=ceph,nfs\n",
        "hosts c1 c2 c3 serial=x witnesses=c2,n1 vcpus=4 segment=gold\n",
        "hosts c1 c2\nbmc c1 none\nbmc c2 level=2 kind=pdu address=p verified=no\nbmc c2\n",
        "hosts c1 c2\nstorage ceph revocable=yes\nstorage nfs hosts=c1 revocable=yes\n",
        "hosts c1 c2 c3\nquorum mon: c1 c2 c3 needed=2\ncontrollers 3 on=c1,c2\n",
        "hosts c1 c2\ncontrollers left right\n",
        "hosts c1 c2\npolicy preset=fast single_plane_fences=no attempts_max=2 storm_share=0.5\n",
        "hosts c1 c2\nsegment gold: c2 preset=careful\npace boot_s=120.5\n",
        "hosts c1 c2\nservers c1: a b project=p image=i image_backed=yes tag=k:v order=2\n",
        "hosts c1 c2\nservers c1: a state=stopped locked=yes disks=local,ceph aggregates=x,y\n",
        "hosts c1 c2\nrule gold tag=class:gold zone=z: tier=10 data=disposable\n"
        "rule rest: host_dies=leave attempts_max=3 deadline_s=60 resets_state=yes\n",
        "hosts c1 c2\nservers c1: web tier=10 data=disposable\n",
    ],
)
def test_a_setup_is_read_back_as_it_was(declarations: str) -> None:
    setup = setup_of(declarations)

    assert setup_of(written(setup)) == setup
