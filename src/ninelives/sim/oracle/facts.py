"""What the oracle is given once about a world, and what it says when a law is broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ninelives.core.model import BackendId, HostId, SegmentId, ServerId
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.site import Site

# Every law that the oracle judges by, as SAFETY 9 has it, and L3 (ADR 42). A history that breaks
# each of them, and no other, stands in tests/oracle.
LAWS: Final[Mapping[str, str]] = {
    "I1": "one writer per server",
    "I2": "certificate first, for every writer but the target",
    "I3": "invalidation honoured",
    "I4": "network identity covered, or policy says so",
    "I5": "no fence without a journaled class",
    "I6": "life veto",
    "I7": "blast radius: shots within a window are no more than the cap",
    "I8": "no shot while the control plane, quorum or witnesses are away",
    "I9": "own freeze voids evidence",
    "I10": "terms never decrease; one actor",
    "I11": "intent before effect, one outcome each",
    "I12": "absolute power actions only",
    "I13": "epochs and generations never reused",
    "I14": "nobody forgotten",
    "I15": "nobody resurrected against their user's will",
    "I16": "one move in flight",
    "I17": "order kept",
    "I18": "placement rules kept",
    "I19": "limits kept",
    "I20": "gate kept",
    "I21": "revocation lives until return",
    "I22": "lease arithmetic sound",
    "I23": "no shot and no repair in maintenance, no send at all in disarm",
    "I24": "replay gives identical decisions",
    "I25": "the phases of each outage tile it without gap",
    "L1": "every episode ends, or somebody is told",
    "L2": "no host cycles for ever unnoticed",
    "L3": "a reserved host is lent in need only, one after the other, and given back",
}


class Violation(NamedTuple):
    """A law was broken, at an instant of the world's own clock."""

    law: str  # one of LAWS, or "impossible": an event met such a state
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
    word: str = ""  # its user's last word before the story began: "stop", "pause", "suspend"
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
