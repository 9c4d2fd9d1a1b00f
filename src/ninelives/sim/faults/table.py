"""The fault model: 72 rows, each with the sentences that make it happen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .grammar import Form

TITLES: Mapping[int, str] = {
    1: "power loss, BMC alive",
    2: "power loss with BMC",
    3: "kernel panic, instant",
    4: "kernel panic with a dump",
    5: "kernel hang, the network card still answers",
    6: "full freeze, then awake again",
    7: "slow host: scheduling delays",
    8: "spontaneous reboot, faster than it is noticed",
    9: "crash loop",
    10: "memory errors growing",
    11: "local disk slow, or read-only root",
    12: "libvirt hangs",
    13: "libvirt restarts",
    14: "nova-compute crashes",
    15: "nova-compute hangs, its heartbeats go on",
    16: "agent crashes, hangs, or is of another version",
    17: "watchdog absent, disarmed, or without teeth",
    18: "boot gate out of order: guests start early",
    19: "management plane down for one host",
    20: "storage plane down for one host",
    21: "tenant plane down for one host",
    22: "all planes down, power on",
    23: "one-way loss",
    24: "10 to 60 % loss",
    25: "duplicated, delayed, reordered packets",
    26: "partial partition",
    27: "top-of-rack switch down",
    28: "top-of-rack switch reboots",
    29: "spanning tree or link aggregation burst",
    30: "MTU black hole",
    31: "address conflict",
    32: "BMC times out",
    33: "BMC says off wrongly, or what was true once",
    34: "BMC accepts off, and acts later or never",
    35: "BMC refuses because already off",
    36: "BMC mapped to the wrong host",
    37: "BMC credentials expired",
    38: "somebody powers the host on in mid-recovery",
    39: "backend slow",
    40: "backend down",
    41: "revocation accepted, not in force everywhere",
    42: "revocation expires",
    43: "stale watcher after death",
    44: "one backend of two revoked",
    45: "API errors, timeouts, lost replies",
    46: "stale service list",
    47: "scheduler down",
    48: "message bus partition",
    49: "database failover that loses the last commit",
    50: "evacuation accepted, then ERROR",
    51: "quota or placement refuses",
    52: "live migration at the same time",
    53: "user deletes, stops or rebuilds during recovery",
    54: "target dies in mid-recovery",
    55: "image service or key manager down",
    56: "controller crashes at a journal boundary",
    57: "controller pauses",
    58: "two leaders by clock or lease",
    59: "store unavailable or slow",
    60: "controller's clock jumps or drifts",
    61: "partition between the leader and part of the fleet",
    62: "all controllers restart while hosts are dead",
    63: "old controller version takes over",
    64: "rack loses power",
    65: "power distribution unit fails",
    66: "zone loses power",
    67: "overheating: hosts die one by one",
    68: "rolling reboot without notice",
    69: "cold start of the whole site",
    70: "wrong topology in the inventory",
    71: "maintenance flag forgotten",
    72: "somebody confirms the death of a living host",
}
LINK = "net NODE PLANE down"
BY_WORDS = {  # sentences of several rows: which of them, the words decide
    **dict.fromkeys((19, 20, 21, 22), (LINK,)),
    26: ("partition GROUPS",),
    61: ("partition GROUPS", LINK),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `later` names the part it comes with, where this simulator cannot make it."""

    number: int
    title: str
    sentences: tuple[str, ...]
    later: str = ""


def table_of(forms: Iterable[Form]) -> Mapping[int, Row]:
    """Find for each row the sentences that make it."""
    found: dict[int, list[str]] = {number: [] for number in TITLES}
    for form in forms:
        if callable(form.rows):
            numbers = [row for row, usages in BY_WORDS.items() if form.usage in usages]
        else:
            numbers = list(form.rows)
        for number in numbers:
            found[number].append(form.usage)
    return {number: Row(number, TITLES[number], tuple(found[number])) for number in TITLES}
