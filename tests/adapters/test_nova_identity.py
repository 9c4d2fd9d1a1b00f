"""Logging in by keystoneauth at the stand-in's Keystone, and what becomes of a lost token."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from tests.cloud.cloud_client import Cloud

from ninelives.adapters.nova.clouds import Cloud as Account
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.health import keystone_answers
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire
from ninelives.core.model import HostId
from ninelives.engine.errors import ConfigError, Refused, Unreachable

Value = TypeVar("Value")
C1 = HostId("c1")


def account(cloud: Cloud, **changes: str) -> Account:
    login = {
        "auth_url": cloud.auth_url,
        "username": "admin",
        "password": cloud.password,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    return Account("stand-in", "password", {**login, **changes})


def play(story: Callable[[NovaCompute, HttpWire], Awaitable[Value]], account: Account) -> Value:
    async def run() -> Value:
        wire = HttpWire()
        compute = NovaCompute(wire, KeystoneIdentity(account))
        try:
            return await story(compute, wire)
        finally:
            await compute.close()

    return asyncio.run(run())


def test_a_read_gets_another_token_where_ours_was_forgotten(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, _: HttpWire) -> int:
        await compute.services.read()
        cloud.control("POST", "/tokens/revoke")
        return len(list((await compute.services.read()).computes()))

    assert play(story, account(cloud)) == 3


def test_an_order_whose_token_was_forgotten_is_not_sent_again_by_itself(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, _: HttpWire) -> list[tuple[str, str]]:
        await compute.services.read()
        cloud.control("POST", "/tokens/revoke")
        answers = [await compute.force_down(C1) for _ in range(2)]
        return [(answer.outcome.value, answer.reason) for answer in answers]

    assert play(story, account(cloud)) == [("not_sent", "unauthorized"), ("done", "")]


def test_keystone_is_asked_whether_it_knows_us(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, wire: HttpWire) -> list[bool]:
        well = await keystone_answers(wire, compute.identity)
        cloud.control("POST", "/tokens/revoke")
        again = await keystone_answers(wire, compute.identity)
        cloud.control("PUT", "/apis/identity", {"api": "error_500"})
        return [well, again, await keystone_answers(wire, compute.identity)]

    assert play(story, account(cloud)) == [True, True, False]


def test_a_wrong_password_is_refused(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, _: HttpWire) -> object:
        return await compute.services.read()

    with pytest.raises(Refused, match="Keystone"):
        play(story, account(cloud, password="wrong"))


def test_a_keystone_that_is_away_is_unreachable(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, _: HttpWire) -> object:
        return await compute.services.read()

    with pytest.raises(Unreachable, match="Keystone"):
        play(story, account(cloud, auth_url="http://127.0.0.1:1/v3"))


def test_a_service_that_is_not_in_the_catalogue_is_named(cloud: Cloud) -> None:
    async def story(compute: NovaCompute, _: HttpWire) -> str:
        return await compute.identity.endpoint("baremetal")

    with pytest.raises(ConfigError, match="no baremetal in the catalogue"):
        play(story, account(cloud))
