"""An order as it comes over the socket becomes one of the core's, or is refused with words."""

import json

import pytest

from ninelives.app.orders_asked import ORDERS, Misread, order_of
from ninelives.core.model import HostId
from ninelives.core.orders import ConfirmedDead, FenceOrdered, IncidentApproved, MaintenanceSet

C1 = HostId("c1")


def read(**order: object) -> object:
    return order_of(json.dumps(order).encode(), "alice")


def test_who_ordered_is_whom_the_kernel_named() -> None:
    assert read(order="fence", host="c1", typed="c1", by="root") == FenceOrdered("alice", C1, "c1")


def test_what_is_left_out_has_its_default() -> None:
    assert read(order="maintenance", host="c1", on=True) == MaintenanceSet("alice", C1, is_on=True)


def test_a_word_on_a_death_names_its_episode() -> None:
    word = read(order="confirm_dead", host="c1", typed="c1", epoch=3, looked_at="its rack")

    assert word == ConfirmedDead("alice", C1, "c1", 3, "its rack")


def test_leave_quotes_the_episode_that_was_looked_at() -> None:
    leave = read(order="approve", host="c1", epoch=3, reason="its rack is dark")

    assert leave == IncidentApproved("alice", C1, 3, "its rack is dark")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"[]", "no object"),
        (b"{}", "'order'"),
        (b'{"order": "reboot"}', "no order 'reboot'"),
        (b'{"order": "fence", "host": "c1"}', "'typed'"),
        (b'{"order": "maintenance", "host": "c1", "on": 1}', "'on'"),
        (b'{"order": "settle", "host": "c1", "epoch": true, "finish": true}', "'epoch'"),
    ],
)
def test_what_is_no_order_is_refused_with_words(body: bytes, says: str) -> None:
    misread = order_of(body, "alice")

    assert isinstance(misread, Misread)
    assert says in misread.message


def test_every_order_names_what_it_wants() -> None:
    for name in ORDERS:
        assert isinstance(read(order=name), Misread)


def test_every_order_says_why() -> None:
    whole: dict[str, object] = {
        **dict.fromkeys(("host", "server", "road", "domain", "typed", "looked_at"), "c1"),
        **dict.fromkeys(("on", "finish", "verified"), True),
        **dict.fromkeys(("epoch", "shots"), 1),
        "reason": "its rack burns",
    }
    made = {name: read(order=name, **whole) for name in ORDERS}

    assert not [name for name, order in made.items() if isinstance(order, Misread)]
    word = made.pop("confirm_dead")  # its reason is what was looked at
    assert isinstance(word, ConfirmedDead)
    assert word.looked_at == "c1"
    assert {name: getattr(order, "reason", None) for name, order in made.items()} == dict.fromkeys(
        made, "its rack burns"
    )
