"""What may be said of a step."""

from enum import StrEnum


class Verdict(StrEnum):
    """Good, wrong, or not to be seen from here."""

    GOOD = "good"
    WRONG = "wrong"
    UNKNOWN = "unknown"
