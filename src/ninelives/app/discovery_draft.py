"""A draft of the inventory from what was found. Pure; nothing in it is guessed.

What is certain is written out. What fits two hosts, or is missing, comes out commented, with the
reason above it: a person decides, and `config check` judges the whole.
"""

import ipaddress
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ninelives.adapters.nova.views import ServiceRow

from .discovery import BmcsFound, CloudFound, Hypervisor

SEGMENT_KEY = "ninelives:segment"
DEFAULT_ZONE = "nova"  # nova.conf, [DEFAULT] default_availability_zone


@dataclass(frozen=True, slots=True)
class Entry:
    """One host of the draft."""

    name: str
    lines: tuple[str, ...]
    doubts: tuple[str, ...]  # of the host itself: then all of it is commented
    asides: tuple[str, ...] = ()  # worth knowing; the host stands


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole draft."""

    entries: tuple[Entry, ...]
    strays: tuple[str, ...]  # what BMCs said that fits nobody

    @property
    def is_certain(self) -> bool:
        return not self.strays and not any(each.doubts or each.asides for each in self.entries)


def drafted(cloud: CloudFound, bmcs: BmcsFound, segment_key: str = SEGMENT_KEY) -> Draft:
    """Draft the inventory."""
    addresses = Counter(h.address for each in cloud.hypervisors.values() for h in each)
    names = Counter(h.name.lower() for each in cloud.hypervisors.values() for h in each)
    entries = [
        _entry(cloud, bmcs, service, segment_key, addresses, names)
        for service in sorted(cloud.services, key=lambda each: each.host)
    ]
    return Draft(tuple(entries), tuple(_strays(cloud, bmcs)))


def _entry(
    cloud: CloudFound,
    bmcs: BmcsFound,
    service: ServiceRow,
    segment_key: str,
    addresses: Counter[str],
    names: Counter[str],
) -> Entry:
    seen = cloud.hypervisors.get(service.host, ())
    segments = _segments(cloud, service, segment_key)
    doubts = list(_doubts(service, seen, addresses, names))
    if len(segments) > 1:
        doubts.append(f"its aggregates name several segments: {', '.join(segments)}")
    lines, asides = [f"name = {_text(service.host)}"], list[str]()
    if seen and seen[0].name != service.host:
        lines.append(f"hypervisor = {_text(seen[0].name)}")
    if service.zone:
        lines.append(f"zone = {_text(service.zone)}")
    lines += [f"segment = {_text(segment)}" for segment in segments[:1]]
    if seen and seen[0].address:
        lines.append(f"address = {{ management = {_text(seen[0].address)} }}")
    serial, road, aside = _road(bmcs, service.host, seen)
    lines += [*serial, *road]
    asides += aside
    return Entry(service.host, tuple(lines), tuple(doubts), tuple(asides))


def _doubts(
    service: ServiceRow,
    seen: tuple[Hypervisor, ...],
    addresses: Counter[str],
    names: Counter[str],
) -> Iterator[str]:
    if not service.is_known:
        yield "its cell did not answer"
    if any(each.kind.lower() == "ironic" for each in seen):
        yield "an Ironic compute: its machines are no hypervisors, and it is never judged"
        return
    if not seen:
        yield "Nova shows no hypervisor of it"
    if len(seen) > 1:
        yield f"Nova shows {len(seen)} hypervisors of it: {', '.join(h.name for h in seen)}"
    for each in seen[:1]:
        if names[each.name.lower()] > 1:
            yield f"the hypervisor name {each.name} is another host's, too"
        if not _is_usable(each.address):
            yield f"the address that Nova shows leads nowhere: '{each.address}'"
        elif addresses[each.address] > 1:
            yield f"the address {each.address} is another host's, too"


def _is_usable(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified or found.is_link_local)


def _segments(cloud: CloudFound, service: ServiceRow, segment_key: str) -> list[str]:
    """Return what names its segment: its aggregates, else its zone."""
    mine = [each for each in cloud.aggregates if service.host in each.hosts]
    named = {each.metadata[segment_key] for each in mine if segment_key in each.metadata}
    if named:
        return sorted(named)
    return [service.zone] if service.zone not in ("", DEFAULT_ZONE) else []


def _road(
    bmcs: BmcsFound, host: str, seen: tuple[Hypervisor, ...]
) -> tuple[list[str], list[str], list[str]]:
    """Return its serial, its power device, and what is unclear about them.

    By a name that equals the host's in full: half a name is a guess, and a guess cuts power.
    """
    wanted = {host.lower(), *(each.name.lower() for each in seen[:1])}
    mine = [each for each in bmcs.systems if each.host_name.lower() in wanted]
    if not mine:
        return [], [], ["no BMC says that it is this host"] if bmcs.systems else []
    if len(mine) > 1:
        places = ", ".join(f"{each.url}{each.path}" for each in mine)
        return [], [], [f"several BMCs say that they are this host: {places}"]
    serial = mine[0].serial
    twins = sum(1 for each in bmcs.systems if each.serial and each.serial == serial)
    road = [
        "",
        "[[host.bmc]]",
        f"address = {_text(mine[0].url)}",
        f"system = {_text(mine[0].path)}",
        "# verified = true  # when a drill saw this very host go dark, or both serials were read",
    ]
    if twins > 1:
        return [], road, [f"its serial {serial} is another system's, too"]
    return [f"serial = {_text(serial)}"] if serial else [], road, []


def _strays(cloud: CloudFound, bmcs: BmcsFound) -> Iterator[str]:
    known = {service.host.lower() for service in cloud.services}
    known |= {each.name.lower() for seen in cloud.hypervisors.values() for each in seen}
    for each in bmcs.systems:
        if each.host_name.lower() not in known:
            called = f"'{each.host_name}'" if each.host_name else "no name"
            yield f"{each.url}{each.path} gives {called}: no compute host is called so"
    for url, why in sorted(bmcs.silent.items()):
        yield f"{url} did not answer: {why}"


# --------------------------------------------------------------------------------- as TOML


def written(draft: Draft, of: str) -> str:
    """Write the draft as TOML. `of`: which cloud it was drafted from."""
    return "\n".join((*_head(draft, of), *_hosts(draft.entries), *_tail(draft))) + "\n"


def _head(draft: Draft, of: str) -> Iterator[str]:
    doubtful = sum(bool(each.doubts) for each in draft.entries)
    yield f"# The compute hosts of {of}, drafted. Read every line before you let anything act."
    yield f"# {len(draft.entries) - doubtful} are certain, {doubtful} are commented, with reasons."
    yield "#"
    yield "# Nobody but you knows: storage and tenant addresses, racks, backends, and which power"
    yield "# device cuts which host. `ninelives config check` and `doctor` judge what you add."


def _hosts(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield ""
        yield from (f"# {entry.name}: {doubt}" for doubt in entry.doubts)
        yield from (f"# {entry.name}: {aside}" for aside in entry.asides)
        for line in ("[[host]]", *entry.lines):
            yield f"# {line}".rstrip() if entry.doubts else line


def _tail(draft: Draft) -> Iterator[str]:
    if draft.strays:
        yield ""
        yield "# Of these BMCs nobody knows whose they are:"
        yield from (f"#   {stray}" for stray in draft.strays)


def _text(value: str) -> str:
    """Write a TOML string: JSON's escapes are a part of TOML's."""
    return json.dumps(value)
