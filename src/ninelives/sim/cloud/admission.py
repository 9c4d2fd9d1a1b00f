"""Who may ask what: tokens, roles and microversions, before a handler sees the call."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ninelives.sim import nova

from .calls import Call, Row, Said, Saying, nova_fault

if TYPE_CHECKING:
    from .stand_in import StandIn
    from .tokens import Token

Admit: TypeAlias = "Callable[[StandIn, Call, Row], Call | Saying]"

Dress: TypeAlias = "Callable[[StandIn, Call, Saying], Saying]"  # headers that all answers have

COMPUTE_MIN: nova.Microversion = (2, 1)
COMPUTE_MAX: nova.Microversion = (2, 95)
PLACEMENT_MIN: nova.Microversion = (1, 0)
PLACEMENT_MAX: nova.Microversion = (1, 39)


def everybody(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:  # noqa: ARG001 -- an `Admit`
    return call


def compute(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:
    version = microversion(call, "compute", COMPUTE_MIN, COMPUTE_MAX)
    if isinstance(version, Said):
        return version
    return with_token(stand_in, replace(call, version=version), row)


def placement(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:
    version = microversion(call, "placement", PLACEMENT_MIN, PLACEMENT_MAX)
    if isinstance(version, Said):
        return version
    return with_token(stand_in, replace(call, version=version), row)


def identity(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:
    return with_token(stand_in, call, row)


image = identity


def with_token(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:
    if row.is_open:
        return call
    token = token_of(stand_in, call)
    if token is None:
        message = "The request you have made requires authentication."
        body = {"error": {"code": 401, "message": message, "title": "Unauthorized"}}
        where = {"WWW-Authenticate": f'Keystone uri="{call.url}/identity"'}
        return Said(401, body, where)
    if row.is_for_admins and not token.user.caller.is_admin:
        return nova_fault(403, "Policy doesn't allow this to be performed.")
    return replace(call, by=token.user.caller, project=token.project)


def token_of(stand_in: "StandIn", call: Call) -> "Token | None":
    return stand_in.tokens.find(call.headers.get("x-auth-token", ""), stand_in.now)


def microversion(
    call: Call, service: str, least: nova.Microversion, most: nova.Microversion
) -> nova.Microversion | Said:
    """Read which microversion counts. Without a header it is the oldest, as in Nova."""
    asked = asked_version(call, service)
    if asked is None:
        return least
    if asked == "latest":
        return most
    major, dot, minor = asked.partition(".")
    if not (dot and major.isdigit() and minor.isdigit()):
        message = (
            f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        )
        return nova_fault(400, message)
    version = int(major), int(minor)
    if not least <= version <= most:
        bounds = f"Minimum is {written(least)} and maximum is {written(most)}."
        message = f"Version {asked} is not supported by the API. {bounds}"
        body = {"computeFault": {"code": 406, "message": message}}
        return Said(406, body, version_headers(service, written(most)))
    return version


def asked_version(call: Call, service: str) -> str | None:
    for part in call.headers.get("openstack-api-version", "").split(","):
        name, _, version = part.strip().partition(" ")
        if name.lower() == service and version:
            return version.strip()
    if service == "compute":
        return call.headers.get("x-openstack-nova-api-version")
    return None


def written(version: nova.Microversion) -> str:
    return f"{version[0]}.{version[1]}"


def version_headers(service: str, version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"{service} {version}", "Vary": "OpenStack-API-Version"}
