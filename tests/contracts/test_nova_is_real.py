"""Says aloud whether the rows of the table were held against a real Nova in this run."""

import pytest

from .real_machines import LAB, real_machines


def test_the_real_half_of_the_table_was_run() -> None:
    if not LAB:
        pytest.skip("NOT RUN: no real Nova; NINELIVES_LAB and OS_AUTH_URL name one")

    assert real_machines().nova("GET", "/os-services").status == 200
