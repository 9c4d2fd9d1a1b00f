"""Which hosts the agent lists: only those whose power another device of a level cuts."""

from xml.etree import ElementTree

import pytest

from ninelives.fence.nodes import covered_in

CONFIGURATION = """
<configuration>
 <nodes>
  <node id="1" uname="ctl1"/>
  <node id="c1" uname="c1" type="remote"><instance_attributes id="a">
    <nvpair id="b" name="ninelives-gate" value="off@x"/></instance_attributes></node>
 </nodes>
 <resources>
  <primitive id="c1" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="c2" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="c3" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="power" class="stonith" type="fence_ipmilan"/>
  <primitive id="ours" class="stonith" type="fence_ninelives"/>
 </resources>
 <fencing-topology>{levels}</fencing-topology>
</configuration>"""


def listed(*levels: str, is_brake: bool = False) -> dict[str, bool]:
    text = CONFIGURATION.format(levels="".join(levels))
    return dict(covered_in(ElementTree.fromstring(text), "ninelives-gate", is_brake))


def level(target: str, devices: str, index: int = 1, how: str = "target") -> str:
    where = f'id="{target}{index}" {how}="{target}" index="{index}"'
    return f'<fencing-level {where} devices="{devices}"/>'


def test_a_host_behind_its_power_device_is_listed_with_what_is_recorded() -> None:
    assert listed(level("c1", "power,ours"), level("c2", "power, ours")) == {
        "c1": True,
        "c2": False,
    }


@pytest.mark.parametrize("devices", ["ours", "power", "ours,power", ""])
def test_a_host_whose_power_nobody_cuts_before_us_is_not(devices: str) -> None:
    assert listed(level("c1", devices)) == {}


def test_one_level_of_several_is_enough() -> None:
    assert listed(level("c1", "ours"), level("c1", "power,ours", 2)) == {"c1": True}


def test_a_pattern_names_every_host_that_it_matches() -> None:
    assert listed(level("^c[12]$", "power,ours", how="target-pattern")) == {
        "c1": True,
        "c2": False,
    }
    assert listed(level("c[", "power,ours", how="target-pattern")) == {}


def test_a_brake_stands_before_the_power_device() -> None:
    assert listed(level("c2", "ours,power"), is_brake=True) == {"c2": False}
    assert listed(level("c2", "power,ours"), is_brake=True) == {}
