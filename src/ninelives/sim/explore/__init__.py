"""Every path of a small cloud, shortest first: the real core against all that may happen to it."""

from .search import Explored, Found, explore

__all__ = ["Explored", "Found", "explore"]
