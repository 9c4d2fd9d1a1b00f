"""Leading back a host without an agent: no boot is attested, no gate holds its guests (SAFETY 8).

    switched off, seen ─▶ switched on, seen ─▶ answers pings ─▶ Nova's record advances ─▶ …

What an agent would sign is seen from outside, as far as it can be: that the old boot is gone by its
power, that nova-compute runs by its record. Its guests cannot be seen, so it soaks longer.
"""

from . import states as at
from .draft import Draft
from .episode import tell
from .evidence import NOVA, power_is
from .facts import Facts
from .model import HostId, Method, Plane, Power, Seen, Sign
from .proofs import is_boot_heard, valid

DARK = (Method.POWER_OFF, Method.PACEMAKER)


def answers(draft: Draft, host: HostId) -> bool:
    """Say whether a host without an agent gives any sign at all. Pure."""
    planes = Facts(draft, host).planes.values()
    return not draft.site(host).has_agent and (Seen.UP in planes or Seen.NOT_DOWN in planes)


def is_heard(draft: Draft, host: HostId) -> bool:
    """Say whether the boot that is led back gives the signs that it can. Pure."""
    return is_boot_heard(draft, host) if draft.site(host).has_agent else answers(draft, host)


def is_on_again(draft: Draft, host: HostId) -> bool:
    """Say whether it was dark in this episode, reads on now, and answers. Pure.

    Only darkness says that the old boot is gone. One that lost its storage alone, or that a person
    took for dead, may come back with its network: lifting its revocation lets its guests write.
    """
    return was_dark(draft, host) and power_is(draft.sights(host), Power.ON) and answers(draft, host)


def was_dark(draft: Draft, host: HostId) -> bool:
    """Say whether a standing proof is that its power was off. Pure."""
    return any(proof.method in DARK for proof in valid(draft.host(host)))


def is_its_new_boot(draft: Draft, host: HostId) -> bool:
    """Say whether who is heard now is the boot that somebody switched on, for all that is known.

    Its record names no boot. While its servers are still on their way any sign contradicts its
    proof (SAFETY 3). Once it is vacated, and its power reads on after it was seen off, to be heard
    is what is expected of it: section 8 leads it back, and no start rests on its proof any more.
    """
    is_empty = isinstance(draft.host(host).state, at.Vacated | at.Quarantined)
    is_on = power_is(draft.sights(host), Power.ON)
    return is_empty and not draft.site(host).has_agent and is_on and was_dark(draft, host)


def may_be_let_in(draft: Draft, host: HostId) -> bool:
    """Say whether its storage may be opened to it; a gate holds back whatever has an agent.

    Its nova-compute starts with its boot, and the first thing that it does is what was asked of it
    while it was dead: a start of its user's, of a server that runs elsewhere by now. As long as its
    storage shuts it out nothing comes of that. So its record advances first, and has a moment.
    """
    record = draft.host(host)
    is_shut_out = any(not entry.lifted for entry in record.revocations)
    if draft.site(host).has_agent or not is_shut_out or not isinstance(record.state, at.Returning):
        return True
    if not compute_runs(draft, host, record.state.stage_since):
        return False
    reports = draft.sights(host).heard.get(Plane.MANAGEMENT, {}).get(NOVA)
    if reports is None or reports.sign is not Sign.STRONG:
        return False
    drained_at = reports.since + draft.policy(host).compute_start_s
    if draft.now < drained_at:
        draft.wake_host(host, drained_at)
    return draft.now >= drained_at


def compute_runs(draft: Draft, host: HostId, since: float) -> bool:
    """Say whether its nova-compute was seen to run; it starts by itself with its boot.

    Nobody can start it from here: a person is told when it does not come.
    """
    if Facts(draft, host).any_up:
        return True
    if draft.now >= since + draft.policy(host).repair_timeout_s:
        tell(draft, host, "nova_compute_silent", "no agent can start it: look at the host")
    return False
