"""Every path of a small cloud, shortest first: the real core against all that may happen to it."""

from .leader import Rules
from .search import Explored, Found, explore
from .story import story

__all__ = ["Explored", "Found", "Rules", "explore", "story"]
