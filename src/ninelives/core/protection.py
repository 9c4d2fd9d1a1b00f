"""What each kind of server is promised: pets and cattle, tiers, what to do when something breaks.

A policy holds rules in order. The first rule whose every key equals the server's wins, and keys
match exactly: "not-evacuable" never matches "evacuable". No rule: tier 50, preserve, protected.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from .model import ServerSeen


class Keep(StrEnum):
    """Whether a server's disk may be thrown away and built anew from its image."""

    PRESERVE = "preserve"  # a pet: rather down than without its data
    DISPOSABLE = "disposable"  # cattle


class Remedy(StrEnum):
    """What to do for a server when what it stands on fails."""

    EVACUATE = "evacuate"
    MIGRATE = "migrate"
    FENCE = "fence"
    RESTART = "restart"
    LEAVE = "leave"


class Key(StrEnum):
    """By what a rule may choose servers."""

    ZONE = "zone"
    AGGREGATE = "aggregate"
    PROJECT = "project"
    FLAVOR = "flavor"
    IMAGE = "image"
    TAG = "tag"  # metadata: value "name=value"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Promise:
    """What one class of servers is promised. Lower tiers come first."""

    name: str = "default"
    tier: int = 50
    data: Keep = Keep.PRESERVE
    host_dies: Remedy = Remedy.EVACUATE
    compute_fails: Remedy = Remedy.LEAVE
    libvirt_hangs: Remedy = Remedy.LEAVE
    server_crashes: Remedy = Remedy.RESTART
    guest_hangs: Remedy = Remedy.LEAVE
    attempts_max: int | None = None  # None: the policy's number
    deadline_s: float | None = None
    resets_state: bool = False  # may os-resetState be used to make an odd state movable?


@dataclass(frozen=True, slots=True)
class Rule:
    """Give `promise` to every server that matches all of `keys`."""

    promise: Promise
    keys: tuple[tuple[Key, str], ...] = field(default=())


def promise_for(server: ServerSeen, rules: tuple[Rule, ...], default: Promise) -> Promise:
    """Return the promise of the first rule that matches `server`. Pure."""
    for rule in rules:
        if all(_matches(server, key, value) for key, value in rule.keys):
            return rule.promise
    return default


def _matches(server: ServerSeen, key: Key, value: str) -> bool:
    match key:
        case Key.ZONE:
            return server.zone == value
        case Key.AGGREGATE:
            return value in server.aggregates
        case Key.PROJECT:
            return server.project == value
        case Key.FLAVOR:
            return server.flavor == value
        case Key.IMAGE:
            return server.image == value
        case Key.TAG:
            name, _, wanted = value.partition("=")
            return bool(server.tags) and (server.tags or {}).get(name) == wanted
        case Key.ID:
            return server.id == value
    assert_never(key)
