"""What of Nova's table the lab cannot hold against a real Nova: read in its source, and named here.

Each is a skip that every run shows, so that nobody takes the lab for more than it is.
"""

import pytest

ROWS = {
    "the ports of an evacuated server are bound to its new host": "Neutron",
    "an evacuation whose port cannot be bound ends in error": "Neutron",
    "a server that boots from a volume keeps its data": "Cinder",
    "a volume is detached from the dead host before it is attached anew": "Cinder",
    "servers of a cell that is down are shown as unknown, without a host": "a second cell",
    "a server is evacuated inside its own cell": "a second cell",
    "a server with a vTPM is refused": "a driver with a vTPM",
}


@pytest.mark.parametrize("row", ROWS)
def test_read_not_run(row: str) -> None:
    pytest.skip(f"read, not run: {row} (it needs {ROWS[row]})")
