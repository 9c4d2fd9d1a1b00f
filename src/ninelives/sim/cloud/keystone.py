"""Keystone v3: version documents, tokens by password or by token, the catalog, validation."""

from typing import TYPE_CHECKING

from .calls import Call, Document, Row, Said, Saying, text
from .catalogue import PASSWORD, PROJECTS, USERS, User, hex_of
from .instants import iso

if TYPE_CHECKING:
    from .stand_in import StandIn
    from .tokens import Token

REGION = "RegionOne"
SERVICES = (  # type, name, path
    ("identity", "keystone", "/identity"),
    ("compute", "nova", "/compute/v2.1"),
    ("placement", "placement", "/placement"),
    ("image", "glance", "/image"),
)


def versions(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    return Said(300, {"versions": {"values": [version_document(call.url)]}})


def version(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    return Said(200, {"version": version_document(call.url)})


def version_document(url: str) -> Document:
    media = {
        "base": "application/json",
        "type": "application/vnd.openstack.identity-v3+json",
    }
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{url}/identity/v3/"}],
        "media-types": [media],
    }


def authenticate(stand_in: "StandIn", call: Call) -> Saying:
    user = user_of(stand_in, call)
    if user is None:
        return refused(401, "The request you have made requires authentication.")
    scope = call.member("auth", "scope")
    project = project_of(call) or user.project
    if scope == "unscoped" or project not in PROJECTS or project != user.project:
        return refused(401, "The request you have made requires authentication.")
    token = stand_in.tokens.issue(user, project, stand_in.now)
    return Said(201, token_document(stand_in, token, call.url), {"X-Subject-Token": token.id})


def user_of(stand_in: "StandIn", call: Call) -> User | None:
    match call.member("auth", "identity", "methods"):
        case ["password", *_]:
            asked = call.member("auth", "identity", "password", "user", "name")
            by_id = call.member("auth", "identity", "password", "user", "id")
            password = call.member("auth", "identity", "password", "user", "password")
            known = (u for u in USERS if u.name == asked or user_id(u) == by_id)
            return next(known, None) if password == PASSWORD else None
        case ["token", *_]:
            held = text(call.member("auth", "identity", "token", "id")) or ""
            token = stand_in.tokens.find(held, stand_in.now)
            return None if token is None else token.user
        case _:
            return None


def project_of(call: Call) -> str | None:
    name = text(call.member("auth", "scope", "project", "name"))
    asked = call.member("auth", "scope", "project", "id")
    return name or next((each for each in PROJECTS if project_id(each) == asked), None)


def validate(stand_in: "StandIn", call: Call) -> Saying:
    token = subject(stand_in, call)
    if token is None:
        return refused(404, "Could not find token.")
    return Said(200, token_document(stand_in, token, call.url), {"X-Subject-Token": token.id})


def revoke(stand_in: "StandIn", call: Call) -> Saying:
    token = subject(stand_in, call)
    if token is None:
        return refused(404, "Could not find token.")
    stand_in.tokens.revoke(token.id)
    return Said(204)


def subject(stand_in: "StandIn", call: Call) -> "Token | None":
    return stand_in.tokens.find(call.headers.get("x-subject-token", ""), stand_in.now)


def list_catalog(stand_in: "StandIn", call: Call) -> Saying:
    links = {"self": f"{call.url}/identity/v3/auth/catalog"}
    return Said(200, {"catalog": catalog(stand_in, call.url), "links": links})


def list_projects(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    wanted = call.first("name")
    found = [project_view(name) for name in PROJECTS if wanted in {None, name}]
    return Said(200, {"projects": found, "links": {}})


def show_project(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    for name in PROJECTS:
        if call.parts["id"] == project_id(name):
            return Said(200, {"project": project_view(name)})
    return refused(404, f"Could not find project: {call.parts['id']}.")


def refused(status: int, message: str) -> Said:
    title = {401: "Unauthorized", 404: "Not Found"}[status]
    return Said(status, {"error": {"code": status, "message": message, "title": title}})


# Views


def token_document(stand_in: "StandIn", token: "Token", url: str) -> Document:
    domain = {"id": "default", "name": "Default"}
    user = {"id": user_id(token.user), "name": token.user.name, "domain": domain}
    project = {"id": project_id(token.project), "name": token.project, "domain": domain}
    roles = [{"id": hex_of("role", name), "name": name} for name in token.user.roles]
    inside: Document = {
        "methods": ["password"],
        "user": user | {"password_expires_at": None},
        "audit_ids": [hex_of("audit", token.id)[:22]],
        "issued_at": iso(token.issued, "micros"),
        "expires_at": iso(token.expires, "micros"),
        "project": project,
        "is_domain": False,
        "roles": roles,
        "catalog": catalog(stand_in, url),
    }
    return {"token": inside}


def catalog(stand_in: "StandIn", url: str) -> list[Document]:
    return [
        {
            "id": hex_of("service", name),
            "type": kind,
            "name": name,
            "endpoints": [
                {
                    "id": hex_of("endpoint", name, interface),
                    "interface": interface,
                    "region": REGION,
                    "region_id": REGION,
                    "url": (stand_in.compute_url or url if kind == "compute" else url) + path,
                }
                for interface in ("public", "internal", "admin")
            ],
        }
        for kind, name, path in SERVICES
    ]


def project_view(name: str) -> Document:
    return {
        "id": project_id(name),
        "name": name,
        "domain_id": "default",
        "parent_id": "default",
        "enabled": True,
        "is_domain": False,
        "description": "",
        "tags": [],
        "options": {},
        "links": {},
    }


def project_id(name: str) -> str:
    return hex_of("project", name)


def user_id(user: User) -> str:
    return hex_of("user", user.name)


ROWS = (
    Row("GET", "/", versions, is_open=True),
    Row("GET", "/v3", version, is_open=True),
    Row("GET", "/v3/", version, is_open=True),
    Row("POST", "/v3/auth/tokens", authenticate, is_open=True),
    Row("GET", "/v3/auth/tokens", validate),
    Row("DELETE", "/v3/auth/tokens", revoke),
    Row("GET", "/v3/auth/catalog", list_catalog),
    Row("GET", "/v3/auth/projects", list_projects),
    Row("GET", "/v3/projects", list_projects),
    Row("GET", "/v3/projects/{id}", show_project),
)
