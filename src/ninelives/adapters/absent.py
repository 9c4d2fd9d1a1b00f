"""Ports behind which there is nobody: whatever is asked of them, nothing is known."""

from typing import NoReturn

from ninelives.core.events import StorageSeen
from ninelives.core.model import (
    Attestation,
    BackendId,
    BootId,
    HostId,
    ServerId,
    Service,
    WitnessId,
)
from ninelives.engine.errors import Unreachable
from ninelives.engine.ports import Answer


def _nobody(who: str) -> NoReturn:
    raise Unreachable(f"{who} cannot be asked: nothing is wired to it")


class NoAgents:
    """`ports.Agents` of a site where no host has one."""

    async def attest(self, host: HostId, epoch: int) -> Attestation:
        _nobody(f"the agent of {host} (epoch {epoch})")

    async def promise(self, witness: WitnessId, host: HostId, epoch: int) -> bool:
        _nobody(f"{witness} about {host} (epoch {epoch})")

    async def has_domain(self, host: HostId, server: ServerId) -> bool:
        _nobody(f"the agent of {host} about {server}")

    async def start_compute(self, host: HostId, boot: BootId | None) -> Answer:
        _nobody(f"the agent of {host} (boot {boot})")

    async def open_gate(self, host: HostId, boot: BootId | None) -> Answer:
        _nobody(f"the agent of {host} (boot {boot})")

    async def restart(self, host: HostId, service: Service) -> Answer:
        _nobody(f"the agent of {host} about {service.value}")


class NoStorage:
    """`ports.StorageBackends` of a site whose backends nobody speaks to."""

    async def look(self, host: HostId, backend: BackendId) -> StorageSeen:
        _nobody(f"{backend} about {host}")

    async def revoke(self, host: HostId, backend: BackendId) -> Answer:
        _nobody(f"{backend} about {host}")

    async def lift(self, host: HostId, backend: BackendId) -> Answer:
        _nobody(f"{backend} about {host}")
