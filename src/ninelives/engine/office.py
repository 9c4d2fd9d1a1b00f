"""The lease as a leader at work holds it: renewed in time, proved anew before each send.

    committed ──▶ renewal begins ──▶ answered, remembered ──▶ check ──▶ send
                  └─────────────── ≤ SEND_AGE_MAX_S ───────────────────┘

A renewal that many sends wait for is made once: any that began after the commit of all of them,
and is not too old, proves the same to each. With each answer our own disk remembers how far the
store has come (high_water.py): a store that loses what was acted upon is noticed.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from ninelives.engine.errors import HandedOver, LeaseLost, StoreUnavailable
from ninelives.engine.high_water import HighWater, disarmed_because
from ninelives.engine.lease import RENEWALS_PER_LEASE, Hold, Tenure, released, renewed
from ninelives.engine.ports import Clock, LeaseGuard, Store

SEND_AGE_MAX_S = 1.0  # SAFETY 6: from before the renewal was sent to the send


Recall = Callable[[], HighWater | None]  # what our own disk remembers, raised to the store's


def without_memory() -> None:
    """Remember nothing: for whoever has no disk of his own."""


class Renewal(NamedTuple):
    """What one round trip brought: the lease, and whether somebody disarmed us."""

    hold: Hold | None
    disarmed: str | None


class Office:
    """One leader's term. `LeaseLost` from any call ends it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        guard: LeaseGuard,
        hold: Hold,
        recall: Recall = without_memory,
        remembered: HighWater | None = None,
    ) -> None:
        self._store, self._clock, self._guard = store, clock, guard
        self._hold = hold
        self._turn = asyncio.Lock()
        self._recall = recall
        self.is_handing_over = False
        self.disarmed = disarmed_because(remembered, None)
        guard.watch(hold.tenure)

    @property
    def tenure(self) -> Tenure:
        return self._hold.tenure

    def renews_in_s(self) -> float:
        """How long the next renewal may still wait."""
        tenure = self._hold.tenure
        due = tenure.sent_at + tenure.lease_s / RENEWALS_PER_LEASE
        return max(0.0, due - self._clock.now())

    def is_over(self) -> bool:
        """Say whether nothing may be begun any more."""
        return self.is_handing_over or not self._hold.tenure.may_act(self._clock.now())

    def is_guarded(self) -> bool:
        """Say whether the guard has acknowledged a deadline that is still to come."""
        until = self._guard.armed_until()
        return until is not None and self._clock.now() < until

    async def renew(self) -> None:
        """Renew, and look whether we are disarmed. Leaves all as it was if the store is away."""
        async with self._turn:
            await self._renew()

    async def may_send(self, committed_at: float) -> str:
        """Prove that we lead, after what was committed at `committed_at`. "" means yes.

        The answer is good for what is sent before the next `await`, and for nothing else.
        """
        async with self._turn:
            if not self._is_proved(committed_at):
                await self._renew()
        if not self._is_proved(committed_at):
            return "lease"
        return "" if self.is_guarded() else "guard"

    def hand_over(self, why: str) -> NoReturn:
        """Begin nothing any more, and end the term; whoever ends it calls `release` last."""
        self.is_handing_over = True
        raise HandedOver(why, "nothing: this one goes on as a standby")

    def release(self) -> None:
        """Let go of the lease, with nothing of this term under way. Blocks; nobody else waits."""
        try:
            released(self._store, self._hold)
        except StoreUnavailable:
            return  # it runs out by itself, only later

    def _is_proved(self, committed_at: float) -> bool:
        if self.is_handing_over:
            return False
        return self._hold.tenure.may_send(self._clock.now(), committed_at, SEND_AGE_MAX_S)

    async def _renew(self) -> None:
        try:
            hold, disarmed = await asyncio.to_thread(_round_trip, *self._asked())
        except StoreUnavailable as error:
            self._end_if_over(error)
            return
        if hold is None:
            raise LeaseLost("another controller leads", "nothing: this one goes on as a standby")
        self._hold = hold
        self.disarmed = disarmed
        self._guard.watch(hold.tenure)

    def _asked(self) -> tuple[Store, Hold, Callable[[], float], Recall]:
        return self._store, self._hold, self._clock.now, self._recall

    def _end_if_over(self, error: StoreUnavailable) -> None:
        if self.is_over():
            raise LeaseLost(
                "the lease could not be renewed", "see why the store is away"
            ) from error


def _round_trip(store: Store, hold: Hold, now: Callable[[], float], recall: Recall) -> Renewal:
    after = renewed(store, hold, now)
    if after is None:
        return Renewal(None, None)
    return Renewal(after, disarmed_because(recall(), store.disarmed()))
