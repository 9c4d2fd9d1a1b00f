"""What somebody must act on: the exceptions of ninelives. Expected failures are values instead.

NinelivesError
├─ ConfigError         operator: fix the file
├─ LeaseLost           another one leads, or may: stop acting, now
├─ GuardLost           nobody would kill us at the lease deadline: stop leading
├─ PortError           the world outside; caught where actions are performed
│   ├─ Unreachable     no answer: try again
│   ├─ Refused         it said no: do not insist blindly
│   └─ Garbled         an answer that makes no sense: tell somebody
├─ CodecError          stored bytes that this version cannot read, or values it cannot write
└─ StoreError
    ├─ StoreUnavailable  no answer; what was asked may or may not have happened
    ├─ StoreUnsafe       refused at start: what it acknowledges would not be durable
    ├─ StoreUnknown      refused at start: not a store of this version
    ├─ StoreBroken       it contradicts itself: never write to it again
    └─ StoreBehind       older than what this controller remembers, or another store
InvariantBroken        our own bug: disarmed, then the process ends (disarm.py)
"""

from ninelives.core.invariants import Broken

# ruff: noqa: N818 - the names say what happened, as an operator would; "Error" says nothing more.


def first_of(error: BaseException) -> BaseException:
    """Return the first error of a group, however deep: what ended the others."""
    members: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return first_of(members[0]) if members else error


class NinelivesError(Exception):
    """Somebody must act. `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\nhint: {self.hint}" if self.hint else message


class ConfigError(NinelivesError):
    """The configuration cannot be used; the operator changes it."""


class LeaseLost(NinelivesError):
    """This controller leads no more. It ends everything it has under way, and begins anew."""


class HandedOver(NinelivesError):
    """This controller lets somebody else lead, and for a while does not try to lead again."""


class GuardLost(NinelivesError):
    """The guard process is gone, so that nothing enforces the lease deadline from outside."""


class PortError(NinelivesError):
    """Something outside did not do what was asked."""


class Unreachable(PortError):
    """No answer came; the request may or may not have been heard."""


class Refused(PortError):
    """It was heard and declined."""


class Garbled(PortError):
    """The answer makes no sense: most likely a version that nobody tested."""


class CodecError(NinelivesError):
    """A stored document is damaged, of another version, or not what was asked for."""


class StoreError(NinelivesError):
    """The durable store cannot be relied upon."""


class StoreUnavailable(StoreError):
    """No answer. A commit or a renewal that ends so may have happened: read before going on."""


class StoreUnsafe(StoreError):
    """What this store acknowledges could be lost or written twice, so it is refused at start."""


class StoreUnknown(StoreError):
    """The schema is not of this version, newer ones included."""


class StoreBroken(StoreError):
    """The store contradicts itself or cannot be read."""


class StoreBehind(StoreError):
    """The store is older than what this controller saw of it, or it is another store."""


class InvariantBroken(AssertionError):
    """A decision would break a law of ours: our own bug. Nothing of it was adopted."""

    def __init__(self, broken: tuple[Broken, ...]) -> None:
        law, about, what = broken[0]
        super().__init__(f"law {law} would break: {about}: {what}")
        self.broken = broken
