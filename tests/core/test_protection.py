"""Which promise a server gets: the first rule whose every key equals, or the default."""

from dataclasses import replace

import pytest

from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.core.protection import Keep, Key, Promise, Remedy, Rule, promise_for

WEB = ServerSeen(
    ServerId("web"),
    HostId("c1"),
    VmState.ACTIVE,
    None,
    is_running=True,
    zone="nova",
    aggregates=("fast", "east"),
    project="shop",
    flavor="m1.small",
    image="debian",
    tags={"ha": "gold", "evacuable": "true"},
)
GOLD, CATTLE = Promise("gold", tier=10), Promise("cattle", data=Keep.DISPOSABLE)
DEFAULT = Promise()

MATCHING = (
    (Key.ZONE, "nova"),
    (Key.AGGREGATE, "east"),
    (Key.PROJECT, "shop"),
    (Key.FLAVOR, "m1.small"),
    (Key.IMAGE, "debian"),
    (Key.TAG, "ha=gold"),
    (Key.ID, "web"),
)


def test_without_rules_a_server_is_a_protected_pet_of_tier_50() -> None:
    promise = promise_for(WEB, (), DEFAULT)

    assert (promise.tier, promise.data) == (50, Keep.PRESERVE)
    assert promise.host_dies is Remedy.EVACUATE
    assert promise.compute_fails is promise.libvirt_hangs is promise.guest_hangs is Remedy.LEAVE
    assert promise.server_crashes is Remedy.RESTART
    assert not promise.resets_state


@pytest.mark.parametrize(("key", "value"), MATCHING)
def test_every_kind_of_key_matches_its_server(key: Key, value: str) -> None:
    assert promise_for(WEB, (Rule(GOLD, ((key, value),)),), DEFAULT) is GOLD


@pytest.mark.parametrize(("key", "value"), MATCHING)
@pytest.mark.parametrize("almost", ["{}x", "x{}", "{}*", ".*"])
def test_keys_match_exactly_or_not_at_all(key: Key, value: str, almost: str) -> None:
    rule = Rule(GOLD, ((key, almost.format(value)),))

    assert promise_for(WEB, (rule,), DEFAULT) is DEFAULT


@pytest.mark.parametrize("value", ["ha", "ha=", "gold", "=gold", "HA=gold", "not-evacuable=true"])
def test_a_tag_needs_its_name_and_its_value(value: str) -> None:
    assert promise_for(WEB, (Rule(GOLD, ((Key.TAG, value),)),), DEFAULT) is DEFAULT


def test_a_server_without_tags_matches_no_tag() -> None:
    bare = replace(WEB, tags=None)

    assert promise_for(bare, (Rule(GOLD, ((Key.TAG, "ha=gold"),)),), DEFAULT) is DEFAULT


def test_the_first_rule_that_matches_wins() -> None:
    rules = (
        Rule(Promise("other"), ((Key.PROJECT, "bank"),)),
        Rule(GOLD, ((Key.PROJECT, "shop"),)),
        Rule(CATTLE, ((Key.ID, "web"),)),
    )

    assert promise_for(WEB, rules, DEFAULT) is GOLD
    assert promise_for(WEB, rules[::-1], DEFAULT) is CATTLE


def test_a_rule_holds_only_if_all_its_keys_do() -> None:
    half = Rule(GOLD, ((Key.PROJECT, "shop"), (Key.FLAVOR, "m1.large")))
    whole = Rule(CATTLE, ((Key.PROJECT, "shop"), (Key.FLAVOR, "m1.small")))

    assert promise_for(WEB, (half, whole), DEFAULT) is CATTLE


def test_a_rule_without_keys_holds_for_everybody() -> None:
    assert promise_for(WEB, (Rule(CATTLE),), DEFAULT) is CATTLE
