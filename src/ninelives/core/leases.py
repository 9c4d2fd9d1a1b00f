"""A host's own lease: when it may live on, and when its watchdog must be left to fire.

    host        sends ─────────── lease ───────────▶│ soft ▶│ device ▶│ certainly reset
                  └──▶
    controller       received ──────────────── T_safe ───────────────────▶│ lease_expired

Laws:
  - The host counts from before it sent, the controller from after it received (SAFETY 3).
  - The watchdog is fed only for a renewal that came since the last feeding, or for the word of a
    majority of its witnesses that they hear no controller either.
  - Renewals of the highest term seen only: an old leader's answer keeps nobody alive (attack 8).
  - A witness that promised gives no more such words; and it promises only when the last that it
    gave has certainly run out. So a majority of promises and a majority of words exclude each
    other, and the controller needs to know of no word at all.

Time is CLOCK_BOOTTIME of the one machine that asks; no two clocks are ever compared.
"""

from dataclasses import dataclass, replace

from .model import Refusal, WitnessId
from .policy import Policy

# The host.


@dataclass(frozen=True, slots=True)
class HostLease:
    """What keeps this host alive. `sent_at` is None until a first renewal was granted."""

    lease_s: float
    term: int = 0  # the highest that ever answered
    sent_at: float | None = None  # when the newest granted renewal was sent
    fed_at: float | None = None


def granted(lease: HostLease, term: int, sent_at: float, now: float) -> HostLease | Refusal:
    """Take a leader's answer to the renewal that was sent at `sent_at`. Pure."""
    assert sent_at <= now, "an answer before its question"
    if term < lease.term:
        return Refusal("old_term", f"term {lease.term} answered already")
    if now >= sent_at + lease.lease_s:
        return Refusal("too_late", "by the time of its answer this renewal had run out")
    if lease.sent_at is not None and sent_at <= lease.sent_at:
        return replace(lease, term=term)  # answers may overtake each other: the newest counts
    return replace(lease, term=term, sent_at=sent_at)


def exempted(
    lease: HostLease,
    words: frozenset[WitnessId],
    witnesses: tuple[WitnessId, ...],
    sent_at: float,
    now: float,
) -> HostLease | Refusal:
    """Live on by the words of witnesses, asked at `sent_at`, that no controller answers them.

    Without this, one lost store or one dead switch before the controllers would reset a whole
    cloud. Pure.
    """
    if 2 * len(words & set(witnesses)) <= len(witnesses):
        return Refusal("no_majority", "most witnesses hear a controller, or have promised")
    return granted(lease, lease.term, sent_at, now)


def holds(lease: HostLease, now: float) -> bool:
    """Say whether the lease lasts at `now`. A clock that went back says no."""
    return lease.sent_at is not None and lease.sent_at <= now < lease.sent_at + lease.lease_s


def may_feed(lease: HostLease, now: float) -> bool:
    """Say whether the watchdog may be fed: the lease lasts, and was renewed since the last time."""
    if not holds(lease, now):
        return False
    assert lease.sent_at is not None
    return lease.fed_at is None or lease.sent_at > lease.fed_at


def fed(lease: HostLease, now: float) -> HostLease:
    """Note that the watchdog was fed. It must be written before the device is touched."""
    assert may_feed(lease, now), "fed without a renewal"
    return replace(lease, fed_at=now)


def reset_by(lease: HostLease, policy: Policy) -> float | None:
    """Return when the watchdog has certainly fired if nothing comes any more, by this host's clock.

    The last feeding is at the end of the lease at the latest. None: it was never armed by us.
    """
    if lease.sent_at is None:
        return None
    return lease.sent_at + lease.lease_s + policy.watchdog_soft_s + policy.watchdog_device_s


# A witness.


@dataclass(frozen=True, slots=True)
class Pledge:
    """What one witness has given one host: its last word, or a promise to give none."""

    epoch: int = 0  # the episode that it promised for, 0 for none
    word_at: float | None = None


def gives_word(pledge: Pledge, now: float, hears_controller: bool) -> Pledge | Refusal:
    """Tell a host that no controller answers here either. Pure."""
    if hears_controller:
        return Refusal("controller_heard", "ask it")
    if pledge.epoch:
        return Refusal("promised", f"no exemption in episode {pledge.epoch}")
    return replace(pledge, word_at=now)


def promises(pledge: Pledge, epoch: int, policy: Policy, now: float) -> Pledge | Refusal:
    """Promise a controller to give this host no word in this episode. Pure."""
    if epoch < pledge.epoch:
        return Refusal("other_epoch", f"promised for episode {pledge.epoch} already")
    if pledge.word_at is not None and now < pledge.word_at + policy.safe_s:
        return Refusal("word_still_lasts", "a host may be living on it")
    return replace(pledge, epoch=epoch)


def released(pledge: Pledge, epoch: int) -> Pledge:
    """End a promise: the leader says that the host's episode is over."""
    return replace(pledge, epoch=0) if epoch >= pledge.epoch else pledge


# The arithmetic.


def weakness(policy: Policy) -> str:
    """Return why `T_safe` would not be safe with these numbers, "" if it is.

    T_safe pays for one clock that runs wrong by `clock_drift`, the margin for the other: while the
    host's clock may be slow, the controller's may be fast.
    """
    armed = policy.host_lease_s + policy.watchdog_soft_s + policy.watchdog_device_s
    drift = policy.clock_drift
    if not 0 <= drift < 0.1 or min(policy.host_lease_s, policy.watchdog_device_s) <= 0:
        return "lease, watchdog and drift must be positive, and the drift below a tenth"
    slow_host_s = armed / (1 - drift)
    fast_controller_s = policy.safe_s / (1 + drift)
    if slow_host_s > fast_controller_s:
        return f"a slow host lives {slow_host_s:g} s, T_safe waits {fast_controller_s:g} s"
    return ""
