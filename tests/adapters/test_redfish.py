"""Redfish directly: whom it believes, what it sends and how often, what an odd answer comes to."""

import asyncio
import hashlib
import shutil
import ssl
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest
from tests.bmcs.machine import PASSWORD, USER, Fault, machine_in
from tests.bmcs.redfish import SYSTEMS, RedfishBmc, new_certificate

from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.adapters.redfish_account import REFUSED_MAX, WORDS_MAX, reply_of
from ninelives.adapters.redfish_wire import Raw, Trust
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.device import Identity, Look
from ninelives.engine.errors import Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

SYSTEM = f"{SYSTEMS}/1"
Value = TypeVar("Value")


@pytest.fixture
def bmc(tmp_path: Path) -> Generator[RedfishBmc]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    systems = {"1": machine_in(tmp_path / "c1"), "2": machine_in(tmp_path / "c2")}
    bmc = RedfishBmc(systems, new_certificate(tmp_path))
    yield bmc
    bmc.stop()


def at(bmc: RedfishBmc, trust: Trust | None = None, *, has_sessions: bool = False) -> RedfishAt:
    url = f"https://127.0.0.1:{bmc.port}"
    return RedfishAt(url, SYSTEM, USER, PASSWORD, trust or Trust(bmc.certificate), has_sessions)


def ask(where: RedfishAt, call: Callable[[Redfish], Awaitable[Value]]) -> Value:
    async def asked() -> Value:
        device = Redfish(where)
        try:
            return await call(device)
        finally:
            await device.close()

    return asyncio.run(asked())


def look(where: RedfishAt) -> Look:
    return ask(where, Redfish.look)


def der_of(bmc: RedfishBmc) -> bytes:
    text = bmc.certificate.read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


# --------------------------------------------------------------------------------- whom to believe


def test_a_bmc_that_nobody_signed_for_is_sent_nothing(bmc: RedfishBmc) -> None:
    with pytest.raises(Unreachable, match="its certificate is not trusted") as caught:
        look(at(bmc, Trust()))

    assert "fingerprint" in caught.value.hint
    assert bmc.requests == []


def test_a_pinned_certificate_is_enough_whoever_signed_it(bmc: RedfishBmc) -> None:
    pinned = Trust(fingerprint=hashlib.sha256(der_of(bmc)).digest())

    assert look(at(bmc, pinned)) == Look(Power.ON)


def test_another_certificate_than_the_pinned_is_sent_nothing(bmc: RedfishBmc) -> None:
    pinned = Trust(bmc.certificate, fingerprint=hashlib.sha256(b"another").digest())

    with pytest.raises(Unreachable, match="another certificate than the pinned"):
        look(at(bmc, pinned))

    assert bmc.requests == []


def test_what_it_presents_can_be_looked_at_before_it_is_believed(bmc: RedfishBmc) -> None:
    assert ask(at(bmc, Trust()), Redfish.certificate) == der_of(bmc)
    assert bmc.requests == []


def test_the_password_is_in_no_repr(bmc: RedfishBmc) -> None:
    assert PASSWORD not in repr(at(bmc))


# --------------------------------------------------------------------------------- what is sent


def test_a_look_is_one_request_and_an_off_is_one(bmc: RedfishBmc) -> None:
    async def both(device: Redfish) -> Answer:
        await device.look()
        return await device.switch_off()

    assert ask(at(bmc), both) == ACCEPTED
    assert bmc.requests == [f"GET {SYSTEM}", f"POST {SYSTEM}/Actions/ComputerSystem.Reset"]


def test_a_session_is_begun_once_and_given_back(bmc: RedfishBmc) -> None:
    async def twice(device: Redfish) -> set[str]:
        await device.look()
        await device.look()
        return set(bmc.tokens)

    assert len(ask(at(bmc, has_sessions=True), twice)) == 1
    assert [request.split()[0] for request in bmc.requests] == ["POST", "GET", "GET", "DELETE"]
    assert bmc.tokens == set()


def test_a_session_that_the_bmc_forgot_is_begun_anew(bmc: RedfishBmc) -> None:
    async def forgotten(device: Redfish) -> Answer:
        await device.look()
        bmc.forget_sessions()
        return await device.switch_off()

    assert ask(at(bmc, has_sessions=True), forgotten) == ACCEPTED
    assert not bmc.systems["1"].is_on


def test_an_order_that_was_not_answered_is_not_sent_again(bmc: RedfishBmc) -> None:
    bmc.systems["1"].break_by(Fault.ERROR)

    answer = ask(at(bmc), Redfish.switch_off)

    assert answer[:2] == (Outcome.UNKNOWN, "device_failed")
    assert len(bmc.requests) == 1


def test_who_was_refused_three_times_looks_no_more_for_a_while_but_still_orders(
    bmc: RedfishBmc,
) -> None:
    wrong = RedfishAt(at(bmc).url, SYSTEM, USER, "wrong", Trust(bmc.certificate))

    async def insist(device: Redfish) -> Answer:
        for _ in range(2 * REFUSED_MAX):
            assert (await device.look()).power is Power.UNREADABLE
        return await device.switch_off()

    answer = ask(wrong, insist)

    assert answer[:2] == (Outcome.REFUSED, "password")
    assert len(bmc.requests) == REFUSED_MAX + 1


def test_a_reset_that_belongs_to_another_system_is_not_followed(bmc: RedfishBmc) -> None:
    bmc.reset_of["1"] = f"{SYSTEMS}/2/Actions/ComputerSystem.Reset"

    async def both(device: Redfish) -> Answer:
        await device.look()
        return await device.switch_off()

    ask(at(bmc), both)

    assert bmc.systems["2"].is_on
    assert not bmc.systems["1"].is_on


def test_a_connection_that_the_bmc_closed_meanwhile_costs_no_order(bmc: RedfishBmc) -> None:
    async def hung_up(device: Redfish) -> Answer:
        await device.look()
        bmc.hang_up()
        await device.look()
        bmc.hang_up()
        return await device.switch_off()

    assert ask(at(bmc), hung_up) == ACCEPTED


# --------------------------------------------------------------------------------- odd answers


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.ERROR, Look(Power.UNREADABLE, "HTTP 500: Base.1.0.InternalError")),
        (Fault.GARBAGE, Look(Power.UNREADABLE, "HTTP 200: no Redfish")),
        (Fault.POWERING_OFF, Look(Power.ON)),
        (Fault.SAYS_NOTHING, Look(Power.UNREADABLE, "HTTP 200: PowerState None")),
        (Fault.REDIRECTS, Look(Power.UNREADABLE, "HTTP 308")),
    ],
)
def test_only_off_is_off(bmc: RedfishBmc, fault: Fault, seen: Look) -> None:
    bmc.systems["1"].switch(is_on=False)
    bmc.systems["1"].break_by(fault)

    assert look(at(bmc)) == seen


def test_a_refusal_of_what_is_still_on_is_no_off(bmc: RedfishBmc) -> None:
    bmc.systems["1"].break_by(Fault.REFUSES_ALL)

    answer = ask(at(bmc), Redfish.switch_off)

    assert answer[:2] == (Outcome.REFUSED, "refused")


def test_a_system_that_is_not_there_is_unreadable(bmc: RedfishBmc) -> None:
    where = RedfishAt(at(bmc).url, f"{SYSTEMS}/9", USER, PASSWORD, Trust(bmc.certificate))

    assert look(where).power is Power.UNREADABLE
    assert ask(where, Redfish.switch_off)[:2] == (Outcome.REFUSED, "refused")


def test_it_tells_whose_power_it_switches(bmc: RedfishBmc) -> None:
    assert ask(at(bmc), Redfish.identity) == Identity(("serial-1", "sku-1"), "uuid-1")


def test_nobody_at_that_address_is_unreachable() -> None:
    where = RedfishAt("https://127.0.0.1:9", SYSTEM, USER, PASSWORD)

    with pytest.raises(Unreachable, match=r"^https://127\.0\.0\.1:9: "):
        look(where)


def test_the_words_of_an_answer_are_bounded() -> None:
    reply = reply_of(Raw(500, {}, b'{"error": {"message": "%s"}}' % (b"x" * 10_000)))

    assert len(reply.words) == WORDS_MAX
