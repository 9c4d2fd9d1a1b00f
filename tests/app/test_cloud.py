"""What the cloud shows is taken with what the configuration says of it."""

from tests.app.conftest import Configured

from ninelives.app.cloud import record_silence_s
from ninelives.core.model import HostId


def test_a_host_that_the_inventory_does_not_know_has_the_policy_of_all(
    configured: Configured,
) -> None:
    setting = configured().setting

    silence_s = {host: record_silence_s(setting, HostId(host)) for host in ("c1", "stranger")}

    assert silence_s["stranger"] == setting.policy.record_silence_s == silence_s["c1"]
