"""What an operator configured, as far as decisions rest on it: the same for the same decisions.

It holds for a whole term. A controller that is given another one ends its term first, so that no
decision is made half under the one and half under the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .model import SegmentId
from .policy import Policy
from .site import Site


@dataclass(frozen=True, slots=True)
class Setting:
    """The inventory and the numbers, with those of single segments where they differ."""

    site: Site
    policy: Policy
    segment_policies: Mapping[SegmentId, Policy] = field(default_factory=dict[SegmentId, Policy])
