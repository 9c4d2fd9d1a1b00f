"""Placement's reads: resource providers and what they hold."""

from typing import TYPE_CHECKING

from .admission import PLACEMENT_MAX, PLACEMENT_MIN, version_headers, written
from .calls import Call, Document, Row, Said, Saying

if TYPE_CHECKING:
    from .stand_in import StandIn


def versions(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    document: Document = {
        "id": "v1.0",
        "min_version": written(PLACEMENT_MIN),
        "max_version": written(PLACEMENT_MAX),
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return Said(200, {"versions": [document]}, version_headers("placement", written(call.version)))


ROWS = (
    Row("GET", "", versions, is_open=True),
    Row("GET", "/", versions, is_open=True),
)
