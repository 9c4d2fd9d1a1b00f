"""Small steps that arrange what is known of c1 in a draft, for tests that judge one instant."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Heard, Maintenance, PowerSeen, StorageView
from ninelives.core.draft import Draft
from ninelives.core.model import BootId, HostId, Plane, Power, Sign, WitnessId

C1 = HostId("c1")
ROAD = small_site().hosts[C1].roads[0].id
MGMT, STORAGE, TENANT = Plane.MANAGEMENT, Plane.STORAGE, Plane.TENANT
OLD, NEW = BootId("c1-boot1"), BootId("c1-boot2")
NOW = 1000.0

Arrange = Callable[[Draft], None]


def fresh(names: str = "c1 c2 c3 c4", **changes: object) -> Draft:
    """A healthy fleet, long after its term began."""
    cloud = SmallCloud(site=small_site(names, **changes)).started()
    return Draft(cloud.cluster, NOW)


def both(*steps: Arrange) -> Arrange:
    def arrange(draft: Draft) -> None:
        for step in steps:
            step(draft)

    return arrange


def sees(**changes: object) -> Arrange:
    def arrange(draft: Draft) -> None:
        draft.put_sights(draft.sights(C1)._replace(**changes))  # type: ignore[arg-type]  # fields of Sights by name

    return arrange


def views(**changes: object) -> Arrange:
    def arrange(draft: Draft) -> None:
        draft.put_views(replace(draft.views, **changes))  # type: ignore[arg-type]  # fields of Views by name

    return arrange


def control(**changes: object) -> Arrange:
    def arrange(draft: Draft) -> None:
        draft.put_control(replace(draft.control, **changes))  # type: ignore[arg-type]  # fields of Control by name

    return arrange


def record(host: str = "c1", **changes: object) -> Arrange:
    def arrange(draft: Draft) -> None:
        draft.put_host(replace(draft.host(HostId(host)), **changes))  # type: ignore[arg-type]  # fields of Host by name

    return arrange


def plane(sign: Sign, *planes: Plane, by: Iterable[str] = ("k1", "c2", "c3", "c4")) -> Arrange:
    """All witnesses (or these) have this sign of c1 on these planes, since 20 s."""

    def arrange(draft: Draft) -> None:
        boot = OLD if sign is Sign.STRONG else None
        heard = dict(draft.sights(C1).heard)
        for each in planes:
            said = {WitnessId(name): Heard(sign, boot, NOW - 20) for name in by}
            heard[each] = {**heard.get(each, {}), **said}
        sights = draft.sights(C1)._replace(heard=heard)
        if not any(each.sign is Sign.STRONG for by in heard.values() for each in by.values()):
            sights = sights._replace(strong_at=NOW - 30, strong_until=NOW - 20)
        draft.put_sights(sights)

    return arrange


def silent(*planes: Plane, by: Iterable[str] = ("k1", "c2", "c3", "c4")) -> Arrange:
    return plane(Sign.SILENT, *planes, by=by)


dark = silent(MGMT, STORAGE, TENANT)


def agent(**changes: object) -> Arrange:
    said = on.AgentSaid(C1, OLD)
    return sees(agent=replace(said, **changes))  # type: ignore[arg-type]  # fields of AgentSaid by name


def nova(
    is_up: bool = True,
    has_advanced: bool = False,
    forced_down: bool = False,
    disabled: bool = False,
    is_ours: bool = False,
) -> Arrange:
    return sees(nova=on.NovaSeen(C1, is_up, has_advanced, forced_down, disabled, is_ours))


def off_read(first: float, last: float, power: Power = Power.OFF) -> Arrange:
    reads = (at.OffReads(ROAD, first, last),)
    return both(record(off_reads=reads), sees(power={ROAD: PowerSeen(power, last)}))


def storage(watched: bool | None, revoked: bool | None = None) -> Arrange:
    return sees(storage={CEPH: StorageView(watched, revoked, NOW)})


def maintained(is_power_job: bool = False) -> Arrange:
    return control(maintenance=(Maintenance(C1, "ada", "disks", is_power_job),))
