"""A call of the agent, written as one line and read back."""

import pytest

from ninelives.fence.record import Call, call_from


def test_a_call_is_read_back_as_it_was_written() -> None:
    call = Call(
        "remote-c1", "c1.example.com", "off", 1795408070.698251, "ctl1/77", "ninelives-gate"
    )
    call.is_in_cib = True

    found = call_from(call.line)

    assert found is not None
    assert found.line == call.line
    assert found.value == "off@2026-11-23T04:27:50Z"


@pytest.mark.parametrize(
    "line",
    [b"", b"\xff\xfe", b"node=c1", b"node=a host=a action=off wall=x by=b attribute=g in_cib=1"],
)
def test_what_is_no_call_is_none(line: bytes) -> None:
    assert call_from(line) is None
