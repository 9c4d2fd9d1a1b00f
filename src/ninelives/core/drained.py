"""When a started nova-compute has read its queue, before its host's gate is opened (SAFETY 8).

    started ─ wait ▶ its records `completed`, guests looked for ─▶ force-up ─ wait ▶ gate

It cleans up first and reads its queue only then; a start that was queued there would make a second
copy. Completed records say that it has started in truth, not how long ago: with the bus down it
stands still at its start, and goes on the moment the bus is back. So the second wait counts from
when they were seen, and both start again in a new term: no canary of that one may have spoken yet.
Nova refuses our force-up until the records are `completed`; where another forced it down there
is nothing of ours to be refused, and they are read: a bus may be down that no canary missed.
"""

from . import actions as do
from . import events as on
from . import states as at
from .draft import Draft
from .model import HostId


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
    from_when = due(draft, host, state)
    if from_when is not None and draft.now < from_when:
        draft.wake_host(host, from_when)
    return from_when is not None and draft.now >= from_when


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
