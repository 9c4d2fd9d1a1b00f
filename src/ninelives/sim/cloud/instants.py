"""Instants as OpenStack writes and reads them."""

from datetime import UTC, datetime
from typing import Literal


def iso(when: float, form: Literal["z", "plain", "micros"] = "z") -> str:
    """Write seconds since 1970. Servers end in Z; services and migrations do not, and show
    microseconds that are always naught, for the database keeps whole seconds; Keystone has both.
    """
    at = datetime.fromtimestamp(when, UTC)
    match form:
        case "z":
            return at.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "plain":
            return at.strftime("%Y-%m-%dT%H:%M:%S.000000")
        case "micros":
            return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(written: str) -> float | None:
    """Read an instant; one without a zone is in UTC. None: it is no instant."""
    try:
        at = datetime.fromisoformat(written.replace(" ", "+"))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
