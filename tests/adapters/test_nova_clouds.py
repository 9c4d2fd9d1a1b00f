"""Which cloud, and who we are there: the files and variables of the official clients."""

from pathlib import Path

import pytest
from tests import virtual_loop

from ninelives.adapters.nova.clouds import cloud_of
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.engine.errors import ConfigError

CLOUDS = """
clouds:
  lab:
    auth: {auth_url: "http://ks/v3", username: ninelives, project_name: admin}
    region_name: RegionOne
    interface: internal
    cacert: /etc/ca.pem
  keyed:
    auth_type: v3applicationcredential
    auth: {auth_url: "http://ks/v3", application_credential_id: a, application_credential_secret: b}
    verify: false
  bought: {profile: vexxhost}
"""
SECURE = """
clouds:
  lab: {auth: {password: hush}}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    (tmp_path / "secure.yaml").write_text(SECURE)
    return tmp_path


def test_a_cloud_is_found_by_name_and_its_secret_beside_it(here: Path) -> None:
    cloud = cloud_of("lab", {}, here)

    assert cloud.auth["password"] == "hush"
    assert (cloud.region, cloud.interface, cloud.cacert) == ("RegionOne", "internal", "/etc/ca.pem")
    assert (cloud.auth_type, cloud.verify) == ("password", True)


def test_a_cloud_is_named_by_the_environment(here: Path) -> None:
    cloud = cloud_of(None, {"OS_CLOUD": "keyed"}, here)

    assert (cloud.auth_type, cloud.verify) == ("v3applicationcredential", False)


def test_no_secret_shows_in_a_repr(here: Path) -> None:
    assert "hush" not in repr(cloud_of("lab", {}, here))


def test_the_variables_of_an_openrc_are_enough(tmp_path: Path) -> None:
    cloud = cloud_of(
        None, {"OS_AUTH_URL": "http://ks", "OS_USERNAME": "u", "OS_INSECURE": "1"}, tmp_path
    )

    assert cloud.auth == {"auth_url": "http://ks", "username": "u"}
    assert not cloud.verify


@pytest.mark.parametrize(
    ("name", "environment", "what"),
    [
        ("nope", {}, "no cloud 'nope'"),
        ("bought", {}, "vendor profiles"),
        (None, {}, "no cloud is named"),
    ],
)
def test_what_cannot_be_used_is_told(
    here: Path, name: str | None, environment: dict[str, str], what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        cloud_of(name, environment, here)


def test_an_unknown_way_to_log_in_is_told(tmp_path: Path) -> None:
    cloud = cloud_of(None, {"OS_AUTH_URL": "http://ks", "OS_AUTH_TYPE": "v9magic"}, tmp_path)

    async def make() -> None:
        KeystoneIdentity(cloud)

    with pytest.raises(ConfigError, match="v9magic"):
        virtual_loop.run(make())
