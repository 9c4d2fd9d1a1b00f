"""A cloud behind HTTPS: an authority of its own is trusted where it is named, and only there."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from ninelives.adapters.nova.clouds import Cloud
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire, NotReached, context_of
from ninelives.core.events import Outcome
from ninelives.core.model import HostId
from ninelives.engine.errors import ConfigError, Unreachable
from ninelives.sim.cloud.catalogue import PASSWORD, Plan
from ninelives.sim.cloud.listeners import LOOPBACK
from ninelives.sim.cloud.serve import Served, served

Value = TypeVar("Value")
C1 = HostId("c1")
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Behind(NamedTuple):
    """A stand-in that speaks TLS, the authority that vouches for it, and one that does not."""

    cloud: Served
    authority: Path
    stranger: Path


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Generator[Behind]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = new_authority(folder, "authority"), new_authority(folder, "stranger")
    with served(Plan(), certificate_of(folder, authority, LOOPBACK)) as cloud:
        yield Behind(cloud, authority, stranger)


def new_authority(folder: Path, name: str) -> Path:
    """Make an authority; its key lies beside its certificate."""
    path = folder / f"{name}.pem"
    openssl("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", "-out", path, "-keyout", key_of(path))
    return path


def certificate_of(folder: Path, authority: Path, address: str) -> Path:
    """Let an authority sign for an address; key and certificate in one file."""
    asked, signed, both = (folder / f"{address}.{kind}" for kind in ("csr", "crt", "pem"))
    named = ("-subj", "/CN=cloud", "-addext", f"subjectAltName=IP:{address}")
    openssl("req", *NEW_KEY, *named, "-out", asked, "-keyout", key_of(both))
    by = ("-CA", authority, "-CAkey", key_of(authority), "-CAcreateserial")
    openssl("x509", "-req", "-in", asked, *by, "-copy_extensions", "copyall", "-out", signed)
    both.write_text(key_of(both).read_text() + signed.read_text())
    return both


def key_of(certificate: Path) -> Path:
    return certificate.with_suffix(".key")


def openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def play(
    story: Callable[[NovaCompute], Awaitable[Value]],
    at: Served,
    keystone_trusts: Path | None,
    nova_trusts: Path | None,
) -> Value:
    """Tell a story to a cloud; log-in and data path may trust different authorities."""
    login = {
        "auth_url": at.auth_url,
        "username": "admin",
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    account = Cloud("tls", auth=login, cacert=str(keystone_trusts or ""))

    async def run() -> Value:
        wire = HttpWire(context_of(True, str(nova_trusts or ""), "", ""))
        compute = NovaCompute(wire, KeystoneIdentity(account))
        try:
            return await story(compute)
        finally:
            await compute.close()

    return asyncio.run(run())


async def reads_and_orders(compute: NovaCompute) -> tuple[int, Outcome]:
    seen = len(list((await compute.services.read()).computes()))
    return seen, (await compute.force_down(C1)).outcome


async def reads(compute: NovaCompute) -> object:
    return await compute.services.read()


def test_an_authority_of_our_own_is_trusted_for_log_in_reads_and_orders(behind: Behind) -> None:
    assert behind.cloud.compute_url.startswith("https://")

    ours = behind.authority
    assert play(reads_and_orders, behind.cloud, ours, ours) == (3, Outcome.DONE)


@pytest.mark.parametrize("trusted", [None, "stranger"])
def test_a_keystone_that_nobody_trusted_vouches_for_is_told_no_password(
    behind: Behind, trusted: str | None
) -> None:
    with pytest.raises(Unreachable, match=UNTRUSTED) as caught:
        play(reads, behind.cloud, behind.stranger if trusted else None, behind.authority)

    assert "`cacert` in clouds.yaml" in caught.value.hint


@pytest.mark.parametrize("trusted", [None, "stranger"])
def test_a_nova_that_nobody_trusted_vouches_for_certainly_heard_nothing(
    behind: Behind, trusted: str | None
) -> None:
    with pytest.raises(NotReached, match=UNTRUSTED) as caught:
        play(reads, behind.cloud, behind.authority, behind.stranger if trusted else None)

    assert "`cacert` in clouds.yaml" in caught.value.hint


def test_a_certificate_of_another_address_is_none(behind: Behind, tmp_path: Path) -> None:
    other = certificate_of(tmp_path, behind.authority, "127.0.0.9")

    with (
        served(Plan(), other) as cloud,
        pytest.raises(Unreachable, match=UNTRUSTED),
    ):
        play(reads, cloud, behind.authority, behind.authority)


@pytest.mark.parametrize("given", ["cacert", "cert"])
def test_a_file_that_cannot_be_used_is_named(given: str, tmp_path: Path) -> None:
    prose = tmp_path / "prose.pem"
    prose.write_text("no certificate\n")
    files = {"cacert": "", "cert": "", "key": ""}

    for path in (prose, tmp_path / "nowhere.pem"):
        with pytest.raises(ConfigError, match=f"{given}: {path}: ."):
            context_of(verify=True, **{**files, given: str(path)})
