"""A bare client of the lab's own cloud, for what the lab itself sets up and shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ninelives.adapters.nova.fields import Fields, parsed
from ninelives.engine.errors import Refused, Unreachable

from .files import PASSWORD

ANSWER_S = 120.0  # on a slow machine, with other work


@dataclass(frozen=True, slots=True)
class Api:
    """Somebody who is logged in."""

    token: str

    def __call__(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        version: str = "",
        content: bytes | None = None,
    ) -> Fields:
        """Send one request. Raises `PortError` where the answer is not a good one."""
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        if version:
            headers["OpenStack-API-Version"] = version
        if content is not None:
            headers["Content-Type"] = "application/octet-stream"
        elif body is not None:
            content = json.dumps(body).encode()
        return asked(method, url, content, headers)[1]


def logged_in(keystone: str, name: str = "admin") -> Api:
    """Log in to the administrator's project, as the administrator or another member."""
    domain = {"id": "default"}
    user = {"name": name, "domain": domain, "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": "admin", "domain": domain}}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()
    token, _ = asked(
        "POST", f"{keystone}/v3/auth/tokens", body, {"Content-Type": "application/json"}
    )
    return Api(token)


def asked(
    method: str, url: str, content: bytes | None, headers: Mapping[str, str]
) -> tuple[str, Fields]:
    """Return the token of an answer, if it gives one, and its body."""
    request = Request(url, content, dict(headers), method=method)  # noqa: S310 - our own cloud
    try:
        with urlopen(request, timeout=ANSWER_S) as reply:  # noqa: S310
            read: bytes = reply.read()
            token: str = reply.headers.get("X-Subject-Token", "")
    except HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise Refused(f"{method} {url}: {error.code} {said}", "see the lab's logs") from error
    except URLError as error:
        raise Unreachable(f"{method} {url}: {error.reason}", "ninelives lab status") from error
    return token, parsed(read) if read else {}
