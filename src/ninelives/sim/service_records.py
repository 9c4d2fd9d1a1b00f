"""Nova's records of the computes, as leaders poll them: one poll shows all, and changes are told.

Where no agent signs for a host, that its record advances is its strong sign. It is told when that
begins, and when the record stood still for `record_silence_s`. Polls between, which would find one
more report and nothing else, are left out: the next one that matters is planned ahead.

That of a host which others forced down is looked at in the same way: Nova never calls it up.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ninelives.core import events as on
from ninelives.core.model import HostId

from . import network, nova
from .controllers import Report
from .truth import ComputeState

OUR_REASON = "ninelives:"
RESERVE = f"{OUR_REASON}reserve"

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World


@dataclass(slots=True)
class Polls:
    """When Nova's records are read next for hosts without an agent, and who cannot report there."""

    due: float | None = None
    cut_at: dict[HostId, float] = field(default_factory=dict[HostId, float])


def service_look(world: "World") -> None:
    """Tell every leader what changed in the records."""
    reply = world.nova.request(nova.ListServices(), world.now)
    leaders = world.leading()
    for leader in leaders:
        if isinstance(reply, nova.Answer):
            read_all(world, leader, reply)
        else:
            read_nothing(world, leader)
    if any(leader.reports for leader in leaders):
        plan_look(world)


def read_all(world: "World", leader: "Controller", reply: nova.Answer) -> None:
    leader.unread_since = None
    assert isinstance(reply.body, tuple), "a list was asked for"
    for view in reply.body:
        if isinstance(view, nova.ServiceView):
            say_service(world, leader, view)


def say_service(world: "World", leader: "Controller", view: nova.ServiceView) -> None:
    seen = service_seen(world, view)
    is_agentless = seen.host in world.setup.site.agentless
    is_theirs = seen.forced_down and seen.host not in world.forced_by_us  # ours is taken off again
    if is_agentless or is_theirs:
        grows = advances(world, leader, view)
        seen = replace(seen, has_advanced=is_agentless and grows, still_reports=is_theirs and grows)
    else:
        leader.reports.pop(seen.host, None)
    usual = on.NovaSeen(seen.host, True, False, False, False, True)
    before = leader.said.get(("nova", seen.host), usual)
    if before == seen:
        return
    leader.said["nova", seen.host] = seen
    is_back = seen.is_up and isinstance(before, on.NovaSeen) and not before.is_up
    world.deliver(leader, seen if is_agentless else replace(seen, has_advanced=is_back))


def service_seen(world: "World", view: nova.ServiceView) -> on.NovaSeen:
    host = HostId(view.host)
    ours = not view.is_forced_down or host in world.forced_by_us
    if view.is_disabled:
        ours = ours and (view.disabled_reason or "").startswith(OUR_REASON)
    return on.NovaSeen(
        *(host, view.is_up, False, view.is_forced_down, view.is_disabled, ours),
        is_reserve=view.is_disabled and view.disabled_reason == RESERVE,
    )


def service_changed(world: "World") -> None:
    """Let the leaders' next poll find what changed."""
    world.after(world.rng.random() * world.setup.knobs.nova_poll_s, "service_look")


def process_changed(world: "World", host: HostId) -> None:
    """Plan the polls that find nova-compute silent for too long, or back again."""
    down_s = nova.Timings().service_down_time_s
    last = world.nova.last_report(host, world.now)
    poll = world.rng.random() * world.setup.knobs.nova_poll_s
    world.at_time(max(world.now, last + down_s + 0.1) + poll, "service_look")
    world.after(nova.Timings().startup_s + 1.0 + poll, "service_look")


# Records that are signs of life.


def advances(world: "World", leader: "Controller", view: nova.ServiceView) -> bool:
    """Say whether this leader saw the record grow, and not too long ago."""
    host = HostId(view.host)
    report = report_seen(world, view)
    before = leader.reports.get(host)
    has_grown = before is not None and (report > before.at or before.is_fresh)
    is_fresh = has_grown and world.now < report + silence_s(world, host)
    leader.reports[host] = Report(report, is_fresh)
    return is_fresh


def report_seen(world: "World", view: nova.ServiceView) -> float:
    """Return the last report that reached Nova: what a host sends over a cut link does not."""
    return min(view.last_report, world.polls.cut_at.get(HostId(view.host), view.last_report))


def read_nothing(world: "World", leader: "Controller") -> None:
    """Nova does not say: after a while no record is a sign any more, for nobody saw it grow."""
    since = leader.unread_since = world.now if leader.unread_since is None else leader.unread_since
    for host, report in leader.reports.items():
        if report.is_fresh and world.now >= since + silence_s(world, host):
            leader.reports[host] = Report(report.at, is_fresh=False)
            said = leader.said.get(("nova", host))
            if isinstance(said, on.NovaSeen):
                stale = replace(said, has_advanced=False, still_reports=False)
                leader.said["nova", host] = stale
                world.deliver(leader, stale)


def silence_s(world: "World", host: HostId) -> float:
    return world.policy_of(host).record_silence_s


def something_changed(world: "World", host: HostId) -> None:
    """Look at the records soon: this host, or its way to Nova, is not as it was."""
    if host not in world.setup.site.agentless:
        if any(host in leader.reports for leader in world.leading()):
            look_by(world, world.now)
        return
    if network.store_reached(world, host):
        world.polls.cut_at.pop(host, None)
    else:
        world.polls.cut_at.setdefault(host, world.now)
    look_by(world, world.now)


def plan_look(world: "World") -> None:
    """Plan the next look at which a record that is a sign can have changed."""
    dues = [
        due
        for leader in world.leading()
        for host in sorted(leader.reports)
        if (due := next_change(world, leader, host)) is not None
    ]
    if dues:
        look_by(world, max(world.now, min(dues)))


def next_change(world: "World", leader: "Controller", host: HostId) -> float | None:
    report = leader.reports.get(host)
    if leader.unread_since is not None:
        return world.now + world.setup.knobs.nova_poll_s
    if report is None:
        return None
    tick = world.nova.last_report(host, world.now + nova.Timings().report_interval_s)
    is_stale = world.nova.faults.is_service_list_stale or host in world.polls.cut_at
    is_reporting = tick > world.now and not is_stale
    if report.is_fresh:
        return None if is_reporting else report.at + silence_s(world, host)
    if is_reporting:
        return tick
    truth = world.hosts[host]
    is_starting = truth.is_up and truth.compute is ComputeState.OK and not is_stale
    return world.now + nova.Timings().report_interval_s if is_starting else None


def look_by(world: "World", when: float) -> None:
    """Look at the first poll after an instant, unless one before it is planned already."""
    poll_s = world.setup.knobs.nova_poll_s
    if world.polls.due is not None and world.polls.due <= when + poll_s:
        return
    due = world.polls.due = when + world.rng.random() * poll_s
    world.at_time(due, "record_look", due)


def record_look(world: "World", due: float) -> None:
    if world.polls.due == due:
        world.polls.due = None
        service_look(world)
