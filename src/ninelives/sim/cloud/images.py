"""As much of Glance as clients ask about images that servers were made of."""

from typing import TYPE_CHECKING

from .calls import Call, Document, Row, Said, Saying
from .catalogue import IMAGES, uuid_of

if TYPE_CHECKING:
    from .stand_in import StandIn


def versions(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    href = f"{call.url}/image/v2/"
    document = {"id": "v2.9", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}
    return Said(300, {"versions": [document]})


def list_images(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    wanted = call.first("name")
    found = [image_view(name) for name in IMAGES if wanted in {None, name}]
    return Said(200, {"images": found, "schema": "/v2/schemas/images", "first": "/v2/images"})


def show_image(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    for name in IMAGES:
        if call.parts["id"] == uuid_of("image", name):
            return Said(200, image_view(name))
    return Said(404, {"message": f"No image found with ID {call.parts['id']}"})


def image_view(name: str) -> Document:
    id = uuid_of("image", name)  # noqa: A001 -- Glance's own word
    return {
        "id": id,
        "name": name,
        "status": "active",
        "visibility": "public",
        "container_format": "bare",
        "disk_format": "qcow2",
        "size": 1,
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "tags": [],
        "self": f"/v2/images/{id}",
        "schema": "/v2/schemas/image",
    }


ROWS = (
    Row("GET", "", versions, is_open=True),
    Row("GET", "/", versions, is_open=True),
    Row("GET", "/v2/images", list_images),
    Row("GET", "/v2/images/{id}", show_image),
)
