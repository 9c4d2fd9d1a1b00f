"""The boot gate: what a freshly booted host may start, and what it can say of itself.

    boot ─▶ closed ─▶ attests to an epoch ─▶ compute (nova-compute, forced down) ─▶ open (guests)
               └─────▶ open, by a person at the console, when no controller can be reached

Laws (SAFETY 3, 8; attacks 12, 28):
  - Closed at every boot: nothing of an earlier boot, not even a release, is remembered.
  - A release quotes the boot that is running and the epoch that this boot attested to. What was
    meant for another boot or another episode opens nothing.
  - What a gate attested stays true: a host on whose word servers may run elsewhere by now is never
    opened from its own console.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from .model import Attestation, BootId, Refusal

COLD_START_AFTER_S = 600.0


class Door(StrEnum):
    """How far the gate is open."""

    CLOSED = "closed"
    COMPUTE = "compute"  # nova-compute may run; guests may not
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one boot. Times are CLOCK_BOOTTIME: seconds since this boot."""

    boot: BootId
    serial: str
    was_first: bool  # the gate's unit was active before libvirt's
    door: Door = Door.CLOSED
    guests: int = 0  # QEMU processes ever seen in this boot while the gate was not open
    attested: int | None = None  # the highest epoch that this boot attested to
    heard_at: float | None = None  # when a controller was heard last, in this boot
    opened_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A leader's word that a door may open. Signed outside; here only what it says."""

    boot: BootId
    epoch: int
    door: Door


@dataclass(frozen=True, slots=True)
class Inside:
    """What the agent sees in its host when it is asked."""

    guests: int
    autostart: bool  # some libvirt domain would start by itself
    resume_guests: bool  # nova's resume_guests_state_on_host_boot


def booted(boot: BootId, serial: str, was_first: bool) -> Gate:
    """Close the gate of a new boot."""
    return Gate(boot, serial, was_first)


def heard(gate: Gate, now: float) -> Gate:
    """Note that a controller was heard."""
    return replace(gate, heard_at=now)


def saw_guests(gate: Gate, guests: int) -> Gate:
    """Note how many guest processes there are. Those that ended again count for ever."""
    if gate.door is Door.OPEN or guests <= gate.guests:
        return gate
    return replace(gate, guests=guests)


def attests(gate: Gate, epoch: int, inside: Inside) -> tuple[Gate, Attestation]:
    """Answer the nonce of an epoch. Whoever signs and sends it must store the gate first. Pure."""
    gate = saw_guests(gate, inside.guests)
    highest = epoch if gate.attested is None else max(epoch, gate.attested)
    said = Attestation(
        boot=gate.boot,
        epoch=epoch,
        serial=gate.serial,
        signed=True,
        gate_closed=gate.was_first and gate.door is not Door.OPEN,
        guests=max(gate.guests, inside.guests),
        autostart=inside.autostart,
        resume_guests=inside.resume_guests,
        opened_by=gate.opened_by if gate.reason else "",  # a leader gives no reason
    )
    return replace(gate, attested=highest), said


def released(gate: Gate, release: Release) -> Gate | Refusal:
    """Open a door for a leader, or say why not. Safe to repeat. Pure."""
    if release.boot != gate.boot:
        return Refusal("other_boot", f"this is boot {gate.boot}")
    if gate.attested is None:
        return Refusal("not_attested", "ask this boot with the nonce of an epoch first")
    if release.epoch != gate.attested:
        return Refusal("other_epoch", f"this boot attested to episode {gate.attested}")
    if release.door is Door.CLOSED:
        return Refusal("no_such_door", "a gate is closed by a boot alone")
    if release.door is Door.OPEN and gate.door is Door.CLOSED:
        return Refusal("out_of_order", "nova-compute goes before the guests")
    if gate.door is Door.OPEN:
        return gate
    return replace(gate, door=release.door, opened_by="leader")


def opened_by_hand(gate: Gate, by: str, reason: str, now: float) -> Gate | Refusal:
    """Open everything in a cold start of the site: a person, at this host's console. Pure.

    Only where no controller can have built on this boot: none was heard for ten minutes, and none
    was ever told that the gate is closed, for it may have restarted the servers elsewhere.
    """
    if not by.strip() or not reason.strip():
        return Refusal("unnamed", "say who you are, and why")
    if gate.door is Door.OPEN:
        return gate
    if gate.attested is not None:
        return Refusal("attested", "a controller knows this boot: let it open the gate, or reboot")
    silent_since = gate.heard_at if gate.heard_at is not None else 0.0
    if now < silent_since + COLD_START_AFTER_S:
        left = silent_since + COLD_START_AFTER_S - now
        return Refusal("too_early", f"a controller may yet come: wait another {left:.0f} s")
    return replace(gate, door=Door.OPEN, opened_by=by, reason=reason)
