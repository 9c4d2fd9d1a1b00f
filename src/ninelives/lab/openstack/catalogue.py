"""What a new cloud is given before anybody uses it: users, endpoints, flavors, quotas, an image."""

from collections.abc import Callable

from ninelives.adapters.nova.fields import Fields, inner, rows, text
from ninelives.lab.places import Places

from .api import Api
from .files import PASSWORD, REGION

SERVICES = ("nova", "placement", "glance", "neutron")
ROLES = ("admin", "service")
IMAGE = "tiny"
FLAVORS = (("1", "small", 1, 512), ("2", "medium", 2, 2048))
WITHOUT_LIMIT = {"instances": -1, "cores": -1, "ram": -1}


def once(places: Places, what: str, do: Callable[[], None]) -> None:
    """Do it where it was not done in this lab yet. A marker is set after it is done."""
    marker = places.kept / f"{what}.done"
    if not marker.exists():
        do()
        marker.touch()


def register(places: Places, api: Api) -> None:
    """Add the services' users and the catalogue. Safe to repeat."""
    keystone = f"{places.url('keystone')}/v3"
    project = _named(api, keystone, "project", "service", domain_id="default")
    roles = {text(each, "name"): text(each, "id") for each in _all(api, keystone, "role")}
    for name in SERVICES:
        user = _named(api, keystone, "user", name, domain_id="default", password=PASSWORD)
        for role in (roles[each] for each in ROLES if each in roles):
            api("PUT", f"{keystone}/projects/{project}/users/{user}/roles/{role}")
    # Somebody who is no administrator, in the project whose the servers are.
    demo = _named(api, keystone, "user", "demo", domain_id="default", password=PASSWORD)
    admin = _named(api, keystone, "project", "admin")
    api("PUT", f"{keystone}/projects/{admin}/users/{demo}/roles/{roles['member']}")
    for name, kind, url in (
        ("placement", "placement", places.url("placement")),
        ("glance", "image", places.url("glance")),
        ("nova", "compute", f"{places.url('nova')}/v2.1"),
        ("neutron", "network", places.url("network")),
    ):
        _offer(api, keystone, name, kind, url)


def _offer(api: Api, keystone: str, name: str, kind: str, url: str) -> None:
    service = _named(api, keystone, "service", name, type=kind)
    offered = {
        text(each, "interface")
        for each in _all(api, keystone, "endpoint")
        if text(each, "service_id") == service
    }
    for interface in sorted({"public", "internal", "admin"} - offered):
        endpoint = {"service_id": service, "interface": interface, "url": url, "region_id": REGION}
        api("POST", f"{keystone}/endpoints", {"endpoint": endpoint})


def _named(api: Api, keystone: str, kind: str, name: str, **more: str) -> str:
    """Return the id of a thing of this name, which is made where there is none."""
    for each in _all(api, keystone, kind):
        if text(each, "name") == name:
            return text(each, "id")
    made = api("POST", f"{keystone}/{kind}s", {kind: {"name": name, **more}})
    return text(inner(made, kind), "id")


def _all(api: Api, keystone: str, kind: str) -> list[Fields]:
    return rows(api("GET", f"{keystone}/{kind}s"), f"{kind}s")


def furnish(places: Places, api: Api) -> None:
    """Add flavors, lift the quotas, upload an image of one sector."""
    nova, keystone = f"{places.url('nova')}/v2.1", f"{places.url('keystone')}/v3"
    known = {text(each, "id") for each in rows(api("GET", f"{nova}/flavors"), "flavors")}
    for number, name, vcpus, ram in FLAVORS:
        if number not in known:
            flavor = {"id": number, "name": name, "vcpus": vcpus, "ram": ram, "disk": 1}
            api("POST", f"{nova}/flavors", {"flavor": flavor})
    admin = _named(api, keystone, "project", "admin")
    api("PUT", f"{nova}/os-quota-sets/{admin}", {"quota_set": WITHOUT_LIMIT})
    images = f"{places.url('glance')}/v2/images"
    told = {"name": IMAGE, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    if not rows(api("GET", images), "images"):
        image = text(api("POST", images, told), "id")
        api("PUT", f"{images}/{image}/file", content=bytes(512))
