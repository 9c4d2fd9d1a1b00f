"""Who may look and who may order: by the names that the kernel gives, and no other."""

import asyncio
import grp
import os
import pwd
from collections.abc import Coroutine
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from ninelives.app.api import for_viewers
from ninelives.app.config.configuration import Roles
from ninelives.app.peer import Peer, Role, names_of, role_of


@pytest.mark.parametrize(
    ("names", "roles", "role"),
    [
        ({"ada"}, Roles(), Role.VIEWER),
        ({"ada"}, Roles(viewers=frozenset()), Role.NOBODY),
        ({"ada"}, Roles(viewers=frozenset({"bob"})), Role.NOBODY),
        ({"ada", "@night"}, Roles(viewers=frozenset({"@night"})), Role.VIEWER),
        ({"ada"}, Roles(frozenset({"ada"}), frozenset()), Role.OPERATOR),
        ({"ada", "@ops"}, Roles(frozenset({"@ops"})), Role.OPERATOR),
        ({"ops"}, Roles(frozenset({"@ops"})), Role.VIEWER),
    ],
)
def test_a_role_is_given_by_name_or_group(names: set[str], roles: Roles, role: Role) -> None:
    assert role_of(names, roles) is role


def test_an_operator_looks_and_a_viewer_orders_nothing() -> None:
    viewer, operator = Peer("bob", Role.VIEWER), Peer("ada", Role.OPERATOR)

    assert (viewer.may_look, viewer.may_order) == (True, False)
    assert (operator.may_look, operator.may_order) == (True, True)
    assert not Peer("eve", Role.NOBODY).may_look


@pytest.mark.parametrize(("role", "status"), [(Role.NOBODY, 403), (Role.VIEWER, 200)])
def test_who_is_no_viewer_is_shown_nothing(role: Role, status: int) -> None:
    async def face(_: Request) -> Response:
        return Response("all of it")

    asked = Request({"type": "http", "peer": Peer("eve", role)})

    shown = asyncio.run(cast("Coroutine[None, None, Response]", for_viewers(face)(asked)))

    assert shown.status_code == status
    assert (b"all of it" in shown.body) == (status == 200)


def test_the_names_of_a_process_are_its_user_and_all_groups() -> None:
    me = pwd.getpwuid(os.getuid())

    names = names_of(me.pw_uid, me.pw_gid)

    assert {me.pw_name, f"@{grp.getgrgid(me.pw_gid).gr_name}"} <= names
    assert names_of(4_000_000, 4_000_000) == {"uid 4000000"}
