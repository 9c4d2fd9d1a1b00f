"""The first lines of a result: when it was measured, of which commit, by which command."""

import subprocess
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def heading(command: str) -> str:
    """Return the lines that every result begins with."""
    return f"date    {today()}\ncommit  {commit()}\ncommand {command}\n"


def machine() -> str:
    """Return the line on the machine, and on what else it did."""
    return f"machine {cpu_count()} cores, load {getloadavg()[0]:.1f} at the end\n"


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def commit() -> str:
    """Return what is checked out, in short."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    said = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return said or "unknown"
