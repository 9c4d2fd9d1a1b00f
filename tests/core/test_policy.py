"""What the presets promise, measured: a host loses its power, and the clock is watched.

Witnesses look once a second, each at its own moment, and call a host silent when they have had no
sign for `silence_s`; a report takes a tenth of a second. Nothing else is known of the host than
what its BMC and its storage say when they are asked.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, Power, WitnessId
from ninelives.core.policy import BALANCED, CAREFUL, FAST, PRESETS, Policy

LOOK_S, REPORT_S = 1.0, 0.1
C1 = HostId("c1")

PROMISED = (  # preset, silence seen at, decided within
    ("balanced", 6.0, 12.0),
    ("fast", 3.0, 5.0),
    ("careful", 15.0, 45.0),
)


def tells(cloud: SmallCloud, witness: WitnessId) -> Iterable[on.Event]:
    return [cloud.view(witness, C1)]


def lose_power(cloud: SmallCloud, bmc: Power) -> float:
    """Let c1 die now. Each witness sees it at its own next look after the silence lasted."""
    died = cloud.now
    cloud.power[C1] = bmc
    cloud.alive.discard(C1)
    cloud.written.discard(C1)
    for number, witness in enumerate(cloud.witnesses()):
        phase = number * 0.3 % LOOK_S
        seen = cloud.policy.silence_s + phase + REPORT_S
        cloud.after(seen, partial(tells, cloud, witness))
    return died


def measured(policy: Policy, bmc: Power) -> tuple[float, float]:
    """Return how long after the death it was suspected, and decided to fence it."""
    cloud = CheckedCloud(policy=policy).started()
    cloud.run(60)
    died = lose_power(cloud, bmc)
    cloud.until(lambda: cloud.is_in("c1", at.Suspect), 100)
    suspected = cloud.now - died
    cloud.until(lambda: cloud.is_in("c1", at.Fencing, at.Fenced), 100)
    return suspected, cloud.now - died


@pytest.mark.parametrize(("name", "silence_s", "decided_s"), PROMISED)
@pytest.mark.parametrize("bmc", [Power.OFF, Power.UNREADABLE], ids=["bmc alive", "bmc dead too"])
def test_a_power_loss_is_seen_and_decided_in_the_time_that_is_promised(
    name: str, silence_s: float, decided_s: float, bmc: Power
) -> None:
    policy = PRESETS[name]

    suspected, decided = measured(policy, bmc)

    assert silence_s <= suspected <= silence_s + LOOK_S + 2 * REPORT_S
    assert decided <= decided_s


@pytest.mark.parametrize("name", PRESETS)
def test_a_gap_shorter_than_the_silence_makes_nobody_suspect(name: str) -> None:
    cloud = CheckedCloud(policy=PRESETS[name]).started()
    cloud.run(60)
    lose_power(cloud, Power.ON)
    cloud.run(PRESETS[name].silence_s - 0.1)
    cloud.alive.add(C1)
    cloud.run(10)

    assert cloud.is_in("c1", at.Healthy)
    assert cloud.host("c1").epoch == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_host_that_is_heard_again_while_it_is_only_suspect_is_not_shot(name: str) -> None:
    cloud = CheckedCloud(policy=PRESETS[name]).started()
    cloud.run(60)
    lose_power(cloud, Power.ON)
    cloud.until(lambda: cloud.is_in("c1", at.Suspect))
    cloud.run(PRESETS[name].confirm_s - 0.5)

    cloud.wake_up("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 60)

    assert not cloud.all_of(do.PowerOff)


def test_the_default_is_balanced() -> None:
    assert Policy() == BALANCED == PRESETS["balanced"]


def test_careful_is_never_quicker_and_fast_never_slower_than_balanced() -> None:
    for earlier, later in ((FAST, BALANCED), (BALANCED, CAREFUL)):
        assert earlier.silence_s <= later.silence_s
        assert earlier.confirm_s <= later.confirm_s
        assert earlier.weak_only_s <= later.weak_only_s


def test_t_safe_grows_with_each_of_its_parts() -> None:
    for part in ("host_lease_s", "watchdog_soft_s", "watchdog_device_s", "lease_margin_s"):
        more = replace(BALANCED, **{part: getattr(BALANCED, part) + 1.0})
        assert more.safe_s >= BALANCED.safe_s + 1.0

    assert replace(BALANCED, clock_drift=0.01).safe_s == pytest.approx(30 * 1.01 + 5)


def test_a_settle_time_is_longer_than_every_request() -> None:
    for policy in PRESETS.values():
        assert policy.nova_settle_s > 2 * policy.request_timeout_s
        assert policy.proof_fresh_s > policy.power_poll_s
        assert policy.unfenceable_after_s > policy.off_timeout_s
