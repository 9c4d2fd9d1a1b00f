"""L3: a reserved host is lent in need only, one after the other, and given back."""

from dataclasses import replace

from tests.oracle.history import C1, C2, C3, C4, S1, History, facts, story

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Control, Loan, LoanStage
from ninelives.core.model import Candidate, HostId
from ninelives.core.site import Site
from ninelives.sim import happenings as so

RESTS = on.NovaSeen(C4, True, True, forced_down=False, disabled=True, is_ours=True, is_reserve=True)
BACK = replace(RESTS, disabled=False, is_reserve=False)
LEND = do.Reserve(C4, enabled=True)
NOT_USED = Loan(C3, C1, LoanStage.SERVING, 1.0)


def kept_in_reserve(*names: HostId) -> History:
    """c1 is dead and its server waits; these are kept in reserve, and rest."""
    plain = facts()
    hosts = {
        name: replace(host, is_reserved=name in names) for name, host in plain.site.hosts.items()
    }
    site = Site(hosts, plain.site.controllers, plain.site.quorum_sets, plain.site.controller_hosts)
    told = story(replace(plain, site=site))
    for name in names:
        told.decided(replace(RESTS, host=name))
    return told.evacuating().moving(at.Choosing(told.now))


def lent(
    told: History, host: HostId = C4, *others: Loan, offered: tuple[HostId, ...] = ()
) -> History:
    """Lend one on Placement's answer, and ask Nova for it."""
    order = do.Reserve(host, enabled=True)
    control = Control(loans=(*others, Loan(host, C1, LoanStage.ASKED, told.now)))
    answer = on.TargetsSeen(
        do.AskTargets(S1, 1), tuple(Candidate(each, 5, True) for each in offered)
    )
    return told.decided(answer, outbox=(order,), control=control).issued(order)


def test_one_that_is_lent_where_nobody_takes_the_server_keeps_l3() -> None:
    assert lent(kept_in_reserve(C4)).laws == set()


def test_lending_one_although_another_host_could_take_the_server_breaks_l3() -> None:
    assert lent(kept_in_reserve(C4), offered=(C2,)).laws == {"L3"}


def test_a_host_that_may_hold_a_copy_is_none_that_could_take_it() -> None:
    told = kept_in_reserve(C4).moving(at.Choosing(1.0), writers=frozenset({C1, C2}))

    assert lent(told, offered=(C2,)).laws == set()


def test_lending_a_second_while_the_first_stands_unused_breaks_l3() -> None:
    told = kept_in_reserve(C3, C4).decided(control=Control(loans=(NOT_USED,)))

    assert lent(told, C4, NOT_USED).laws == {"L3"}


def test_a_second_after_the_first_was_filled_keeps_l3() -> None:
    filled = replace(NOT_USED, is_used=True)
    told = kept_in_reserve(C3, C4).decided(control=Control(loans=(filled,)))

    assert lent(told, C4, filled).laws == set()


def test_enabling_one_when_every_server_has_its_outcome_breaks_l3() -> None:
    told = lent(kept_in_reserve(C4)).moving(at.WaitingForHost(1.0, "failed:no_target"))

    assert told.issued(LEND).laws == {"L3"}


def test_enabling_one_that_is_not_kept_in_reserve_breaks_l3() -> None:
    assert "L3" in lent(kept_in_reserve(C4), C3).laws


def ended(told: History) -> History:
    """Let the dead host be back, its server at rest, and all be healed for long."""
    told.moving(at.Done(told.now, C2)).host(C1, at.Vacated(told.now))
    told.host(C1, at.Returning(told.now, at.Stage.SOAKING, told.now)).host(C1, at.Healthy(told.now))
    return told.decided(moves={S1: None}).after(5000)


def test_one_that_is_empty_and_still_serves_when_all_is_over_breaks_l3() -> None:
    told = ended(lent(kept_in_reserve(C4)).replied(LEND).decided(BACK))

    assert {violation.law for violation in told.finished()} == {"L3"}


def test_one_that_rests_again_or_has_somebody_there_keeps_l3() -> None:
    rests = ended(lent(kept_in_reserve(C4)).replied(LEND).decided(BACK).decided(RESTS))
    serves = ended(lent(kept_in_reserve(C4)).replied(LEND).decided(BACK))
    serves.truly(so.DomainStarted(S1, C4, is_rebuilt=False))

    assert [each.finished() for each in (rests, serves)] == [[], []]
