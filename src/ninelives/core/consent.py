"""A person's word on one outage: leave to act on it where the mode only proposes, or a hold on it.

    approve   where the mode is `propose`, this outage is treated as in `act`
    hold      where the mode is `act`, this outage is treated as in `propose`

Laws:
  - A word changes how much is allowed and nothing else: every proof and every other brake is asked
    as ever, and the last check before each send reads the word again.
  - Leave is for one outage. It ends where the next one begins; a hold only where all is well.
  - In `observe` nothing leaves, whoever says so.
"""

from dataclasses import replace

from . import actions as do
from . import states as at
from .cluster import Consent
from .draft import Draft
from .model import HostId, Mode, Refusal
from .orders import IncidentApproved, IncidentHeld


def consent_of(draft: Draft, host: HostId) -> Consent | None:
    """Return the last word on this host's outage, if somebody said one."""
    return next((each for each in draft.control.consents if each.host == host), None)


def mode_of(draft: Draft, host: HostId) -> Mode:
    """Return how much is allowed for this host: its segment's mode, and a person's word on it."""
    mode = _configured(draft, host)
    said = consent_of(draft, host)
    if said is None or is_well(draft, host):
        return mode
    if said.is_given:
        return Mode.ACT if mode is Mode.PROPOSE else mode
    return Mode.PROPOSE if mode is Mode.ACT else mode


def _configured(draft: Draft, host: HostId) -> Mode:
    segments = dict(draft.control.segment_modes)
    return segments.get(draft.site(host).segment, draft.control.mode)


def is_well(draft: Draft, host: HostId) -> bool:
    """Say whether there is no outage of which a word could be."""
    return isinstance(draft.host(host).state, at.Healthy | at.Unknown)


def may_undo(draft: Draft, action: do.Action) -> bool:
    """Say whether this takes back what leave was given for, when the outage is over already."""
    match action:
        case do.Enable(host=host):
            outage = host
        case do.Reserve(host=host, enabled=False):
            needs = (loan.need for loan in draft.control.loans if loan.host == host)
            outage = next(needs, host)
        case _:
            return False
    known = outage in draft.cluster.site.hosts and _configured(draft, outage) is not Mode.OBSERVE
    said = consent_of(draft, outage) if known else None
    return said is not None and said.is_given


def asked_for(draft: Draft, host: HostId, cls: at.Class) -> str:
    """Say what leave is asked for, or who holds it; "" where nobody may give any."""
    said = consent_of(draft, host)
    if said is not None and not said.is_given:
        return f"on hold by {said.by}: {said.reason}"
    if mode_of(draft, host) is Mode.PROPOSE:
        return f"asks for leave to fence it: {cls.value}"
    return ""


def judge_word(draft: Draft, order: IncidentApproved | IncidentHeld) -> Refusal | None:
    """Take a person's word on an outage that goes on."""
    if is_well(draft, order.host):
        return Refusal("no_episode", "the incident is over")
    epoch = draft.host(order.host).epoch
    if order.epoch != epoch:
        return Refusal("other_epoch", f"the present episode is {epoch}: look again")
    if not order.by.strip() or not order.reason.strip():
        return Refusal("unnamed", "say who you are, and why")
    is_given = isinstance(order, IncidentApproved)
    if is_given and _configured(draft, order.host) is Mode.OBSERVE:
        return Refusal("mode", "nothing leaves in observe: set it to propose first")
    forget_word(draft, order.host)
    word = Consent(order.host, is_given, order.by, order.reason)
    draft.put_control(replace(draft.control, consents=(*draft.control.consents, word)))
    return None


def end_leave(draft: Draft, host: HostId) -> None:
    """Let leave end: another outage begins, or a person undoes what it was for."""
    said = consent_of(draft, host)
    if said is not None and said.is_given:
        forget_word(draft, host)


def end_hold(draft: Draft, host: HostId) -> None:
    """Let a hold end: all is well. Leave stays until the next outage, for what is yet to undo."""
    said = consent_of(draft, host)
    if said is not None and not said.is_given:
        forget_word(draft, host)


def forget_word(draft: Draft, host: HostId) -> None:
    """Take back whatever was said."""
    others = tuple(each for each in draft.control.consents if each.host != host)
    if others != draft.control.consents:
        draft.put_control(replace(draft.control, consents=others))
