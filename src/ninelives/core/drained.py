"""When a started nova-compute has read its queue, before its host's gate is opened (SAFETY 8).

    started ─ wait ▶ records `completed`, guests looked for ─▶ force-up ─▶ it reports ─ wait ▶ gate

It cleans up first and reads its queue only then; a start that was queued there would make a second
copy. Completed records say that it has started in truth, not how long ago: with the bus down it
stands still at its start, and goes on the moment the bus is back. That it reports says more: it
does so over the bus, once its queue is open. Each wait starts again in a new term.

Nova refuses our force-up until the records are `completed`, and calls a host that is forced down
never up. So where another forced it down, the records are read; and that it reports is seen by its
own record, which grows all the same.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .draft import Draft
from .episode import tell
from .facts import Facts
from .model import Health, HostId

TOLD_LATE_S = 25.0  # so long we may not hear that a record stands still: looks, and their time-outs


def due(draft: Draft, host: HostId, state: at.Returning) -> float | None:
    """Return from when on it may have drained its queue; None: not as long as a canary is bad."""
    views = draft.views
    if views.bad_canaries:
        return None
    drains_from = max(state.stage_since, views.canaries_bad_until or 0.0)
    wait_s: float = draft.policy(host).compute_start_s * 2**state.attempt
    return drains_from + wait_s


def has_waited(draft: Draft, host: HostId, state: at.Returning) -> bool:
    """Say whether that is over; if not, have the host looked at when it is."""
    return _is_past(draft, host, due(draft, host, state))


def is_read(draft: Draft, host: HostId, state: at.Returning) -> bool:
    """Say whether its queue was read, as far as can be seen: the gate may open."""
    from_when = due(draft, host, state)
    if from_when is None or not reports(draft, host):
        return False
    policy, sights = draft.policy(host), draft.sights(host)
    told_at = max(sights.nova_at, sights.agent_at)
    when = max(from_when, told_at + policy.compute_start_s)
    if sights.nova is not None and sights.nova.forced_down:
        # Only then no report from before the clean-up makes its record look alive: it may have
        # stood still since, with its queue unread.
        when = max(when, state.stage_since + policy.record_silence_s + TOLD_LATE_S)
    return _is_past(draft, host, when)


def _is_past(draft: Draft, host: HostId, when: float | None) -> bool:
    if when is not None and draft.now < when:
        draft.wake_host(host, when)
    return when is not None and draft.now >= when


def reports(draft: Draft, host: HostId) -> bool:
    """Say whether nova-compute runs, and has reported since Nova was told to believe it. Pure.

    What is usual at Nova is not told: only late in a term does it mean something to have heard
    nothing.
    """
    facts, nova = Facts(draft, host), draft.sights(host).nova
    if nova is None:
        return draft.now >= draft.views.began_at + draft.policy(host).settle_s
    return facts.compute is Health.OK and (nova.is_up or nova.still_reports)


def start_again(draft: Draft, host: HostId, state: at.Returning) -> None:
    """Start a nova-compute again that ended before it was seen to report, or never came so far.

    The gate may be open, if an answer was lost: so the host stays where it is on its way back.
    """
    policy = draft.policy(host)
    if reports(draft, host) or draft.now < state.stage_since + policy.repair_timeout_s:
        return
    draft.put_host(replace(draft.host(host), state=replace(state, stage_since=draft.now)))
    action = do.StartCompute(host, draft.host(host).epoch, state.boot, policy.force_up_tries_max)
    draft.act(action, policy.request_timeout_s)
    tell(draft, host, "nova_compute_silent", "its gate stays closed until it reports")


def question(draft: Draft, host: HostId, state: at.Returning) -> do.ListServers:
    """Ask for the records of who moved from here, under the number of this start."""
    return do.ListServers(host, draft.host(host).epoch, state.attempt + 1)


def is_told_by(draft: Draft, event: on.Listed) -> bool:
    """Say whether this list is the answer, complete and made late enough."""
    host = event.request.host
    state = draft.host(host).state
    if not isinstance(state, at.Returning) or state.stage is not at.Stage.FORCING_UP:
        return False
    from_when = due(draft, host, state)
    is_late = from_when is not None and draft.now >= from_when
    return is_late and event.is_complete and event.request == question(draft, host, state)


def has_cleaned_up(event: on.Listed) -> bool:
    """Say whether no record of an evacuation from here waits for its nova-compute. Pure.

    Who moved away has its share of this host at Placement until then, and so is in the list.
    """
    host = event.request.host
    return not any(
        record.kind == "evacuation" and record.source == host and record.status == "done"
        for server in event.servers
        for record in server.records
    )
