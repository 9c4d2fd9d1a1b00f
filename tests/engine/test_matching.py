"""Two sides that speak of one machine: they may differ, agree, or say nothing of use."""

import pytest

from ninelives.core.model import HostId, RoadId
from ninelives.engine.device import Identity
from ninelives.engine.matching import Match, match_of, shared

UUID = "4c4c4544-0042-3510-8057-b4c04f4d4e32"
C1, C2 = HostId("c1"), HostId("c2")
BMC, PDU = RoadId("bmc"), RoadId("pdu")


@pytest.mark.parametrize(
    ("serial", "identity", "match"),
    [
        ("7X42", Identity(("7X42",)), Match.SAME),
        (" 7x42", Identity(("CN123", "7X42 "), UUID), Match.SAME),  # a Dell: board, service tag
        (UUID.upper(), Identity((), UUID), Match.SAME),
        ("7X42", Identity(("7X43",)), Match.OTHER),
        ("7X42", Identity(("7X43",), UUID), Match.OTHER),
        ("7X42", Identity((), UUID), Match.UNKNOWN),
        ("", Identity(("7X42",)), Match.UNKNOWN),
        ("7X42", Identity(), Match.UNKNOWN),
        ("Default string", Identity(("Default string",)), Match.UNKNOWN),
        ("7X42", Identity(("To be filled by O.E.M.",)), Match.UNKNOWN),
    ],
)
def test_only_two_that_say_something_match(serial: str, identity: Identity, match: Match) -> None:
    assert match_of(serial, identity) is match


def test_one_machine_behind_two_hosts_is_found() -> None:
    same = Identity(("7X42",))

    assert shared({(C1, BMC): same, (C2, BMC): same}) == {
        (C1, BMC): frozenset({C2}),
        (C2, BMC): frozenset({C1}),
    }


def test_two_roads_to_one_host_are_no_conflict_and_a_makers_filler_is_none() -> None:
    filler = Identity(("Default string",), "00000000-0000-0000-0000-000000000000")

    assert shared({(C1, BMC): Identity(("7X42",)), (C1, PDU): Identity(("7X42",))}) == {}
    assert shared({(C1, BMC): filler, (C2, BMC): filler}) == {}
