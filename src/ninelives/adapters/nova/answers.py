"""What Nova's answer to an order means: done, refused for a stable reason, or nobody knows. Pure.

    2xx                       DONE: accepted; whether it works is seen by listing
    401, 429                  NOT_SENT: turned away at the door, certainly nothing happened
    other 4xx                 REFUSED, with a reason
    503, no connection        REFUSED, "http_5xx": nobody was there to hear it
    other 5xx, no answer      UNKNOWN: Nova may have begun before it stumbled, or may yet

Whoever is UNKNOWN is looked for in Nova's records, and never sent again before.
"""

from ninelives.core.events import Outcome
from ninelives.engine.errors import Garbled
from ninelives.engine.ports import Answer

from .fields import Fields, inner, parsed, rows, text_or_none
from .wire import Reply

# Nova has no codes for its refusals, only words (measured with Nova 34; nova/exception.py).
PHRASES = (
    ("still in use", "still_in_use"),
    ("can't be the same", "same_host"),
    ("Unable to force up", "records_done"),
    ("Compute host", "unknown_host"),
    ("Could not find binary", "unknown_host"),
    ("Service ", "unknown_host"),
    ("could not be found", "no_such_server"),
    ("is locked", "locked"),
    ("vm_state", "bad_state"),
    ("task_state", "bad_state"),
    ("not supported for", "bad_state"),  # vTPM, shares, accelerators
    ("is not ready", "bad_state"),
)
BY_STATUS = {400: "bad_request", 403: "forbidden", 404: "not_found", 409: "conflict"}


def answer_of(reply: Reply) -> Answer:
    """Judge what came back on an order."""
    detail = said(reply)
    match reply.status:
        case status if 200 <= status < 300:
            return Answer(Outcome.DONE, "", detail)
        case 401:
            return Answer(Outcome.NOT_SENT, "unauthorized", detail)
        case 429:
            return Answer(Outcome.NOT_SENT, "busy", detail)
        case 503:
            return Answer(Outcome.REFUSED, "http_5xx", detail)
        case status if 400 <= status < 500:
            return Answer(Outcome.REFUSED, _reason(status, detail), detail)
        case status if status == 504:
            return Answer(Outcome.UNKNOWN, "timeout", detail)
        case _:
            return Answer(Outcome.UNKNOWN, "http_5xx", detail)


def _reason(status: int, message: str) -> str:
    for phrase, reason in PHRASES:
        if phrase in message:
            return reason
    return BY_STATUS.get(status, "conflict")


def said(reply: Reply) -> str:
    """Return Nova's own words and its request id, for the journal."""
    message = "" if reply.status < 300 else _message(reply)
    request = f"[{reply.request_id}]" if reply.request_id else ""
    return " ".join(filter(None, (message, request)))


def _message(reply: Reply) -> str:
    """Find the message: Nova and Keystone wrap it in a word, Placement has a list."""
    try:
        body = parsed(reply.body)
        found = _first_message(body)
    except Garbled:
        return f"HTTP {reply.status}"
    return found or f"HTTP {reply.status}"


def _first_message(body: Fields) -> str:
    if "errors" in body:
        return next((text_or_none(entry, "detail") or "" for entry in rows(body, "errors")), "")
    wrapped = next((inner(body, name) for name in body if isinstance(body[name], dict)), body)
    return text_or_none(wrapped, "message") or ""
