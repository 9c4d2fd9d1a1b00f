"""What a doctor finds: one thing, about whom, how much it matters, and what to do."""

from enum import StrEnum
from typing import NamedTuple


class Grade(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # what is promised is not kept
    WARNING = "warning"
    NOTE = "note"  # as it was asked for, and worth knowing


class Finding(NamedTuple):
    """One thing, about whom, and what to do."""

    grade: Grade
    about: str
    what: str
    remedy: str
