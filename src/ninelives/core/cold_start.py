"""A host whose boot gate a person opened, in a cold start of the site, counts as alive (SAFETY 8).

    suspect, or held ─▶ its new boot says who opened the gate ─▶ that boot is the host's own

Its old boot is gone, and its guests came back where they were. It is judged by its signs like any
other: healthy when all is well, and fenced when it dies again.
"""

from dataclasses import replace

from .draft import Draft
from .facts import Facts
from .model import Attestation, HostId


def take_over(draft: Draft, host: HostId) -> None:
    """Take a boot that a person let in for the one that we know, if nothing was built on its death.

    After the first effect in this episode its guests may run elsewhere by now: then it stays what
    it is, and people decide.
    """
    record = draft.host(host)
    if record.is_touched or record.zombie_risk or any(shot.is_open for shot in record.shots):
        return
    said = _let_in(draft, host)
    if said is not None:
        # What was read of its power was about the old boot.
        draft.put_host(replace(record, boot=said.boot, off_reads=()))
        draft.note(host, "boot.taken_over", "gate_opened", f"{said.boot}, by {said.opened_by}")


def _let_in(draft: Draft, host: HostId) -> Attestation | None:
    """Return what the running boot says, if it is the same machine and a person opened its gate."""
    facts, attested = Facts(draft, host), draft.sights(host).attested
    if attested is None or not facts.has_new_boot or facts.own_fault:
        return None
    said = attested.attestation
    is_now = said.epoch == draft.host(host).epoch and said.boot == draft.sights(host).strong_boot
    is_it = said.signed and said.serial == draft.site(host).serial
    return said if is_now and is_it and said.opened_by else None
