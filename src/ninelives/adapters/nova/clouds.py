"""Which cloud, and who we are there: `clouds.yaml` and `OS_CLOUD`, or the `OS_…` variables alone.

The same files in the same places as the official clients (openstacksdk, "Configuring OpenStack SDK
Applications"); `secure.yaml` beside one adds what is secret. Vendor profiles are refused: a cloud
whose hosts one may fence is one's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ninelives.engine.errors import ConfigError

from .fields import Fields, Json

PLACES = (Path("~/.config/openstack"), Path("/etc/openstack"))
ENVIRONMENT = "the environment"
NO_OPTION = {"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"}
NOT_FOR_LOGIN = {"region_name", "interface", "cacert", "cert", "key", "insecure", "auth_type"}
NO = ("false", "no", "0", "off")


@dataclass(frozen=True, slots=True)
class Cloud:
    """One entry of `clouds.yaml`. What `auth` holds never shows in a repr."""

    name: str
    auth_type: str = "password"
    auth: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    region: str | None = None
    interface: str = "public"
    verify: bool = True
    cacert: str = ""
    cert: str = ""
    key: str = ""


def cloud_of(name: str | None, environment: Mapping[str, str], here: Path) -> Cloud:
    """Find the cloud: by name, by `OS_CLOUD`, or from the variables alone."""
    wanted = name or environment.get("OS_CLOUD")
    if wanted is None:
        return _from_environment(environment)
    files = _files(environment, here)
    for path in files:
        found = _entry(path, wanted)
        if found is not None:
            return _cloud(wanted, _merged(found, _entry(_secure(path, environment), wanted) or {}))
    looked = ", ".join(map(str, files))
    raise ConfigError(f"no cloud {wanted!r} in {looked}", "see `openstack config show`")


def _files(environment: Mapping[str, str], here: Path) -> list[Path]:
    if named := environment.get("OS_CLIENT_CONFIG_FILE"):
        return [Path(named)]
    folders = (here, *(place.expanduser() for place in PLACES))
    return [folder / f"clouds.{ending}" for folder in folders for ending in ("yaml", "yml")]


def _secure(path: Path, environment: Mapping[str, str]) -> Path:
    named = environment.get("OS_CLIENT_SECURE_FILE")
    return Path(named) if named else path.with_stem("secure")


def _entry(path: Path, cloud: str) -> Fields | None:
    if not path.is_file():
        return None
    try:
        read: Json = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}", "is it YAML, and readable for us?") from error
    clouds = read.get("clouds") if isinstance(read, dict) else None
    found = clouds.get(cloud) if isinstance(clouds, dict) else None
    return found if isinstance(found, dict) else None


def _merged(plain: Fields, secret: Fields) -> Fields:
    merged = dict(plain)
    for name, value in secret.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = {**below, **value}
        else:
            merged[name] = value
    return merged


def _cloud(name: str, entry: Fields) -> Cloud:
    if "profile" in entry or "cloud" in entry:
        raise ConfigError(f"cloud {name}: vendor profiles are not read", "write its auth_url out")
    auth = entry.get("auth")
    if not isinstance(auth, dict) and entry.get("auth_type") != "none":
        raise ConfigError(f"cloud {name}: no `auth`", "see clouds.yaml of the official clients")
    options = {key: str(value) for key, value in (auth if isinstance(auth, dict) else {}).items()}
    return Cloud(
        name,
        _text(entry, "auth_type") or "password",
        options,
        _text(entry, "region_name") or None,
        _text(entry, "interface") or _text(entry, "endpoint_type") or "public",
        _is_on(_text(entry, "verify"), default=True),
        _text(entry, "cacert"),
        _text(entry, "cert"),
        _text(entry, "key"),
    )


def _from_environment(environment: Mapping[str, str]) -> Cloud:
    """Take `OS_AUTH_URL` and its like, as an `openrc` file sets them."""
    given = {
        name.removeprefix("OS_").lower(): value
        for name, value in environment.items()
        if name.startswith("OS_") and name not in NO_OPTION and value
    }
    if "auth_url" not in given and "endpoint" not in given:
        raise ConfigError("no cloud is named", "set OS_CLOUD, or `cloud` in the configuration")
    return Cloud(
        ENVIRONMENT,
        given.get("auth_type", "password"),
        {name: value for name, value in given.items() if name not in NOT_FOR_LOGIN},
        given.get("region_name"),
        given.get("interface", "public"),
        not _is_on(given.get("insecure", ""), default=False),
        given.get("cacert", ""),
        given.get("cert", ""),
        given.get("key", ""),
    )


def _text(entry: Fields, name: str) -> str:
    found = entry.get(name)
    return "" if found is None else str(found)


def _is_on(word: str, default: bool) -> bool:
    return word.lower() not in NO if word else default
