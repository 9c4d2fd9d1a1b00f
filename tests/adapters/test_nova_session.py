"""The conversation with one API: versions, pages, tokens, and that an order goes out once."""

import pytest
from tests import virtual_loop

from ninelives.adapters.nova.session import Missing
from ninelives.adapters.nova.wire import Lost, NotReached
from ninelives.core.events import Outcome
from ninelives.engine.errors import Garbled, PortError, Refused, Unreachable

from .nova_scripts import ScriptedWire, Somebody, reply, session

ACT = "POST /compute/v2.1/servers/s/action"
LIST = "GET /compute/v2.1/servers/detail"
ACTION = "/servers/s/action"


def test_the_newest_version_that_both_know_is_spoken() -> None:
    wire = ScriptedWire({LIST: [reply(200, {"servers": []})]})

    virtual_loop.run(session(wire).read("/servers/detail"))

    assert wire.asked[-1].headers["OpenStack-API-Version"] == "compute 2.96"


def test_a_read_may_be_held_back_to_an_older_version() -> None:
    wire = ScriptedWire({LIST: [reply(200, {"servers": []})]})

    virtual_loop.run(session(wire).read("/servers/detail", newest=(2, 87)))

    assert wire.asked[-1].headers["OpenStack-API-Version"] == "compute 2.87"


def test_a_nova_that_is_too_old_is_refused_by_name() -> None:
    old = {"version": {"version": "2.52", "min_version": "2.1"}}
    wire = ScriptedWire({"GET /compute/v2.1/": [reply(200, old)]})

    with pytest.raises(Refused, match=r"compute speaks 2\.1 to 2\.52, we 2\.53"):
        virtual_loop.run(session(wire).version())


def test_pages_are_followed_by_their_marker_whatever_address_they_name() -> None:
    link = {"rel": "next", "href": "http://internal:1/other?limit=200&marker=b&all_tenants=1"}
    first = {"servers": [{"id": "a"}, {"id": "b"}], "servers_links": [link]}
    wire = ScriptedWire({LIST: [reply(200, first), reply(200, {"servers": [{"id": "c"}]})]})

    listed = virtual_loop.run(
        session(wire).pages("/servers/detail", {"all_tenants": "1"}, "servers")
    )

    assert [row["id"] for row in listed.rows] == ["a", "b", "c"]
    assert wire.asked[-1].url.startswith("http://cloud/compute/v2.1/servers/detail?")
    assert wire.query(-1) == {"limit": "200", "marker": "b", "all_tenants": "1"}


def test_a_page_that_is_missing_makes_no_shorter_list() -> None:
    link = {"rel": "next", "href": "?marker=b"}
    first = {"servers": [{"id": "a"}], "servers_links": [link]}
    wire = ScriptedWire({LIST: [reply(200, first), reply(503)]})

    with pytest.raises(Unreachable):
        virtual_loop.run(session(wire).pages("/servers/detail", {}, "servers"))


def test_a_list_that_is_absent_is_no_empty_one() -> None:
    wire = ScriptedWire({LIST: [reply(200, {})]})

    with pytest.raises(Garbled):
        virtual_loop.run(session(wire).pages("/servers/detail", {}, "servers"))


def test_a_read_renews_a_token_that_was_turned_away_once() -> None:
    wire = ScriptedWire({LIST: [reply(401), reply(200, {"servers": []})]})

    virtual_loop.run(session(wire).read("/servers/detail"))

    assert [each.headers["X-Auth-Token"] for each in wire.asked[1:]] == ["token-1", "token-2"]


def test_a_token_that_is_turned_away_twice_is_told() -> None:
    wire = ScriptedWire({LIST: [reply(401)]})

    with pytest.raises(Refused):
        virtual_loop.run(session(wire).read("/servers/detail"))
    assert len(wire.asked) == 3


@pytest.mark.parametrize(
    ("status", "error"), [(404, Missing), (403, Refused), (500, Unreachable), (429, Unreachable)]
)
def test_what_a_read_was_answered_is_told_apart(status: int, error: type[PortError]) -> None:
    wire = ScriptedWire({LIST: [reply(status)]})

    with pytest.raises(error):
        virtual_loop.run(session(wire).read("/servers/detail"))


async def ordered(wire: ScriptedWire, identity: Somebody | None = None) -> list[tuple[str, str]]:
    """Send the same order twice over one session whose version is known."""
    speaks = session(wire, identity)
    await speaks.version()
    answers = [await speaks.order("POST", ACTION, {"os-start": None}) for _ in range(2)]
    return [(answer.outcome.value, answer.reason) for answer in answers]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (reply(202), "done", ""),
        (reply(401), "not_sent", "unauthorized"),
        (reply(500), "unknown", "http_5xx"),
        (reply(502), "unknown", "http_5xx"),
        (reply(504), "unknown", "timeout"),
        (Lost("reset"), "unknown", "lost"),
        (NotReached("refused"), "refused", "http_5xx"),
    ],
)
def test_an_order_goes_out_once_whatever_is_answered(
    answer: object, outcome: str, reason: str
) -> None:
    wire = ScriptedWire({ACT: [answer]})

    answers = virtual_loop.run(ordered(wire))

    assert answers == [(outcome, reason)] * 2
    assert len(wire.sent("POST")) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_an_order_does_not_go_out_while_the_api_asked_for_rest(status: int) -> None:
    wire = ScriptedWire({ACT: [reply(status, retry_after="5")]})

    answers = virtual_loop.run(ordered(wire))

    assert answers[1] == ("not_sent", "busy")
    assert len(wire.sent("POST")) == 1


def test_an_order_does_not_wait_for_a_log_in() -> None:
    wire = ScriptedWire({ACT: [reply(202)]})

    answers = virtual_loop.run(ordered(wire, Somebody(is_ready=False)))

    # The version was asked for as ourselves, and so there is a token; without one it is not sent.
    assert answers == [("done", ""), ("done", "")]
    late = Somebody(is_ready=False)
    answer = virtual_loop.run(session(wire, late).order("POST", ACTION, {}))
    assert (answer.outcome, answer.reason) == (Outcome.NOT_SENT, "not_logged_in")
    assert late.is_ready


def test_the_request_id_is_kept_for_the_journal() -> None:
    wire = ScriptedWire({ACT: [reply(202, x_openstack_request_id="req-1")]})

    async def ask() -> str:
        speaks = session(wire)
        await speaks.version()
        return (await speaks.order("POST", ACTION, {})).detail

    assert virtual_loop.run(ask()) == "[req-1]"
