"""A host that freezes with its power on: witnesses who agree, over the store, have it shot."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until

from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(240)

THREE = ("n1", "n2", "n3")


def test_three_witnesses_shoot_a_frozen_host_and_it_wakes_up_to_nothing(
    cloud: Cloud, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        configs = {name: written(tmp_path, name, cloud.served, controllers=THREE) for name in THREE}
        all_three = [stack.enter_context(Controller(n, config)) for n, config in configs.items()]
        until(lambda: any(each.sees_all_well() for each in all_three))
        [leader] = [each for each in all_three if each.leads()]
        servers = cloud.guests("c1")

        cloud.drive("c1", "freeze")

        until(lambda: set(servers) <= {*cloud.guests("c2"), *cloud.guests("c3")}, 120.0)
        moved = [line["detail"] for line in leader.said("host.moved") if line["about"] == "c1"]
        assert any("suspect R8" in detail for detail in moved), moved
        assert leader.said("shot.fired")
        cloud.drive("c1", "thaw")
        assert cloud.guests("c1") == []
        assert cloud.ran_twice() == {}
        assert [each.end() for each in all_three] == [0, 0, 0]
