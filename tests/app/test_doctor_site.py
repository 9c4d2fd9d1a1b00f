"""The doctor looks at the whole site: clocks, quorums, other rescuers, room for the worst day."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud

from ninelives.adapters.nova.services import Roll
from ninelives.adapters.nova.views import Names, ServiceRow
from ninelives.app.config.building import read_configuration
from ninelives.app.config.configuration import Configuration
from ninelives.app.demo_site import written
from ninelives.app.doctor import examined
from ninelives.app.doctor_site import of_clocks, of_quorums, of_services, of_site, rescuer_of
from ninelives.app.findings import Finding

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
WALL = NOW.timestamp()
Configured = Callable[..., Configuration]


@pytest.fixture
def configured(tmp_path: Path, cloud: Cloud) -> Configured:
    def configure(more: str = "") -> Configuration:
        path = written(tmp_path, "n1", cloud.served)
        head, host, hosts = path.read_text().partition("[[host]]")
        path.write_text(head + more + host + hosts)
        return read_configuration(path, "n1")

    return configure


def service(host: str, binary: str = "nova-compute", **changes: object) -> ServiceRow:
    row = ServiceRow(
        id=f"id-{host}",
        host=host,
        binary=binary,
        zone="nova",
        is_known=True,
        is_up=True,
        is_disabled=False,
        reason="",
        is_forced_down=False,
        reported_at=NOW - timedelta(seconds=3),
    )
    return replace(row, **changes)  # type: ignore[arg-type]  # fields of ServiceRow by name


def said(findings: "list[Finding]") -> dict[str, str]:
    return {f"{each.grade.value} {each.about}": each.what for each in findings}


def test_clocks_that_agree_are_no_finding() -> None:
    assert list(of_clocks(Roll((service("c1"),), NOW), WALL + 2.0)) == []


def test_a_host_whose_clock_is_ahead_looks_alive_when_it_is_dead() -> None:
    ahead = service("c1", reported_at=NOW + timedelta(seconds=40))

    found = said(list(of_clocks(Roll((ahead,), NOW), WALL - 60.0)))

    assert "40 s ahead" in found["error c1"]
    assert "-60 s" in found["warning clock of this machine"]


def test_a_nova_that_tells_no_time_is_said_to() -> None:
    assert [each.about for each in of_clocks(Roll((), None), WALL)] == ["clocks"]


@pytest.mark.parametrize(
    ("row", "who"),
    [
        (service("c1"), ""),
        (service("c1", is_forced_down=True, reason="ninelives:3"), ""),
        (service("c1", is_forced_down=True), "somebody forced it down"),
        (service("c1", reason="instanceha evacuation: 12:00"), "instanceha wrote"),
    ],
)
def test_another_rescuer_is_known_by_what_it_left(row: ServiceRow, who: str) -> None:
    assert rescuer_of(row).startswith(who)
    assert bool(rescuer_of(row)) == bool(who)


def test_a_control_plane_on_computes_is_named_unless_a_quorum_guards_it(
    configured: Configured,
) -> None:
    roll = Roll((service("c1"), service("c1", "nova-scheduler"), service("c2")), NOW)

    alone = said(list(of_services(configured(), Names(), roll, WALL)))
    guard = '[quorum.control]\nmembers = ["c1", "c2", "c3"]\n'
    guarded = said(list(of_services(configured(guard), Names(), roll, WALL)))

    assert "nova-scheduler" in alone["warning c1"]
    assert guarded == {}


def test_a_quorum_that_can_spare_nobody_is_a_warning(configured: Configured) -> None:
    tight = configured('[quorum.db]\nmembers = ["c1", "c2"]\n')
    wide = configured('[quorum.db]\nmembers = ["c1", "c2", "c3"]\n')

    assert "none may ever be shot" in said(list(of_quorums(tight)))["warning quorum db"]
    assert "1 may be out" in said(list(of_quorums(wide)))["note quorum db"]


def test_controllers_that_all_run_on_one_compute_never_shoot_it(configured: Configured) -> None:
    seats = '[controller_hosts]\nn1 = "c1"\nn2 = "c1"\n'

    assert "never shoots its own host" in said(list(of_quorums(configured(seats))))["error c1"]


def test_what_cannot_be_known_without_an_agent_is_said(configured: Configured) -> None:
    found = said(list(of_site(configured())))

    assert "cannot be known from here" in found["note boot"]


def test_servers_that_would_fit_nowhere_are_counted_host_by_host(
    configured: Configured, cloud: Cloud
) -> None:
    cloud.control("POST", "/hosts/c2/room", {"vcpus": 3, "ram_mb": 1_000_000})
    cloud.control("POST", "/hosts/c3/room", {"vcpus": 2, "ram_mb": 1_000_000})

    found = said(list(asyncio.run(examined(configured())).findings))

    assert "1 of 2 servers fit nowhere" in found["warning c1"]


def test_pacemaker_shoots_by_itself_and_proves_nothing_by_a_device_that_we_do_not_know(
    configured: Configured,
) -> None:
    assert not [each for each in of_site(configured()) if each.about == "pacemaker"]

    found = said(list(of_site(configured("[pacemaker]\nwatch = true\n"))))

    assert "no brake of ours stops it" in found["note pacemaker"]
    assert "is never its proof" in found["warning c1"]
