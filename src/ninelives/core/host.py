"""The life of one compute host. `look` sees where it is and what is known, and moves it on.

It is level-triggered: whatever the news was, evidence was folded first, and `look` asks what is
true now. News that come late, twice or never therefore change nothing by themselves. `move_to` is
the only door between states, and knows every arrow (states.ARROWS); any other is a bug.
"""

from dataclasses import replace

from . import actions as do
from . import cold_start, contradicted, fencing, groups, moves, repair, returning, shooting, storms
from . import states as at
from .brakes import Brake, holding
from .classes import REPAIR_CLASSES
from .consent import asked_for
from .cut_short import end_or_go_on
from .draft import Draft
from .episode import begin, move_to, tell
from .facts import Facts
from .model import HostId, Refusal
from .roads import usable_roads
from .rules import Verdict, judge, judged, may_fence
from .states import Class
from .tallies import is_proved_dead

PASSIVE = frozenset({Class.MANAGEMENT_ONLY, Class.TENANT_LOST, Class.GRAY})


def look(draft: Draft, host: HostId) -> None:
    """Move a host on as far as what is known now allows."""
    match draft.host(host).state:
        case at.Unknown():
            _unknown(draft, host)
        case at.Healthy():
            _healthy(draft, host)
        case at.Suspect() as state:
            _suspect(draft, host, state)
        case at.Repairing() as state:
            repair.look(draft, host, state, judge(draft, host))
        case at.Held() as state:
            _held(draft, host, state)
        case at.Fencing() as state:
            fencing.look(draft, host, state)
        case at.Fenced():
            moves.fenced(draft, host)
        case at.Evacuating() as state:
            moves.evacuating(draft, host, state)
        case at.Vacated():
            returning.vacated(draft, host)
        case at.Returning() as state:
            returning.look(draft, host, state)
        case at.Quarantined() as state:
            moves.keep_down(draft, host)
            returning.quarantined(draft, host, state)


def _unknown(draft: Draft, host: HostId) -> None:
    if Facts(draft, host).all_up:
        _recover(draft, host, "first_seen")


def _healthy(draft: Draft, host: HostId) -> None:
    verdict = judge(draft, host)
    if verdict.cls not in (Class.FINE, Class.PLANNED) or (
        verdict.cls is Class.PLANNED and Facts(draft, host).is_silent
    ):
        suspect(draft, host, verdict)


def suspect(draft: Draft, host: HostId, verdict: Verdict) -> None:
    """Open an episode: look harder, do nothing yet."""
    storms.calm(draft)
    begin(draft, host, verdict.cls, verdict.rule)
    groups.join(draft, host)
    fencing.read_evidence(draft, host)
    draft.wake_host(host, draft.now)


def _suspect(draft: Draft, host: HostId, state: at.Suspect) -> None:
    cold_start.take_over(draft, host)
    policy, facts = draft.policy(host), Facts(draft, host)
    verdict = judged(facts)
    if verdict.cls is not state.cls:
        state = at.Suspect(state.since, verdict.cls, draft.now)
        draft.put_host(replace(draft.host(host), state=state))
        draft.note(host, "host.judged", verdict.cls, verdict.rule)
        groups.join(draft, host)
    contradicted.watch_mapping(draft, host, verdict.cls)
    fencing.read_evidence(draft, host)
    if draft.host(host).zombie_risk:
        hold(draft, host, "zombie_risk", verdict.cls)
        return
    if fencing.settle_without_shot(draft, host):
        return
    if verdict.cls is Class.FINE:
        _maybe_recover(draft, host, state.cls_since, facts)
    elif _is_decisive(verdict.cls) or draft.now >= state.cls_since + policy.confirm_s:
        _act_on(draft, host, verdict)
    confirmed_at = state.cls_since + policy.confirm_s
    soon = draft.now + policy.power_poll_s
    draft.wake_host(host, min(confirmed_at, soon) if confirmed_at > draft.now else soon)


def _is_decisive(cls: Class) -> bool:
    return cls in (Class.DEAD_POWER, Class.ORDERED)


def _maybe_recover(draft: Draft, host: HostId, since: float, facts: Facts) -> None:
    """End a suspicion that came to nothing, once every plane gives strong signs for a while."""
    due = since + draft.policy(host).alive_again_s
    if not facts.all_up:
        return
    if draft.now < due:
        draft.wake_host(host, due)
        return
    record = draft.host(host)
    if record.is_touched or any(shot.is_open for shot in record.shots):
        return  # an effect is out: no way leads back but through fenced, or a human's undo
    window = draft.policy(host).flap_window_s
    recent = tuple(when for when in record.false_alarms if draft.now - when < window)
    draft.put_host(replace(record, false_alarms=(*recent, draft.now)))
    _recover(draft, host, "signs_back")


def _recover(draft: Draft, host: HostId, why: str) -> None:
    """Lead a host that lost nothing back to healthy, and undo what we told Nova of it."""
    record = draft.host(host)
    if record.disabled_by_us and not record.is_half_back:
        draft.act(do.Enable(host, record.epoch), draft.policy(host).request_timeout_s)
    end_or_go_on(draft, host, why)


def _act_on(draft: Draft, host: HostId, verdict: Verdict) -> None:
    """The class held long enough: repair, fence, or say why not."""
    cls = verdict.cls
    if cls in REPAIR_CLASSES:
        repair.begin_repair(draft, host, cls)
    elif cls in PASSIVE:
        hold(draft, host, cls.value, cls)
    elif may_fence(draft, host, cls):
        fence_or_hold(draft, host, cls)
    elif cls is not Class.STORAGE_LOST or isinstance(draft.host(host).state, at.Held):
        hold(draft, host, _why_held(cls), cls)


def _why_held(cls: Class) -> str:
    return "policy" if cls in (Class.SINGLE_PLANE, Class.ISOLATED) else cls.value


def fence_or_hold(draft: Draft, host: HostId, cls: Class) -> None:
    brake = holding(draft, host, cls, but=_only_for_shots(draft, host, cls))
    if brake is None:
        fencing.begin_fencing(draft, host, cls)
    else:
        hold(draft, host, brake.value, cls)


def _only_for_shots(draft: Draft, host: HostId, cls: Class) -> frozenset[Brake]:
    """Name the brakes that hold the shot alone: the roads without one start already.

    A dump delays the `off`, not the storage road (R6). A group that storage shows dead is rescued
    without a shot (R3). Every other brake still holds, and all of them before each `off`.
    """
    site = draft.site(host)
    if not site.revocable and not site.has_watchdog:
        return frozenset()
    return frozenset({Brake.KDUMP, Brake.STORM} if cls is Class.GROUP else {Brake.KDUMP})


def hold(draft: Draft, host: HostId, reason: str, cls: Class) -> None:
    """Stay out of it, and tell whom it matters to. Never because time must pass."""
    shooting.spend_order(draft, host)
    record = draft.host(host)
    match record.state:
        case at.Held(since=since, reason=before):
            if before != reason:
                draft.put_host(replace(record, state=at.Held(since, reason, cls)))
                draft.note(host, "host.held", reason, cls.value)
        case _:
            move_to(draft, host, at.Held(draft.now, reason, cls), reason)
    asked = asked_for(draft, host, cls) if reason == Brake.MODE.value else ""
    tell(draft, host, f"held:{reason}", asked)
    if cls is Class.MANAGEMENT_ONLY and not record.disabled_by_us:
        fencing.disable(draft, host)
    draft.wake_host(host, draft.now + draft.policy(host).look_again_s)


def _held(draft: Draft, host: HostId, state: at.Held) -> None:
    """Look again: the brake may be gone, the class another one, the host alive."""
    cold_start.take_over(draft, host)
    facts = Facts(draft, host)
    verdict = judged(facts)
    contradicted.watch_mapping(draft, host, verdict.cls)
    fencing.read_evidence(draft, host)
    draft.wake_host(host, draft.now + draft.policy(host).look_again_s)
    if draft.host(host).zombie_risk or fencing.settle_without_shot(draft, host):
        return
    is_storm = state.reason == Brake.STORM.value and may_fence(draft, host, verdict.cls)
    if is_storm and fencing.settle_by_lease(draft, host):
        return
    if state.reason == "half_fenced":
        _half_fenced(draft, host, verdict)
    elif verdict.cls is Class.FINE:
        _held_but_fine(draft, host, facts)
    elif _is_decisive(verdict.cls) or verdict.cls is state.cls or _hangs_whole(state, verdict):
        _act_on(draft, host, verdict)
        repair.look_at_held(draft, host)
    elif verdict.cls is not Class.OWN_FAULT:
        suspect(draft, host, verdict)


def _hangs_whole(state: at.Held, verdict: Verdict) -> bool:
    """What began as a silent nova-compute is the whole kernel: `weak_only_s` has confirmed it."""
    return state.cls is Class.NOVA_COMPUTE and verdict.cls is Class.HUNG


def _held_but_fine(draft: Draft, host: HostId, facts: Facts) -> None:
    heard = draft.sights(host).strong_at
    state = draft.host(host).state
    since = heard if heard is not None else draft.now
    if isinstance(state, at.Held):
        _maybe_recover(draft, host, max(since, state.since), facts)


def _half_fenced(draft: Draft, host: HostId, verdict: Verdict) -> None:
    """It came back to life under our hands. Only its death, seen, or a human moves it on."""
    fencing.tell_half_fenced(draft, host)
    is_dead = verdict.cls is Class.DEAD_POWER
    # It stays half fenced under a brake: any other reason would let it walk back to healthy.
    if is_dead and holding(draft, host, verdict.cls) is None:
        fencing.begin_fencing(draft, host, verdict.cls)


def fence_ordered(draft: Draft, host: HostId, by: str) -> Refusal | None:
    """A named person orders a fence: judged now, against all brakes, or refused by name.

    An order that a brake holds is not remembered: nobody expects an old word to cut power later.
    """
    state = draft.host(host).state
    if isinstance(state, at.Unknown):
        return Refusal("unknown_host", "adopt it first: `host adopt`")
    if not usable_roads(draft, host):
        return Refusal("no_road", "no verified power device leads to it: `fencing sign`")
    is_left = is_left_to_people(draft.host(host))
    if not isinstance(state, at.Healthy | at.Suspect | at.Held) and not is_left:
        return Refusal("not_now", f"it is {type(state).__name__.lower()}")
    brake = holding(draft, host, Class.ORDERED)
    if brake is not None:
        return Refusal(brake.value, "`host why` names what each brake saw")
    ordered = (*draft.control.fence_ordered, (host, by))
    draft.put_control(replace(draft.control, fence_ordered=ordered))
    if is_left:
        shooting.begin_anew(draft, host)
    look(draft, host)
    return None


def is_left_to_people(record: at.Host) -> bool:
    """A proof was contradicted, or none about its cpu stands any more, or ever did.

    A person's word expires, and storage alone says nothing of the machine: it may live, and then
    every automatic shot at it is held for its life.
    """
    is_out = isinstance(record.state, at.Fenced | at.Evacuating | at.Vacated)
    return bool(record.zombie_risk) or (is_out and not is_proved_dead(record))


def adopt(draft: Draft, host: HostId) -> Refusal | None:
    """Take a host into care that never was seen alive."""
    if not isinstance(draft.host(host).state, at.Unknown):
        return Refusal("known_host", "it is in care already")
    suspect(draft, host, judge(draft, host))
    return None
