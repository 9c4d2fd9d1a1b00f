"""One API, asked as ourselves: tokens, microversions, pages, pace and deadlines in one place.

A read may be asked anew when its token was turned away; an order goes out once or not at all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from ninelives.core.events import Outcome
from ninelives.engine.errors import Garbled, Refused, Unreachable
from ninelives.engine.ports import Answer

from .answers import answer_of, said
from .fields import Fields, Json, inner, parsed, rows, text
from .identity import Identity
from .pace import OVERLOADED, Pace
from .wire import Lost, NotReached, Reply, Request, Wire

READ_TIMEOUT_S = 20.0
ORDER_TIMEOUT_S = 90.0  # nova-api itself waits up to a minute for a compute that does not answer
PAGE_ROWS = 200  # so many servers are read in a few milliseconds of the loop's time
PAGES_MAX = 2_000

Version = tuple[int, int]
Query = Mapping[str, str]


class Missing(Refused):
    """There is no such thing (404)."""


class Page(NamedTuple):
    """One answer to a read, and the time at which the API said that it gave it."""

    fields: Fields
    date: datetime | None


class Listing(NamedTuple):
    """All pages of a list. `date` is of the first: what changes meanwhile is asked for again."""

    rows: list[Fields]
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which service type it is in the catalogue, and the versions that we know how to speak."""

    service: str
    oldest: Version
    newest: Version
    root: str  # up to where its address is kept when its versions are asked for


# 2.53: services by UUID. 2.100: hints of the scheduler; later ones change nothing that we ask.
NOVA = Dialect("compute", (2, 53), (2, 100), "/v2.1")
# 1.22: forbidden traits. 1.29: trees, so that nested providers do not hide their host.
PLACEMENT = Dialect("placement", (1, 29), (1, 36), "")


class Session:
    """The conversation with one API."""

    def __init__(self, wire: Wire, identity: Identity, dialect: Dialect, pace: Pace) -> None:
        self._wire, self._identity, self._dialect, self._pace = wire, identity, dialect, pace
        self._version: Version | None = None

    # Reading.

    async def read(
        self, path: str, query: Query | None = None, newest: Version | None = None
    ) -> Page:
        """Ask for one thing. Raises `Missing`, `Refused`, `Unreachable` or `Garbled`."""
        reply = await self._asked(await self._url(path, query), await self._versioned(newest))
        return Page(parsed(reply.body), reply.date)

    async def pages(
        self, path: str, query: Query, name: str, newest: Version | None = None
    ) -> Listing:
        """Ask for a whole list; a page that is missing is an error, and no shorter list."""
        found: list[Fields] = []
        asked, date = {**query, "limit": str(PAGE_ROWS)}, None
        for _ in range(PAGES_MAX):
            page = await self.read(path, asked, newest)
            date = date or page.date
            found += rows(page.fields, name)
            marker = _next_of(page.fields, name)
            if not marker:
                return Listing(found, date)
            # Of the link only what to ask for: the address in it may be one that we cannot reach.
            asked = marker
        raise Garbled(f"{path} does not end after {PAGES_MAX} pages", "is the list a circle?")

    async def _asked(self, url: str, headers: Mapping[str, str]) -> Reply:
        async with self._pace.turn():
            reply = await self._once(url, {**headers, **await self._identity.headers()})
        if reply.status == 401:
            await self._identity.renew()
            async with self._pace.turn():
                reply = await self._once(url, {**headers, **await self._identity.headers()})
        return _checked(reply)

    async def _once(self, url: str, headers: Mapping[str, str]) -> Reply:
        reply = await self._wire.exchange(Request("GET", url, headers), READ_TIMEOUT_S)
        self._learn(reply)
        return reply

    async def user_id(self) -> str:
        """Who we are in its records."""
        return await self._identity.user_id()

    # Ordering.

    async def order(self, method: str, path: str, body: Json) -> Answer:
        """Send what changes something: at once, once."""
        headers = self._identity.headers_now()
        if headers is None or self._version is None:
            await self._identity.headers()  # for the next one: this one was checked too long ago
            await self.version()
            return Answer(Outcome.NOT_SENT, "not_logged_in")
        if self._pace.is_resting:
            return Answer(Outcome.NOT_SENT, "busy")
        request = Request(
            method,
            await self._url(path, None),
            {**headers, **await self._versioned(), "Content-Type": "application/json"},
            json.dumps(body).encode(),
        )
        return await self._sent(request)

    async def _sent(self, request: Request) -> Answer:
        try:
            with self._pace.at_once():
                reply = await self._wire.exchange(request, ORDER_TIMEOUT_S)
        except NotReached as error:
            return Answer(Outcome.REFUSED, "http_5xx", str(error))
        except Lost as error:
            return Answer(Outcome.UNKNOWN, "lost", str(error))
        self._learn(reply)
        if reply.status == 401:
            await self._identity.renew()
        return answer_of(reply)

    def _learn(self, reply: Reply) -> None:
        after = reply.headers.get("retry-after", "")
        self._pace.answered(reply.status, float(after) if after.isdigit() else None)

    # Versions.

    async def version(self) -> Version:
        """The newest microversion that both sides know; found out once."""
        if self._version is None:
            self._version = await self._negotiated()
        return self._version

    async def _negotiated(self) -> Version:
        dialect = self._dialect
        reply = await self._asked(_root(await self._endpoint(), dialect.root), {})
        least, most = _offered(parsed(reply.body))
        if most < dialect.oldest or least > dialect.newest:
            offered = f"{_dotted(least)} to {_dotted(most)}"
            raise Refused(
                f"{dialect.service} speaks {offered}, we {_dotted(dialect.oldest)} to "
                f"{_dotted(dialect.newest)}",
                "upgrade the older side",
            )
        return min(most, dialect.newest)

    async def _versioned(self, newest: Version | None = None) -> Mapping[str, str]:
        version = await self.version()
        spoken = _dotted(version if newest is None else min(version, newest))
        return {"OpenStack-API-Version": f"{self._dialect.service} {spoken}"}

    async def _endpoint(self) -> str:
        return await self._identity.endpoint(self._dialect.service)

    async def _url(self, path: str, query: Query | None) -> str:
        endpoint = await self._endpoint()
        return f"{endpoint}{path}{'?' + urlencode(query) if query else ''}"


def _checked(reply: Reply) -> Reply:
    match reply.status:
        case status if 200 <= status <= 300:  # 300: Nova's list of versions
            return reply
        case 404:
            raise Missing(said(reply))
        case status if status in OVERLOADED or status >= 500:
            raise Unreachable(said(reply))
        case _:
            raise Refused(said(reply), "does our role allow it?")


def _next_of(fields: Fields, name: str) -> dict[str, str]:
    """Return what to ask for next, {} at the end."""
    if f"{name}_links" not in fields:
        return {}
    for link in rows(fields, f"{name}_links"):
        if link.get("rel") == "next":
            return dict(parse_qsl(urlsplit(text(link, "href")).query))
    return {}


def _root(endpoint: str, root: str) -> str:
    """Return where versions are told: without the project that old catalogues append."""
    if not root or root not in endpoint:
        return endpoint + "/"
    return endpoint[: endpoint.index(root) + len(root)] + "/"


def _offered(fields: Fields) -> tuple[Version, Version]:
    """Read a version document: Nova's of one version, Placement's of several."""
    one = inner(fields, "version") or rows(fields, "versions")[0]
    most = one.get("version") or one.get("max_version")
    return _read(one.get("min_version")), _read(most)


def _read(found: Json) -> Version:
    if not isinstance(found, str) or found.count(".") != 1:
        raise Garbled(f"no microversion: {found!r}", "is this the right endpoint?")
    major, minor = found.split(".")
    return int(major), int(minor)


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
