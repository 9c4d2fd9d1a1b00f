"""As much of Neutron as servers without ports need: every list is empty.

Nova asks for a server's ports at boot, evacuation and deletion, also where it has none.
"""

import json


def application(environ, start_response):
    """Answer one request."""
    parts = [part for part in environ["PATH_INFO"].split("/") if part]
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return answered(start_response, "204 No Content", None)
    match parts:
        case []:
            link = {"rel": "self", "href": f"http://{environ['HTTP_HOST']}/v2.0/"}
            versions = [{"id": "v2.0", "status": "CURRENT", "links": [link]}]
            return answered(start_response, "200 OK", {"versions": versions})
        case [_, "quotas", *_]:
            return answered(start_response, "200 OK", {"quota": {}})
        case [_, kind]:
            return answered(start_response, "200 OK", {kind.removesuffix(".json"): []})
        case _:
            fault = {"type": "NotFound", "message": "there are no networks here", "detail": ""}
            return answered(start_response, "404 Not Found", {"NeutronError": fault})


def answered(start_response, status, body):
    content = b"" if body is None else json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json")] if content else [])
    return [content]
