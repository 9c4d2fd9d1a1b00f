"""The doctor holds the reserve of the inventory against Nova, and rehearses its use."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.app.test_doctor_site import said, service
from tests.cloud.cloud_client import Cloud

from ninelives.adapters.nova.views import Names, ServiceRow
from ninelives.app.config.building import read_configuration
from ninelives.app.config.configuration import Configuration
from ninelives.app.demo_site import written
from ninelives.app.doctor import examined
from ninelives.app.doctor_reserve import of_reserve

Configured = Callable[[], Configuration]
RESTS = service("c3", is_disabled=True, reason="ninelives:reserve")
FULL = {"vcpus": 3, "ram_mb": 1_000_000}


@pytest.fixture
def keeps_c3(tmp_path: Path, cloud: Cloud) -> Configured:
    """Return a configuration that keeps c3 in reserve."""

    def configure() -> Configuration:
        path = written(tmp_path, "n1", cloud.served)
        kept = path.read_text().replace('name = "c3"', 'name = "c3"\nreserved = true')
        path.write_text(kept)
        return read_configuration(path, "n1")

    return configure


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (RESTS, {"note c3": "rests in the reserve"}),
        (service("c3"), {"note c3": "kept in reserve, and in service"}),
        (service("c3", is_disabled=True, reason="dimm"), {"warning c3": "disabled: dimm"}),
        (replace(RESTS, host="c1"), {"warning c1": "the inventory does not keep it in reserve"}),
        (service("c1", is_disabled=True, reason="dimm"), {}),
        (service("c1"), {}),
    ],
)
def test_the_inventory_and_nova_must_both_say_so(
    keeps_c3: Configured, row: ServiceRow, found: dict[str, str]
) -> None:
    told = said(list(of_reserve(keeps_c3(), Names(), [row])))

    assert told.keys() == found.keys()
    assert all(words in told[about] for about, words in found.items())


def rehearsed(configuration: Configuration) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for each in asyncio.run(examined(configuration)).findings:
        found.setdefault(each.about, []).append(each.what)
    return found


def test_spare_capacity_counts_what_is_kept_in_reserve(keeps_c3: Configured, cloud: Cloud) -> None:
    for host in ("c1", "c2"):
        cloud.control("POST", f"/hosts/{host}/room", FULL)
    configuration, nova = keeps_c3(), cloud.login()
    nova.set_service("c3", status="disabled", disabled_reason="disk is failing")
    without = rehearsed(configuration)
    nova.set_service("c3", status="disabled", disabled_reason="ninelives:reserve")
    with_it = rehearsed(configuration)

    assert any("servers fit nowhere" in what for what in without["c1"])
    assert not any("fit nowhere" in what for what in with_it["c1"])
    assert "were it dead, c3 would be lent from the reserve" in with_it["c1"]
