"""What a witness believes it sees, and the sockets it sees with, on loopback."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from ninelives.adapters.probes import Plan, Prober, answers, plain, with_port
from ninelives.adapters.probes_icmp import checksum_of, family_of, open_echo
from ninelives.adapters.probes_views import FROZEN_S, Target, Views
from ninelives.core.model import HostId, Plane, Sign
from ninelives.engine.clock import SystemClock

C1, C2 = HostId("c1"), HostId("c2")
AT = Target(C1, Plane.MANAGEMENT, "10.0.0.1")
GATEWAY = Target(None, Plane.MANAGEMENT, "10.0.0.254")
PATIENCE_S = 20.0


def views(*targets: Target) -> Views:
    return Views(targets or (AT,), {C1: 6.0, C2: 6.0}, 6.0, listens_since=100.0)


def sign(looked: Views, now: float) -> Sign:
    return looked.signs(now)[C1, Plane.MANAGEMENT]


def test_who_was_never_heard_is_unknown_and_then_silent() -> None:
    looked = views()

    assert sign(looked, 105.9) is Sign.UNKNOWN
    assert sign(looked, 106.0) is Sign.SILENT


def test_an_answer_is_a_weak_sign_until_silence_lasts() -> None:
    looked = views()
    looked.heard(AT, 110.0)

    assert sign(looked, 115.9) is Sign.WEAK
    assert sign(looked, 116.0) is Sign.SILENT


def test_who_did_not_run_missed_everything_and_listens_anew() -> None:
    looked = views()
    looked.heard(AT, 110.0)
    looked.begin_round(110.0)

    looked.begin_round(130.0)

    assert looked.freezes == 1
    assert sign(looked, 130.1) is Sign.UNKNOWN
    assert sign(looked, 136.0) is Sign.SILENT


@pytest.mark.parametrize("every_s", [0.3, 1.0, 10.0])
def test_only_a_round_that_is_late_is_a_freeze(every_s: float) -> None:
    looked = Views((AT,), {C1: 30.0}, 30.0, 100.0, every_s)
    for number in range(5):
        looked.begin_round(100.0 + number * (every_s + FROZEN_S - 0.01))

    assert looked.freezes == 0
    looked.begin_round(100.0 + 5 * (every_s + FROZEN_S + 0.01))
    assert looked.freezes == 1


def test_references_are_counted_by_plane() -> None:
    looked = views(AT, GATEWAY, Target(None, Plane.MANAGEMENT, "10.0.0.253"))
    looked.heard(GATEWAY, 110.0)

    assert looked.references(111.0) == ((Plane.MANAGEMENT, 1, 2),)
    assert looked.signs(111.0) == {(C1, Plane.MANAGEMENT): Sign.SILENT}


# --------------------------------------------------------------------------------- sockets


def test_an_address_may_carry_a_port() -> None:
    assert with_port("10.0.0.1") == ("10.0.0.1", None)
    assert with_port("10.0.0.1:8022") == ("10.0.0.1", 8022)
    assert with_port("[fe80::1]:22") == ("fe80::1", 22)
    assert with_port("fe80::1") == ("fe80::1", None)
    assert family_of("10.0.0.1:22") is None
    assert family_of("::1") is socket.AF_INET6


def test_an_address_is_written_as_the_kernel_writes_it() -> None:
    assert plain("2001:DB8:0::1") == "2001:db8::1"
    assert plain("10.0.0.1:22") == "10.0.0.1:22"


def test_the_checksum_is_that_of_the_rfc() -> None:
    assert checksum_of(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7") == 0x220D  # RFC 1071, 3


def test_a_port_that_accepts_answers_and_one_that_refuses_does_if_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        assert asyncio.run(answers("127.0.0.1", port, refused_is_life=False))

    assert asyncio.run(answers("127.0.0.1", port, refused_is_life=True))
    assert not asyncio.run(answers("127.0.0.1", port, refused_is_life=False))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody else tells when a view changes
            await asyncio.sleep(0.02)


def test_a_host_whose_port_closes_falls_silent_beside_one_that_stays() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as alive:
            dying = socket.create_server(("127.0.0.1", 0))
            targets = [
                Target(host, Plane.MANAGEMENT, f"127.0.0.1:{server.getsockname()[1]}")
                for host, server in ((C1, dying), (C2, alive))
            ]
            plan = Plan(targets, {C1: 0.5, C2: 5.0}, 5.0, 0.05, 1.0, False, refused_is_life=False)
            prober = Prober(plan, SystemClock().now)

            def seen(host: HostId) -> Sign:
                return prober.views.signs(SystemClock().now())[host, Plane.MANAGEMENT]

            async with asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(prober.run())
                await until(lambda: {seen(C1), seen(C2)} == {Sign.WEAK})
                dying.close()
                await until(lambda: seen(C1) is Sign.SILENT)
                assert seen(C2) is Sign.WEAK
                looking.cancel()

    asyncio.run(main())


def test_echo_requests_are_answered_by_this_very_machine() -> None:
    async def main() -> None:
        heard = set[str]()
        echo = open_echo(socket.AF_INET, heard.add)
        if echo is None:
            pytest.skip("no raw sockets here: CAP_NET_RAW is missing")
        echo.ask(["127.0.0.1", "127.9.9.9"])
        await until(lambda: len(heard) == 2)
        echo.close()

        assert heard == {"127.0.0.1", "127.9.9.9"}

    asyncio.run(main())
