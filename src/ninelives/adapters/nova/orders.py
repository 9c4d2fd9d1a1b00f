"""What is asked of Nova that changes something: one request each, and its answer judged.

An order about a service needs its id; that is read before, and the id is remembered.
"""

from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId
from ninelives.engine.errors import Refused
from ninelives.engine.ports import ACCEPTED, Answer

from .fields import Json
from .reasons import RESERVE, is_ours, is_reserve
from .services import Services
from .session import Session
from .views import Names


class Orders:
    """Every order of the port `Compute`."""

    def __init__(self, nova: Session, services: Services, names: Names) -> None:
        self._nova, self._services, self._names = nova, services, names

    # About servers.

    async def evacuate(self, server: ServerId, target: HostId) -> Answer:
        # Never without a target, and never with `force`: the scheduler has the last word, and a
        # duplicate meets its own domain.
        return await self._act(server, {"evacuate": {"host": self._names.of(target)}})

    async def start(self, server: ServerId) -> Answer:
        return await self._act(server, {"os-start": None})

    async def stop(self, server: ServerId) -> Answer:
        return await self._act(server, {"os-stop": None})

    async def reset_state(self, server: ServerId) -> Answer:
        return await self._act(server, {"os-resetState": {"state": "error"}})

    async def hard_reboot(self, server: ServerId) -> Answer:
        return await self._act(server, {"reboot": {"type": "HARD"}})

    async def live_migrate(self, server: ServerId) -> Answer:
        body: Json = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
        return await self._act(server, body)

    async def _act(self, server: ServerId, body: Json) -> Answer:
        return await self._nova.order("POST", f"/servers/{server}/action", body)

    # About services.

    async def disable(self, host: HostId, reason: str) -> Answer:
        """Disable with a reason of ours; what an operator disabled keeps the operator's."""
        try:
            now = await self._services.of(host)
        except Refused as refused:
            return Answer(Outcome.REFUSED, "unknown_host", str(refused))
        if now.is_disabled and (is_reserve(now.reason) or not is_ours(now.reason)):
            return Answer(Outcome.REFUSED, "not_ours", f"disabled: {now.reason}")
        return await self._set(host, {"status": "disabled", "disabled_reason": reason})

    async def enable(self, host: HostId) -> Answer:
        """Enable what we disabled. What somebody else disabled since stays so."""
        try:
            now = await self._services.of(host)
        except Refused as refused:
            return Answer(Outcome.REFUSED, "unknown_host", str(refused))
        if not now.is_disabled or now.reason == RESERVE:
            return ACCEPTED  # what is back in the reserve rests there
        if not is_ours(now.reason):
            return Answer(Outcome.REFUSED, "not_ours", f"disabled: {now.reason}")
        return await self._set(host, {"status": "enabled"})

    async def reserve(self, host: HostId, enabled: bool) -> Answer:
        """Take a reserved host into service, or back. What is disabled otherwise is left alone."""
        try:
            now = await self._services.of(host)
        except Refused as refused:
            return Answer(Outcome.REFUSED, "unknown_host", str(refused))
        if now.is_disabled and not is_reserve(now.reason):
            return Answer(Outcome.REFUSED, "not_ours", f"disabled: {now.reason}")
        if now.is_disabled != enabled:
            return ACCEPTED
        if enabled:
            return await self._set(host, {"status": "enabled"})
        return await self._set(host, {"status": "disabled", "disabled_reason": RESERVE})

    async def force_down(self, host: HostId) -> Answer:
        return await self._set(host, {"forced_down": True})

    async def force_up(self, host: HostId) -> Answer:
        return await self._set(host, {"forced_down": False})

    async def _set(self, host: HostId, body: Json) -> Answer:
        try:
            name = await self._services.id_of(host)
        except Refused as refused:
            return Answer(Outcome.REFUSED, "unknown_host", str(refused))
        answer = await self._nova.order("PUT", f"/os-services/{name}", body)
        if answer.reason in ("unknown_host", "not_found", "no_such_server"):
            # Deleted and made anew, most likely: its next order finds out.
            self._services.forget(host)
            return answer._replace(reason="unknown_host")
        return answer
