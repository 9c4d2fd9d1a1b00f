"""Leading a host back into service, step by step (SAFETY 8).

    vacated ─▶ on ─▶ a new boot attested, gate closed ─▶ revocations lifted, records final
            ─▶ nova-compute runs while forced down ─▶ records completed, no guest left
            ─▶ force-up ─▶ gate open, servers that waited ─▶ soak ─▶ enable what we disabled

The order is Nova's: force-up is refused while evacuation records are `done`, and a nova-compute
that starts destroys local guests by those records. Nothing here is guessed: each step is seen.
"""

from dataclasses import replace

from . import actions as do
from . import drained, in_place, moves, queued, revoking, switching_on, ungated
from . import events as on
from . import states as at
from .draft import Draft
from .elsewhere import is_at_stake
from .episode import ask_to_attest, begin, end, move_to, tell
from .facts import Facts
from .fencing import read_evidence
from .model import Attestation, HostId
from .proofs import attested_now, has_clean_boot
from .roads import late_off_ends_at
from .rules import judge, judged
from .states import Class, Stage

LET_IN = frozenset({Stage.RESTARTING, Stage.SOAKING, Stage.ENABLING})


# Vacated: who switches it on, and when may it come?


def vacated(draft: Draft, host: HostId) -> None:
    """Wait for the host to be switched on, and lead it back when its new boot proves clean."""
    policy = draft.policy(host)
    moves.upkeep(draft, host)
    queued.tell(draft, host)
    draft.wake_host(host, draft.now + moves.upkeep_again_s(draft, host))
    switching_on.follow(draft, host)
    due = late_off_ends_at(draft, host)
    if due is None or draft.now < due:
        if due is not None:
            draft.wake_host(host, due)
        return
    if policy.power_on_after_vacated and switching_on.is_due(draft, host):
        switching_on.power_on(draft, host)
        switching_on.follow(draft, host)
    _meet_new_boot(draft, host)


def _meet_new_boot(draft: Draft, host: HostId) -> None:
    if draft.host(host).zombie_risk:
        return
    if not draft.site(host).has_agent:
        if ungated.is_on_again(draft, host):
            _enter_ungated(draft, host)
        return
    if not Facts(draft, host).has_new_boot:
        return
    attested = attested_now(draft, host)
    if attested is None:
        draft.ask(do.AskAttestation(host, draft.host(host).epoch))
        draft.wake_host(host, draft.now + draft.policy(host).attest_retry_s)
    else:
        _enter(draft, host, attested)


def _enter_ungated(draft: Draft, host: HostId) -> None:
    has_soaked = isinstance(draft.host(host).state, at.Quarantined)
    move_to(draft, host, at.Returning(draft.now, Stage.LIFTING, draft.now), "on_again")
    _forget_old_boot(draft, host)
    fell_too_often = len(draft.host(host).episodes) >= draft.policy(host).quarantine_episodes
    if fell_too_often and not has_soaked:
        quarantine(draft, host, "fell_too_often")


def _enter(draft: Draft, host: HostId, said: Attestation) -> None:
    record, policy = draft.host(host), draft.policy(host)
    stage = at.Returning(draft.now, Stage.ATTESTING, draft.now, said.boot)
    move_to(draft, host, stage, "new_boot_attested", said.boot)
    _forget_old_boot(draft, host)
    if said.serial != draft.site(host).serial or not said.is_clean or said.boot == record.boot:
        quarantine(draft, host, "attestation")
    elif len(record.episodes) >= policy.quarantine_episodes:
        quarantine(draft, host, "fell_too_often")
    else:
        _to_stage(draft, host, Stage.LIFTING)


def _forget_old_boot(draft: Draft, host: HostId) -> None:
    draft.put_host(replace(draft.host(host), off_reads=()))  # they were about the old boot
    switching_on.seen_up(draft, host)


# Returning.


def look(draft: Draft, host: HostId, state: at.Returning) -> None:
    """Go one stage further, if what the present one waits for is seen."""
    if draft.host(host).zombie_risk or _died_again(draft, host, state):
        return
    if state.stage is not Stage.SOAKING:
        draft.wake_host(host, draft.now + draft.policy(host).attest_retry_s)
    if state.stage not in LET_IN and not ungated.is_heard(draft, host):
        return  # the next boot may come with its guests: nothing is opened to it unseen
    match state.stage:
        case Stage.ATTESTING:
            _to_stage(draft, host, Stage.LIFTING)
        case Stage.LIFTING:
            _lift(draft, host)
        case Stage.COMPUTE:
            _start_compute(draft, host, state)
        case Stage.FORCING_UP:
            _force_up(draft, host, state)
        case Stage.RESTARTING:
            _restart_servers(draft, host)
        case Stage.SOAKING:
            _soak(draft, host, state)
        case Stage.ENABLING:
            _enable(draft, host)


def _to_stage(draft: Draft, host: HostId, stage: Stage) -> None:
    record = draft.host(host)
    assert isinstance(record.state, at.Returning)
    state = replace(record.state, stage=stage, stage_since=draft.now, attempt=0)
    draft.put_host(replace(record, state=state))
    draft.note(host, "host.stage", stage.value)
    draft.wake_host(host, draft.now)


def _died_again(draft: Draft, host: HostId, state: at.Returning) -> bool:
    """It fell again. Once servers were let in this is a new episode, before that a failed check."""
    facts = Facts(draft, host)
    other_boot = facts.any_up and state.boot not in (None, draft.sights(host).strong_boot)
    if not facts.is_gone and not other_boot:
        if facts.is_silent:
            read_evidence(draft, host)
        return False
    if state.stage in LET_IN:
        is_half_back = state.stage is Stage.RESTARTING
        draft.put_host(replace(draft.host(host), boot=state.boot, is_half_back=is_half_back))
        verdict = judge(draft, host)
        begin(draft, host, verdict.cls, verdict.rule)
    elif facts.own_fault:
        return False
    else:
        quarantine(draft, host, "died_again")
    return True


def quarantine(draft: Draft, host: HostId, cause: str) -> None:
    """Keep it out. The soak doubles with each episode beyond the allowed number."""
    policy, record = draft.policy(host), draft.host(host)
    beyond = max(0, len(record.episodes) - policy.quarantine_episodes)
    soak = min(policy.quarantine_soak_s * 2**beyond, policy.quarantine_soak_max_s)
    until = draft.now + soak
    move_to(draft, host, at.Quarantined(draft.now, until, cause), cause)
    tell(draft, host, f"quarantined:{cause}")
    revoking.shut_out_again(draft, host)
    draft.wake_host(host, until)


def quarantined(draft: Draft, host: HostId, state: at.Quarantined) -> None:
    """Try again after the soak, with a boot that attests itself clean."""
    if draft.now < state.until:
        draft.wake_host(host, state.until)
        revoking.keep_out(draft, host)
        return
    attested = attested_now(draft, host)
    read_evidence(draft, host)
    if ungated.is_on_again(draft, host):
        _enter_ungated(draft, host)
    elif not Facts(draft, host).any_up:
        # It is off, or cut off: what it attested before says nothing of its next boot.
        revoking.keep_out(draft, host)
    elif attested is not None and has_clean_boot(draft, host):
        led_back = at.Returning(draft.now, Stage.LIFTING, draft.now, attested.boot)
        move_to(draft, host, led_back, "soaked", attested.boot)
    else:
        ask_to_attest(draft, host)
        draft.wake_host(host, draft.now + draft.policy(host).attest_retry_s)


def release(draft: Draft, host: HostId) -> None:
    """A named person lets a quarantined host try again now."""
    record = draft.host(host)
    if isinstance(record.state, at.Quarantined):
        draft.put_host(replace(record, state=replace(record.state, until=draft.now)))
        draft.wake_host(host, draft.now)


# The stages.


def _lift(draft: Draft, host: HostId) -> None:
    """Let the host at its storage again; then wait until Nova's records from it are final."""
    if ungated.may_be_let_in(draft, host) and revoking.let_in(draft, host):
        draft.ask(do.ListServers(host, draft.host(host).epoch, 0))


def records_seen(draft: Draft, event: on.Listed) -> None:
    """Go on once no record could make a starting nova-compute destroy what never moved away.

    At its start nova-compute destroys every local guest with an evacuation record from this host,
    disks and all. So a record that is still open may only belong to a server that lives elsewhere
    by now (attack 22).
    """
    host = event.request.host
    if drained.is_told_by(draft, event):
        if drained.has_cleaned_up(event):
            _to_stage(draft, host, Stage.RESTARTING)
        else:
            _start_compute_again(draft, host)
        return
    if not _is_at(draft, host, Stage.LIFTING):
        return
    stuck = sorted({server.id for server in event.servers if is_at_stake(draft, host, server)})
    if not event.is_complete or queued.is_named_by_open_move(draft, host):
        return
    if stuck:
        tell(draft, host, "record_open", ", ".join(stuck))
        return
    _to_stage(draft, host, Stage.COMPUTE)
    _start_compute(draft, host, _returning(draft, host))


def _returning(draft: Draft, host: HostId) -> at.Returning:
    state = draft.host(host).state
    assert isinstance(state, at.Returning)
    return state


def _start_compute(draft: Draft, host: HostId, state: at.Returning) -> None:
    record = draft.host(host)
    if not draft.site(host).has_agent:
        if ungated.compute_runs(draft, host, state.stage_since):
            _advance(draft, host, Stage.FORCING_UP)
        return
    action = do.StartCompute(host, record.epoch, state.boot, state.attempt)
    draft.act(action, draft.policy(host).request_timeout_s)


def _force_up(draft: Draft, host: HostId, state: at.Returning) -> None:
    """Take our force-down off, once the host was seen without any guest process."""
    record, sights = draft.host(host), draft.sights(host)
    due = drained.due(draft, host, state)
    if due is None or not drained.has_waited(draft, host, state):
        return
    if not record.forced_down_by_us:
        draft.ask(drained.question(draft, host, state))
        return
    said = sights.attested.attestation if sights.attested is not None else None
    is_fresh = said is not None and sights.attested_at >= due
    if draft.site(host).has_agent and not is_fresh:
        draft.ask(do.AskAttestation(host, record.epoch))
    elif said is not None and is_fresh and said.guests:
        tell(draft, host, "guests_left", f"{said.guests} guest processes")
    else:
        action = do.ForceUp(host, record.epoch, state.attempt)
        draft.act(action, draft.policy(host).request_timeout_s)


def _restart_servers(draft: Draft, host: HostId) -> None:
    """Open the gate once the queue was read; bring back in place who waited for this host."""
    record, state = draft.host(host), _returning(draft, host)
    if state.attempt == 0 and draft.site(host).has_agent:
        if drained.is_read(draft, host, state):
            action = do.OpenGate(host, record.epoch, state.boot)
            draft.act(action, draft.policy(host).request_timeout_s)
        else:
            drained.start_again(draft, host, state)
    elif in_place.restart_in_place(draft, host):
        # From here on the new boot is the one we know: it is no reboot to be judged any more.
        boot = state.boot or draft.sights(host).strong_boot
        draft.put_host(replace(draft.host(host), boot=boot, is_half_back=False))
        _to_stage(draft, host, Stage.SOAKING)


def _soak(draft: Draft, host: HostId, state: at.Returning) -> None:
    policy, facts = draft.policy(host), Facts(draft, host)
    soak = policy.soak_s if draft.site(host).has_agent else policy.soak_agentless_s
    cls, due = judged(facts).cls, state.stage_since + soak
    if cls is Class.STORAGE_LOST:
        read_evidence(draft, host)
        revoking.let_in_again(draft, host, state.stage_since)
    is_well = facts.all_up and cls in (Class.FINE, Class.PLANNED, Class.NOVA_COMPUTE)
    # Whatever befalls a host that does well is news. One that does not may have to wait for others,
    # who hear each other again.
    draft.wake_host(host, max(due, draft.now) if is_well else draft.now + policy.attest_retry_s)
    if is_well and draft.now >= due:
        _to_stage(draft, host, Stage.ENABLING)
    elif draft.now >= due:
        tell(draft, host, f"soaking:{cls}", "it stays disabled until it is well")


def _enable(draft: Draft, host: HostId) -> None:
    """Enable what ninelives disabled, nothing else. Then the episode is over, if it is still well.

    The answer may take a while: who fell silent meanwhile is not led back, its servers forgotten.
    """
    record = draft.host(host)
    if not Facts(draft, host).all_up:
        return
    if record.disabled_by_us:
        draft.act(do.Enable(host, record.epoch), draft.policy(host).request_timeout_s)
        return
    end(draft, host, "led_back")


# Answers.


def replied(draft: Draft, event: on.Replied) -> None:
    """Fold the answer to one step of the way back."""
    action, is_done = event.action, event.outcome is on.Outcome.DONE
    match action:
        case do.LiftRevocation(host=host, backend=backend) if is_done:
            revoking.mark_lifted(draft, host, backend)
        case do.StartCompute(host=host) if is_done and _is_at(draft, host, Stage.COMPUTE):
            _advance(draft, host, Stage.FORCING_UP)
        case do.ForceUp(host=host) if _is_at(draft, host, Stage.FORCING_UP):
            _forced_up(draft, host, event)
        case do.OpenGate(host=host) if is_done and _is_at(draft, host, Stage.RESTARTING):
            _count_attempt(draft, host)
        case do.Enable(host=host) if is_done:
            draft.put_host(replace(draft.host(host), disabled_by_us=False))
        case do.PowerOn():
            switching_on.replied(draft, action, event.outcome)
        case _:
            return
    if is_done:  # a refusal waits for the next look, or each would be asked for anew at once
        draft.wake_host(action.host, draft.now)


def _is_at(draft: Draft, host: HostId, stage: Stage) -> bool:
    state = draft.host(host).state
    return isinstance(state, at.Returning) and state.stage is stage


def _advance(draft: Draft, host: HostId, stage: Stage) -> None:
    attempt = _returning(draft, host).attempt
    _to_stage(draft, host, stage)
    state = replace(_returning(draft, host), attempt=attempt)
    draft.put_host(replace(draft.host(host), state=state))


def _count_attempt(draft: Draft, host: HostId) -> None:
    state = _returning(draft, host)
    draft.put_host(replace(draft.host(host), state=replace(state, attempt=state.attempt + 1)))


def _forced_up(draft: Draft, host: HostId, event: on.Replied) -> None:
    """Nova took it, or wants nova-compute restarted once more before it does (400)."""
    if event.outcome is on.Outcome.DONE:
        draft.put_host(replace(draft.host(host), forced_down_by_us=False))
        sights = draft.sights(host)
        if sights.nova is not None:  # whoever is seen forced down from here on is so by others
            nova = replace(sights.nova, forced_down=False, still_reports=False)
            draft.put_sights(sights._replace(nova=nova))
        _to_stage(draft, host, Stage.RESTARTING)
    elif event.reason == "records_done":
        _start_compute_again(draft, host)


def _start_compute_again(draft: Draft, host: HostId) -> None:
    state = _returning(draft, host)
    if state.attempt + 1 >= draft.policy(host).force_up_tries_max:
        quarantine(draft, host, "records_done")
        return
    _to_stage(draft, host, Stage.COMPUTE)
    again = replace(_returning(draft, host), attempt=state.attempt + 1)
    draft.put_host(replace(draft.host(host), state=again))
