"""Nova's words, as measured with a real one, each with the reason that the core knows."""

import pytest

from ninelives.adapters.nova.answers import answer_of
from ninelives.adapters.nova.wire import Reply
from ninelives.core.events import Outcome

from .nova_scripts import reply

U = "0e44cc9c-e052-415d-afbf-469b0d384170"
UP = (
    "Unable to force up host c1 as `done` evacuation migration records remain associated with the "
    "host. Ensure the compute service has been restarted, allowing these records to move to "
    "`completed` before retrying this request."
)
REFUSALS = [
    (400, "badRequest", "Compute service of c1 is still in use.", "still_in_use"),
    (400, "badRequest", "The target host can't be the same one.", "same_host"),
    (404, "itemNotFound", "Compute host nope not found.", "unknown_host"),
    (404, "itemNotFound", f"Service {U} could not be found.", "unknown_host"),
    (404, "itemNotFound", f"Instance {U} could not be found.", "no_such_server"),
    (409, "conflictingRequest", f"Instance {U} is locked", "locked"),
    (
        409,
        "conflictingRequest",
        f"Cannot 'evacuate' instance {U} while it is in vm_state paused",
        "bad_state",
    ),
    (
        409,
        "conflictingRequest",
        f"Cannot 'stop' instance {U} while it is in task_state rebuilding",
        "bad_state",
    ),
    (
        409,
        "conflictingRequest",
        f"Operation 'evacuate' not supported for vTPM-enabled instance ({U}).",
        "bad_state",
    ),
    (400, "badRequest", UP, "records_done"),
    (403, "forbidden", "Policy doesn't allow it to be performed.", "forbidden"),
    (409, "conflictingRequest", "Conflict updating instance", "conflict"),
    (503, "serviceUnavailable", "Service is unavailable at this time.", "http_5xx"),
]


@pytest.mark.parametrize(("status", "wrapped", "message", "reason"), REFUSALS)
def test_a_refusal_has_one_stable_reason(
    status: int, wrapped: str, message: str, reason: str
) -> None:
    body = {wrapped: {"code": status, "message": message}}

    answer = answer_of(reply(status, body, x_openstack_request_id="req-7"))

    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, reason)
    assert answer.detail == f"{message} [req-7]"


def test_a_refusal_that_is_no_json_is_still_a_refusal() -> None:
    answer = answer_of(Reply(400, {}, b"<html>"))

    assert (answer.outcome, answer.reason, answer.detail) == (
        Outcome.REFUSED,
        "bad_request",
        "HTTP 400",
    )


def test_placement_lists_its_errors() -> None:
    answer = answer_of(reply(400, {"errors": [{"status": 400, "detail": "no such class"}]}))

    assert answer.detail == "no such class"
