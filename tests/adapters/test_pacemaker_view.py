"""What is read of a cluster: outputs of Pacemaker 2.1.5, as a lab's cluster gave them."""

from pathlib import Path

import pytest

from ninelives.adapters.pacemaker.view import FenceStatus, Standing, Unknown, View, read

SEEN = Path(__file__).with_name("pacemaker_seen")


def shown(name: str) -> str:
    return (SEEN / f"{name}.xml").read_text()


def view(name: str) -> View:
    found = read(shown(name))
    assert isinstance(found, View)
    return found


def edited(name: str, old: str, new: str) -> View | Unknown:
    text = shown(name)
    assert old in text
    return read(text.replace(old, new))


@pytest.mark.parametrize(
    ("moment", "standing"),
    [
        ("healthy", Standing.UP),
        ("pending", Standing.LOST),
        ("fenced", Standing.LOST),  # until the failed connection is tried again
        ("reconnecting", Standing.OFFLINE),  # though it is shown as online
        ("failed", Standing.OFFLINE),
    ],
)
def test_a_remote_is_up_only_if_its_connection_is(moment: str, standing: Standing) -> None:
    seen = view(moment)

    assert seen.standing("c1") is standing
    assert seen.dc == "ctl1"


def test_a_fenced_remote_is_shown_as_online_while_it_is_tried_again() -> None:
    assert view("reconnecting").nodes["c1"].is_online  # or else there would be nothing to tell


def test_who_cannot_be_fenced_is_lost_for_as_long() -> None:
    assert view("failed").standing("c2") is Standing.LOST


@pytest.mark.parametrize("name", ["c9", "ctl1", "ipmi-c1"])
def test_who_is_no_remote_is_unknown(name: str) -> None:
    assert view("healthy").standing(name) is Standing.UNKNOWN


def test_what_nobody_manages_is_unknown() -> None:
    seen = edited("pending", 'blocked="false" managed="true"', 'blocked="false" managed="false"')

    assert isinstance(seen, View)
    assert seen.standing("c1") is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (shown("not-connected"), "not connected"),
        (shown("no-quorum"), "no quorum"),
        ("", "no XML"),
        ("crm_mon: Error: cluster is not available on this node", "no XML"),
        (shown("cib"), "no result"),
        (shown("healthy")[:3000], "no XML"),
        (shown("healthy").replace('<status code="0"', '<status code="124"'), "it reports an error"),
        (shown("healthy").replace("<current_dc", "<former_dc"), "no quorum"),
        (shown("healthy").replace(' unclean="false"', ""), "unreadable: 'unclean'"),
        (shown("healthy").replace(' online="true"', ' online="maybe"'), "unreadable: 'maybe'"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_says_why(text: str, reason: str) -> None:
    assert read(text) == Unknown(reason)


def test_without_a_dc_nobody_is_seen() -> None:
    seen = edited("healthy", 'current_dc present="true"', 'current_dc present="false"')

    assert isinstance(seen, View)
    assert seen.standing("c1") is Standing.UNKNOWN


def test_the_history_tells_who_did_what_and_how_it_ended() -> None:
    pending, human, failed, done = view("confirmed").fences

    assert [each.status for each in (pending, human, failed, done)] == [
        FenceStatus.PENDING,
        FenceStatus.SUCCESS,
        FenceStatus.FAILED,
        FenceStatus.SUCCESS,
    ]
    assert (human.target, human.delegate, human.client) == ("c2", "a human", "stonith_admin.730")
    assert (done.target, done.action, done.delegate) == ("c1", "off", "ctl2")
    assert failed.exit_reason == "Fence agent did not complete within 15s"
    assert (pending.delegate, pending.completed) == ("", "")


def test_resources_in_clones_and_groups_are_found() -> None:
    connection = '<resource id="c1" resource_agent="ocf:pacemaker:remote"'
    text = shown("healthy").replace("<resources>", "<resources><group id='g'>")
    text = text.replace("</resources>", "</group></resources>")
    assert connection in text

    seen = read(text)

    assert isinstance(seen, View)
    assert seen.standing("c1") is Standing.UP
