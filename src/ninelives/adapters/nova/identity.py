"""Who we are to OpenStack: keystoneauth1, with every plug-in it has, in a thread.

A token is fetched again before it runs out, not when a request needs it: an order that waited for
Keystone would go out on a check that is no longer fresh.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from keystoneauth1 import exceptions as keystone
from keystoneauth1 import loading
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.loading.base import BaseLoader
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session as KeystoneSession

from ninelives.engine.errors import ConfigError, Refused, Unreachable

from .clouds import Cloud
from .wire import UNTRUSTED

Value = TypeVar("Value")

LOGIN_TIMEOUT_S = 15.0
FRESH_S = 60.0  # keystoneauth itself looks at the token's end; this is how often it is asked to


class Identity(Protocol):
    """Tokens and endpoints. Raises `PortError`."""

    async def headers(self) -> Mapping[str, str]:
        """What makes a request ours; a new token where the old one is about to run out."""
        ...

    def headers_now(self) -> Mapping[str, str] | None:
        """The same, at once; None where there is none that is still good for a while."""
        ...

    async def renew(self) -> None:
        """Forget a token that was turned away, and get another one."""
        ...

    async def endpoint(self, service: str) -> str: ...

    async def user_id(self) -> str:
        """Who we are in Nova's records."""
        ...


class KeystoneIdentity:
    """keystoneauth1 behind `Identity`. One log-in at a time, whoever asks for it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._plugin = _plugin(cloud)
        verify = (cloud.cacert or True) if cloud.verify else False
        cert = (cloud.cert, cloud.key) if cloud.key else cloud.cert or None
        self._session = KeystoneSession(verify=verify, cert=cert, timeout=LOGIN_TIMEOUT_S)
        self._one_at_a_time = asyncio.Lock()
        self._headers: Mapping[str, str] | None = None
        self._looked_at = 0.0
        self._endpoints: dict[str, str] = {}
        self._user_id: str | None = None

    async def headers(self) -> Mapping[str, str]:
        async with self._one_at_a_time:
            if self._headers is None or not self._is_fresh():
                self._headers = await _in_thread(self._log_in)
                self._looked_at = _now()
            return self._headers

    def headers_now(self) -> Mapping[str, str] | None:
        # Twice as long: whoever keeps it fresh may be late. keystoneauth renews it 120 s early.
        return self._headers if _now() < self._looked_at + 2.0 * FRESH_S else None

    async def renew(self) -> None:
        refused = self._headers
        async with self._one_at_a_time:
            if self._headers is refused:  # else somebody else has renewed it meanwhile
                self._plugin.invalidate()
                self._headers = None
        await self.headers()

    async def endpoint(self, service: str) -> str:
        if service not in self._endpoints:
            async with self._one_at_a_time:
                self._endpoints[service] = await _in_thread(lambda: self._find(service))
        return self._endpoints[service]

    async def user_id(self) -> str:
        if self._user_id is None:
            async with self._one_at_a_time:
                found = await _in_thread(lambda: self._plugin.get_user_id(self._session))
            self._user_id = found or ""
        return self._user_id

    def _is_fresh(self) -> bool:
        return _now() < self._looked_at + FRESH_S

    def _log_in(self) -> Mapping[str, str]:
        return self._plugin.get_headers(self._session) or {}

    def _find(self, service: str) -> str:
        self._refuse_to_guess(service)
        found: str | None = None
        with suppress(keystone.EndpointNotFound):
            found = self._plugin.get_endpoint(
                self._session,
                service_type=service,
                interface=self._cloud.interface,
                region_name=self._cloud.region,
            )
        if not found:
            where = f"{self._cloud.interface}, region {self._cloud.region or 'any'}"
            raise ConfigError(f"no {service} in the catalogue ({where})", "see `openstack catalog`")
        return found.rstrip("/")

    def _refuse_to_guess(self, service: str) -> None:
        """Have the region named where there are several: keystoneauth would take the first."""
        if self._cloud.region is not None or not isinstance(self._plugin, BaseIdentityPlugin):
            return
        catalogue = self._plugin.get_access(self._session).service_catalog
        found = catalogue.get_endpoints_data(
            service_type=service, interface=self._cloud.interface
        ).values()
        regions = sorted({str(each.region_name) for several in found for each in several})
        if len(regions) > 1:
            raise ConfigError(
                f"{service} is in several regions: {', '.join(regions)}",
                "name one: `region` in [cloud], or region_name in clouds.yaml",
            )


def _plugin(cloud: Cloud) -> BaseAuthPlugin:
    """Build the plug-in that `auth_type` names; `password` finds out the version by itself."""
    try:
        loader: BaseLoader[BaseAuthPlugin] = loading.get_plugin_loader(cloud.auth_type)
        known = {option.dest for option in loader.get_options()}
        given = {name.replace("-", "_"): value for name, value in cloud.auth.items()}
        return loader.load_from_options(**{k: v for k, v in given.items() if k in known})
    except (keystone.NoMatchingPlugin, keystone.MissingRequiredOptions) as error:
        raise ConfigError(f"cloud {cloud.name}: {error}", "see clouds.yaml") from error


async def _in_thread(call: Callable[[], Value]) -> Value:
    """Let keystoneauth wait elsewhere, and say what it raised in our own words."""
    try:
        return await asyncio.to_thread(call)
    except keystone.HttpError as error:
        if error.http_status < 500:
            raise Refused(f"Keystone: {error}", "are the credentials still good?") from error
        raise Unreachable(f"Keystone: {error}") from error
    except keystone.ClientException as error:
        # While it looks for Keystone's versions it wraps what TLS said in words of its own.
        is_untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        raise Unreachable(f"Keystone: {error}", UNTRUSTED if is_untrusted else "") from error


def _now() -> float:
    return asyncio.get_running_loop().time()
