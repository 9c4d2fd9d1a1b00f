"""What the doctor finds about reserved hosts: whether the inventory and Nova say the same. Pure."""

from collections.abc import Iterable, Iterator

from ninelives.adapters.nova.reasons import RESERVE, is_reserve
from ninelives.adapters.nova.views import Names, ServiceRow
from ninelives.core.model import HostId

from .config.configuration import Configuration
from .findings import Finding, Grade


def of_reserve(
    configuration: Configuration, names: Names, rows: Iterable[ServiceRow]
) -> Iterator[Finding]:
    """Find hosts of which only one of the two says that they are kept in reserve."""
    reserve = configuration.setting.site.reserve
    for row in rows:
        host = names.host(row.host)
        if host in reserve:
            yield from _of_reserved(host, row)
        elif row.is_disabled and is_reserve(row.reason) and host in configuration.names:
            what = f"disabled: {row.reason}, but the inventory does not keep it in reserve"
            remedy = "`reserved = true`, or enable it: until then it is lent to nobody"
            yield Finding(Grade.WARNING, host, what, remedy)


def _of_reserved(host: HostId, row: ServiceRow) -> Iterator[Finding]:
    if not row.is_disabled:
        what = "kept in reserve, and in service: lent, or enabled by somebody"
        remedy = "nothing: it is disabled when it is empty and nobody needs it"
        yield Finding(Grade.NOTE, host, what, remedy)
    elif is_reserve(row.reason):
        yield Finding(Grade.NOTE, host, "rests in the reserve", "nothing: it is lent when needed")
    else:
        what = f"kept in reserve, but disabled: {row.reason or 'no reason'}. It is never lent"
        remedy = (
            f"openstack compute service set --disable --disable-reason {RESERVE} "
            f"{row.host} nova-compute"
        )
        yield Finding(Grade.WARNING, host, what, remedy)
