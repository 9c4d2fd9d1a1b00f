"""What the oracle is given once about a world, and what it says when a law is broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.core.model import BackendId, HostId, SegmentId, ServerId
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.site import Site


class Violation(NamedTuple):
    """A law was broken, at an instant of the world's own clock."""

    law: str  # "I1" … "I25", "L1", "L2", or "impossible": an event met such a state
    when: float
    about: str
    what: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is true of one server, whatever Nova or a leader believes."""

    home: HostId  # where it lives when the story begins
    disks: tuple[BackendId, ...] = ()
    is_running: bool = True
    is_wanted: bool = True  # its user wants it to run: it is not stopped, paused or rescued
    is_protected: bool = True
    is_pet: bool = True  # its disk must never be built anew from an image
    keeps_apart: str = ""  # servers of one such group never share a host


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """One world, as it is built. `ends_within_s`: the bound of L1 after the last fault ended."""

    site: Site
    servers: Mapping[ServerId, ServerFacts]
    policy: Policy = BALANCED
    segment_policies: Mapping[SegmentId, Policy] = field(default_factory=dict[SegmentId, Policy])
    ends_within_s: float = 3600.0

    def policy_of(self, host: HostId) -> Policy:
        """Return the numbers that hold for a host."""
        site = self.site.hosts.get(host)
        return self.segment_policies.get(site.segment, self.policy) if site else self.policy
