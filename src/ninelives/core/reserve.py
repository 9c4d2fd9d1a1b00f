"""Reserved hosts: lent to their segment when capacity lacks, and given back (ADR 0042).

    resting ───▶ asked ───▶ serving ───▶ returned ───▶ resting
    disabled, and the       a target     nobody waits, nobody is left on it:
    reason says so          like any     it is disabled again, with our reason

Laws:
  - Two say that it is a reserve: the inventory, and the reason of its disable. What an operator
    disabled for any other reason is never enabled.
  - It is lent for a server that nobody in service can take. While one that serves stands unused no
    other is lent: a server that fits nowhere does not empty the reserve.
  - It belongs to its segment, whichever outage asked first, and is given back once none needs it
    and it is empty, whoever enabled it: the inventory is the operator's word.
"""

from collections.abc import Iterator
from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .cluster import Loan, LoanStage
from .consent import may_undo, mode_of
from .draft import Draft
from .episode import tell
from .model import HostId, Mode, SegmentId, ServerSeen
from .tallies import target_key
from .targets import PENDING, may_be_target

WAKE = "reserve"


# Lent.


def comes_for(draft: Draft, move: at.Move) -> bool:
    """Let a server without a target wait for a reserved host, if one is on its way."""
    is_coming = _lend(draft, move)
    if is_coming:
        again = at.Retry(draft.now + draft.policy(move.host).retry_s, "reserve")
        draft.put_move(replace(move, state=again))  # no attempt is spent: none was possible
    return is_coming


def _lend(draft: Draft, move: at.Move) -> bool:
    """Take a reserved host into service, if it is time for one; say whether one is on its way."""
    policy, segment = draft.policy(move.host), draft.site(move.host).segment
    loans = [loan for loan in _loans(draft, segment) if _is_well(draft, loan.host)]
    asked = [loan.since for loan in loans if loan.stage is LoanStage.ASKED]
    if asked:
        return draft.now < max(asked) + policy.reserve_wait_s
    if any(_is_just_back(draft, move, host) for host in draft.cluster.site.hosts):
        return True
    if len(loans) >= policy.reserve_lent_max or any(_is_unused(draft, loan) for loan in loans):
        return False
    host = next((each for each in _reserve(draft, segment) if _fits(draft, move, each)), None)
    if host is None:
        return False
    _put(draft, Loan(host, move.host, LoanStage.ASKED, draft.now))
    _order(draft, host, enabled=True)
    draft.note(host, "reserve.lent", "no_target", f"for {move.server} of {move.host}")
    tell(draft, move.host, f"reserve_lent:{host}", f"no target for {move.server}")
    draft.wake(WAKE, draft.now + policy.reserve_look_s)
    return True


def _is_just_back(draft: Draft, move: at.Move, host: HostId) -> bool:
    """Say whether a host was led back a moment ago that Nova's last record still calls disabled."""
    state, nova = draft.host(host).state, draft.sights(host).nova
    if nova is None or not isinstance(state, at.Healthy) or nova.is_reserve or nova.forced_down:
        return False
    is_new = draft.now < state.since + draft.policy(host).reserve_wait_s
    return is_new and nova.disabled and nova.is_ours and may_be_target(draft, move, host)


def _fits(draft: Draft, move: at.Move, host: HostId) -> bool:
    in_maintenance = any(job.host == host for job in draft.control.maintenance)
    is_free = loan_of(draft, host) is None and not in_maintenance
    return (
        is_free
        and _is_well(draft, host)
        and _rests(draft, host)
        and may_be_target(draft, move, host)
    )


def _is_well(draft: Draft, host: HostId) -> bool:
    return isinstance(draft.host(host).state, at.Healthy)


def _rests(draft: Draft, host: HostId) -> bool:
    """Say whether Nova shows it disabled, for the reason of the reserve and no other."""
    nova = draft.sights(host).nova
    return nova is not None and nova.disabled and nova.is_reserve and not nova.forced_down


def _is_unused(draft: Draft, loan: Loan) -> bool:
    """Say whether it serves, and no server was seen there or sent there."""
    if loan.stage is not LoanStage.SERVING or loan.is_used:
        return False
    return not any(
        loan.host in move.named for record in draft.active() for move in draft.moves_of(record.id)
    )


# Looked after.


def began(draft: Draft) -> None:
    """Start a term: what was asked of Nova is asked again, and waited for in full."""
    loans = tuple(replace(loan, since=draft.now) for loan in draft.control.loans)
    if loans != draft.control.loans:
        draft.put_control(replace(draft.control, loans=loans))
    if loans or draft.cluster.site.reserve:
        draft.wake(WAKE, draft.now + draft.cluster.policy.reserve_look_s)


def look(draft: Draft) -> None:
    """See what Nova shows of every reserved host, and go on from there."""
    reserve = draft.cluster.site.reserve
    for loan in draft.control.loans:
        if loan.host not in reserve:  # the inventory says so no more: it is a host like any other
            _end(draft, loan, "reserve.closed", "not_reserved")
    for host in sorted(reserve):
        if _is_well(draft, host) and _may_act(draft, host):
            _look_at(draft, host)
    if reserve:
        draft.wake(WAKE, draft.now + draft.cluster.policy.reserve_look_s)


def _may_act(draft: Draft, host: HostId) -> bool:
    is_act = mode_of(draft, need_of(draft, host)) is Mode.ACT
    return draft.control.is_armed and (is_act or may_undo(draft, do.Reserve(host, enabled=False)))


def _look_at(draft: Draft, host: HostId) -> None:
    nova, loan = draft.sights(host).nova, loan_of(draft, host)
    if nova is None and draft.now < draft.views.began_at + draft.policy(host).reserve_look_s:
        return  # not read yet; later it is in service: of what is as usual nobody tells
    if nova is None or not nova.disabled:
        _in_service(draft, host, loan)
    elif _rests(draft, host) and loan is not None:
        _at_rest(draft, loan)
    elif not nova.is_ours and loan is not None:
        _end(draft, loan, "reserve.closed", "disabled_by_somebody")


def _in_service(draft: Draft, host: HostId, loan: Loan | None) -> None:
    if loan is None:
        loan = Loan(host, host, LoanStage.SERVING, draft.now)
        _put(draft, loan)
        draft.note(host, "reserve.serving", "enabled_by_somebody")
    elif loan.stage is LoanStage.ASKED:
        draft.settle(do.Reserve(host, enabled=True))
        loan = replace(loan, stage=LoanStage.SERVING, since=draft.now)
        _put(draft, loan)
        draft.note(host, "reserve.serving", "enabled")
    if loan.stage is LoanStage.RETURNED:
        _order(draft, host, enabled=False)
    else:
        draft.ask(do.ListServers(host, draft.host(host).epoch, 0))


def _at_rest(draft: Draft, loan: Loan) -> None:
    """It is disabled: as it was, again, or by somebody who closed it before we did."""
    order = do.Reserve(loan.host, enabled=True)
    match loan.stage:
        case LoanStage.ASKED if is_wanted(draft, draft.site(loan.host).segment):
            _order(draft, loan.host, enabled=True)
        case LoanStage.ASKED if draft.entry(order) is None:
            _end(draft, loan, "reserve.rests", "not_needed")
        case LoanStage.ASKED:
            pass  # it is offered until it is answered: only then it can be said what it left
        case LoanStage.SERVING:
            _end(draft, loan, "reserve.closed", "disabled_by_somebody")
        case LoanStage.RETURNED:
            _end(draft, loan, "reserve.rests", "given_back")


def listed(draft: Draft, event: on.Listed) -> None:
    """Give it back, if the list of a host that serves is empty and nobody needs it any more."""
    host = event.request.host
    loan = loan_of(draft, host)
    if loan is None or loan.stage is not LoanStage.SERVING or not _is_well(draft, host):
        return
    if not event.is_complete or event.request.epoch != draft.host(host).epoch:
        return
    if any(_is_there(server, host) for server in event.servers):
        _put(draft, replace(loan, is_used=True))
        return
    is_needed = is_wanted(draft, draft.site(host).segment) or draft.count(target_key(host)) > 0
    if not is_needed and _may_act(draft, host):
        _put(draft, replace(loan, stage=LoanStage.RETURNED, since=draft.now))
        _order(draft, host, enabled=False)
        draft.note(host, "reserve.given_back", "empty")


def _is_there(server: ServerSeen, host: HostId) -> bool:
    """Say whether a listed server is there, or on its way. Nova's leavings at Placement are not."""
    is_moving = any(
        not record.is_final and host in (record.source, record.target) for record in server.records
    )
    return server.host is None or server.host == host or is_moving


def is_wanted(draft: Draft, segment: SegmentId) -> bool:
    """Say whether a server of the segment moves, waits to, or is about to be listed."""
    return any(
        isinstance(record.state, at.Fencing | at.Fenced)
        or any(isinstance(move.state, PENDING) for move in draft.moves_of(record.id))
        for record in draft.active()
        if draft.site(record.id).segment == segment
    )


# Asked of Nova.


def _order(draft: Draft, host: HostId, enabled: bool) -> None:
    draft.settle(do.Reserve(host, enabled=not enabled))
    draft.act(do.Reserve(host, enabled), draft.policy(host).request_timeout_s)


def objection(draft: Draft, action: do.Reserve) -> str:
    """Return why a reserved host must not be enabled, or disabled, right now; "" if it may."""
    loan = loan_of(draft, action.host)
    stage = LoanStage.ASKED if action.enabled else LoanStage.RETURNED
    if loan is None or loan.stage is not stage:
        return "other_epoch"
    if not _is_well(draft, action.host):
        return "other_state"
    if action.enabled and not is_wanted(draft, draft.site(action.host).segment):
        return "not_needed"
    return ""


def replied(draft: Draft, event: on.Replied) -> None:
    """Fold Nova's answer. What it did is seen in its record; only a refusal is news by itself."""
    assert isinstance(event.action, do.Reserve)
    loan = loan_of(draft, event.action.host)
    if loan is not None and event.outcome is on.Outcome.REFUSED and event.reason == "not_ours":
        _end(draft, loan, "reserve.closed", "disabled_by_somebody")


# What is known.


def loan_of(draft: Draft, host: HostId) -> Loan | None:
    """Return the loan of a reserved host, if it is lent."""
    return next((loan for loan in draft.control.loans if loan.host == host), None)


def need_of(draft: Draft, host: HostId) -> HostId:
    """Name whose outage a reserved host was lent for; itself where somebody else enabled it."""
    loan = loan_of(draft, host)
    return loan.need if loan is not None and loan.need in draft.cluster.site.hosts else host


def _loans(draft: Draft, segment: SegmentId) -> Iterator[Loan]:
    hosts = draft.cluster.site.hosts
    for loan in draft.control.loans:
        if loan.host in hosts and hosts[loan.host].segment == segment:
            yield loan


def _reserve(draft: Draft, segment: SegmentId) -> Iterator[HostId]:
    for host in sorted(draft.cluster.site.reserve):
        if draft.site(host).segment == segment:
            yield host


def _put(draft: Draft, loan: Loan) -> None:
    others = tuple(each for each in draft.control.loans if each.host != loan.host)
    draft.put_control(replace(draft.control, loans=(*others, loan)))


def _end(draft: Draft, loan: Loan, what: str, why: str) -> None:
    others = tuple(each for each in draft.control.loans if each.host != loan.host)
    draft.put_control(replace(draft.control, loans=others))
    for enabled in (True, False):
        draft.settle(do.Reserve(loan.host, enabled))
    draft.note(loan.host, what, why)
