"""A host's own lease: what keeps it alive, and that it is dead before anybody may say so."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.small_cloud import K1, SmallCloud, small_site

from ninelives.core import events as on
from ninelives.core import leases
from ninelives.core.draft import Draft
from ninelives.core.leases import HostLease, Pledge
from ninelives.core.model import HostId, Plane, Proof, Refusal, Sign, WitnessId
from ninelives.core.policy import BALANCED, CAREFUL, FAST, PRESETS, Policy
from ninelives.core.proofs import lease_expired

LEASE_S = BALANCED.host_lease_s
WITNESSES = (WitnessId("k1"), WitnessId("c2"), WitnessId("c3"))
C1 = HostId("c1")


def renewed(lease: HostLease, term: int, sent_at: float, now: float) -> HostLease:
    answer = leases.granted(lease, term, sent_at, now)
    assert isinstance(answer, HostLease), answer
    return answer


def refused(answer: object) -> str:
    assert isinstance(answer, Refusal)
    return answer.reason


def test_a_lease_counts_from_when_its_renewal_was_sent() -> None:
    lease = renewed(HostLease(LEASE_S), 1, sent_at=100.0, now=110.0)

    assert leases.holds(lease, 100.0 + LEASE_S - 0.001)
    assert not leases.holds(lease, 100.0 + LEASE_S)


def test_without_any_renewal_nothing_holds_and_nothing_is_fed() -> None:
    assert not leases.holds(HostLease(LEASE_S), 0.0)
    assert not leases.may_feed(HostLease(LEASE_S), 0.0)
    assert leases.reset_by(HostLease(LEASE_S), BALANCED) is None


def test_an_old_leader_keeps_nobody_alive() -> None:
    lease = renewed(HostLease(LEASE_S), 5, 100.0, 100.1)

    assert refused(leases.granted(lease, 4, 101.0, 101.1)) == "old_term"


def test_an_answer_after_the_lease_would_have_ended_gives_no_life() -> None:
    assert refused(leases.granted(HostLease(LEASE_S), 1, 100.0, 100.0 + LEASE_S)) == "too_late"


def test_answers_that_overtook_each_other_never_shorten_or_stretch_a_lease() -> None:
    newest = renewed(HostLease(LEASE_S), 1, 104.0, 104.5)

    assert renewed(newest, 1, 102.0, 105.0).sent_at == 104.0


def test_the_watchdog_is_fed_once_for_each_renewal() -> None:
    lease = renewed(HostLease(LEASE_S), 1, 100.0, 100.1)
    lease = leases.fed(lease, 100.2)

    assert not leases.may_feed(lease, 100.3)
    assert leases.may_feed(renewed(lease, 1, 103.0, 103.1), 103.2)


def test_feeding_without_a_renewal_is_a_bug() -> None:
    lease = leases.fed(renewed(HostLease(LEASE_S), 1, 100.0, 100.1), 100.2)

    with pytest.raises(AssertionError, match="without a renewal"):
        leases.fed(lease, 100.3)


def test_a_clock_that_went_back_holds_no_lease() -> None:
    lease = renewed(HostLease(LEASE_S), 1, 100.0, 100.1)

    assert not leases.holds(lease, 99.0)


# Witnesses.


def test_a_majority_that_hears_no_controller_keeps_a_host_alive() -> None:
    lease = renewed(HostLease(LEASE_S), 1, 100.0, 100.1)
    two = frozenset(WITNESSES[:2])

    answer = leases.exempted(lease, two, WITNESSES, 110.0, 110.1)

    assert isinstance(answer, HostLease)
    assert leases.may_feed(answer, 120.0)


def test_half_of_the_witnesses_is_no_majority_and_strangers_do_not_count() -> None:
    lease = HostLease(LEASE_S)
    strangers = frozenset({WITNESSES[0], WitnessId("x"), WitnessId("y")})

    assert refused(leases.exempted(lease, strangers, WITNESSES, 0.0, 0.1)) == "no_majority"
    half = leases.exempted(lease, frozenset(WITNESSES[:1]), WITNESSES[:2], 0.0, 0.1)
    assert refused(half) == "no_majority"


def test_a_witness_that_promised_gives_no_word() -> None:
    pledge = leases.promises(Pledge(), 3, BALANCED, 0.0)

    assert isinstance(pledge, Pledge)
    assert refused(leases.gives_word(pledge, 1.0, hears_controller=False)) == "promised"


def test_a_witness_that_hears_a_controller_gives_no_word() -> None:
    assert refused(leases.gives_word(Pledge(), 1.0, hears_controller=True)) == "controller_heard"


def test_a_witness_promises_only_when_its_last_word_has_run_out() -> None:
    pledge = leases.gives_word(Pledge(), 100.0, hears_controller=False)
    assert isinstance(pledge, Pledge)
    end = 100.0 + BALANCED.safe_s

    assert refused(leases.promises(pledge, 3, BALANCED, end - 0.001)) == "word_still_lasts"
    assert isinstance(leases.promises(pledge, 3, BALANCED, end), Pledge)


def test_a_promise_ends_with_its_episode_and_not_with_an_older_one() -> None:
    pledge = Pledge(epoch=3)

    assert leases.released(pledge, 2) == pledge
    assert leases.released(pledge, 3).epoch == 0
    assert refused(leases.promises(pledge, 2, BALANCED, 0.0)) == "other_epoch"


# The arithmetic.


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_are_sound(name: str) -> None:
    assert leases.weakness(PRESETS[name]) == ""


def test_t_safe_is_what_the_formula_gives() -> None:
    assert BALANCED.safe_s == pytest.approx((15 + 5 + 10) * 1.0005 + 5)
    assert FAST.safe_s == CAREFUL.safe_s == BALANCED.safe_s


def test_a_margin_too_small_for_two_wrong_clocks_is_seen() -> None:
    assert leases.weakness(replace(BALANCED, lease_margin_s=0.0))
    assert leases.weakness(replace(BALANCED, clock_drift=0.2))
    assert leases.weakness(replace(BALANCED, host_lease_s=0.0))


# Soundness: the real host side against the real controller side, each with its own clock.


@dataclass(frozen=True)
class Clock:
    """A clock that starts anywhere and runs wrong by `rate`. Real time is the test's own."""

    origin: float
    rate: float

    def at(self, real: float) -> float:
        return self.origin + real * self.rate

    def real(self, shown: float) -> float:
        return (shown - self.origin) / self.rate


@dataclass(frozen=True)
class Renewal:
    """One renewal: how long after the one before it was sent, and how long each way took."""

    gap_s: float
    there_s: float
    back_s: float | None  # None: the answer was lost


DRIFT = BALANCED.clock_drift
RENEWALS = st.lists(
    st.builds(
        Renewal,
        st.floats(0.0, 20.0),
        st.floats(0.0, 20.0),
        st.none() | st.floats(0.0, 20.0),
    ),
    min_size=1,
    max_size=8,
)


def clocks(rho: float) -> st.SearchStrategy[Clock]:
    return st.builds(Clock, st.floats(0, 1e6), st.floats(1 - rho, 1 + rho))


def host_dies_at(clock: Clock, renewals: list[Renewal], policy: Policy) -> float:
    """Return the real time by which the host is reset, feeding at the last possible instants."""
    lease, sent = HostLease(policy.host_lease_s), 0.0
    answers: list[tuple[float, float]] = []
    for renewal in renewals:
        sent += renewal.gap_s
        if renewal.back_s is not None:
            answers.append((sent + renewal.there_s + renewal.back_s, sent))
    for arrives, was_sent in sorted(answers):
        # The origin is so great that rounding could show an answer before its question.
        now = max(clock.at(arrives), clock.at(was_sent))
        answer = leases.granted(lease, 1, clock.at(was_sent), now)
        lease = answer if isinstance(answer, HostLease) else lease
    ends = leases.reset_by(lease, policy)
    return 0.0 if ends is None else clock.real(ends)


def proved_at(clock: Clock, renewals: list[Renewal]) -> float:
    """Return the real time before which the core itself refuses `lease_expired`."""
    cloud = SmallCloud(site=small_site(has_watchdog=True)).started()
    start, sent = cloud.now, 0.0
    received: list[float] = []
    for renewal in renewals:
        sent += renewal.gap_s
        received.append(sent + renewal.there_s)
    for real in sorted(received):
        cloud.now = start + real * clock.rate
        cloud.tell(on.Renewed(C1, cloud.boots[C1], watchdog_armed=True))
    for witness in cloud.site.hosts[C1].witnesses:
        silent = tuple(on.Change(C1, plane, Sign.SILENT) for plane in Plane)
        cloud.tell(on.Sighted(witness, silent))
    for witness in cloud.site.hosts[C1].witnesses:
        cloud.tell(on.Promised(witness, C1, cloud.host("c1").epoch))
    due = cloud.now + BALANCED.safe_s
    early = Draft(cloud.cluster, due - 1e-6)
    assert isinstance(lease_expired(early, C1), Refusal)
    assert isinstance(lease_expired(Draft(cloud.cluster, due + 1e-6), C1), Proof)
    return (due - start) / clock.rate


@given(clocks(DRIFT), clocks(DRIFT), RENEWALS)
def test_the_host_is_dead_before_its_lease_can_be_called_expired(
    host: Clock, controller: Clock, renewals: list[Renewal]
) -> None:
    dead = host_dies_at(host, renewals, BALANCED)

    assert dead < proved_at(controller, renewals)


@given(clocks(0.05), clocks(0.05), st.floats(0.0, 10.0), st.floats(0.0, 0.05))
def test_whatever_the_numbers_a_policy_without_weakness_is_sound(
    host: Clock, controller: Clock, margin_s: float, drift: float
) -> None:
    policy = replace(BALANCED, lease_margin_s=margin_s, clock_drift=drift)
    if leases.weakness(policy) or max(abs(host.rate - 1), abs(controller.rate - 1)) > drift:
        return
    lease = renewed(HostLease(policy.host_lease_s), 1, host.at(0.0), host.at(0.0))
    ends = leases.reset_by(lease, policy)

    assert ends is not None
    assert host.real(ends) <= controller.real(controller.at(0.0) + policy.safe_s) + 1e-6


def test_a_lease_that_is_still_heard_has_not_run_out() -> None:
    """Renewals are told at their beginning and their end: no news of a living host is no end."""
    cloud = SmallCloud(site=small_site(has_watchdog=True)).started()
    cloud.tell(on.Renewed(C1, cloud.boots[C1], watchdog_armed=True))
    for witness in cloud.site.hosts[C1].witnesses:
        cloud.tell(on.Promised(witness, C1, cloud.host("c1").epoch))

    late = lease_expired(Draft(cloud.cluster, cloud.now + BALANCED.safe_s + 1), C1)

    assert refused(late) == "still_heard"


def test_promises_end_with_the_epoch_that_an_adopted_store_leaves() -> None:
    cloud = SmallCloud(site=small_site(has_watchdog=True)).started()
    for witness in cloud.site.hosts[C1].witnesses:
        cloud.tell(on.Promised(witness, C1, cloud.host("c1").epoch))
    assert cloud.cluster.sights[C1].promises

    cloud.tell(on.StoreAdopted("ada", lost=20))

    assert not cloud.cluster.sights[C1].promises


def test_a_take_over_counts_as_a_receipt() -> None:
    cloud = SmallCloud(site=small_site(has_watchdog=True)).started()
    cloud.tell(on.Renewed(C1, cloud.boots[C1], watchdog_armed=True))
    cloud.run(100)
    cloud.successor()
    cloud.tell(on.Renewed(C1, cloud.boots[C1], watchdog_armed=True))
    for witness in cloud.site.hosts[C1].witnesses:
        cloud.tell(on.Promised(witness, C1, cloud.host("c1").epoch))

    early = lease_expired(Draft(cloud.cluster, cloud.now + BALANCED.safe_s - 1), C1)

    assert refused(early) == "too_early"
    assert cloud.cluster.views.leader == K1


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=3),
    st.floats(0, 100),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_words_and_promises_of_a_majority_never_let_a_host_outlive_its_proof(
    asked: list[float], promised_at: float, promising: list[bool]
) -> None:
    """The controller knows of no word: a host must be dead T_safe after the last promise."""
    pledges = dict.fromkeys(WITNESSES, Pledge())
    lease = renewed(HostLease(LEASE_S), 1, 0.0, 0.0)
    steps = sorted([(when, "ask") for when in asked] + [(promised_at, "promise")])
    promises: set[WitnessId] = set()
    for now, step in steps:
        if step == "ask":
            lease = ask_for_words(lease, pledges, now)
        else:
            promises = ask_for_promises(pledges, promising, now)

    ends = leases.reset_by(lease, BALANCED)

    assert ends is not None
    if 2 * len(promises) > len(WITNESSES):
        assert ends <= max(promised_at, BALANCED.safe_s)


def ask_for_words(lease: HostLease, pledges: dict[WitnessId, Pledge], now: float) -> HostLease:
    words: set[WitnessId] = set()
    for witness, pledge in pledges.items():
        answer = leases.gives_word(pledge, now, hears_controller=False)
        if isinstance(answer, Pledge):
            pledges[witness] = answer
            words.add(witness)
    if not leases.holds(lease, now):
        return lease
    lived = leases.exempted(lease, frozenset(words), WITNESSES, now, now)
    return lived if isinstance(lived, HostLease) else lease


def ask_for_promises(
    pledges: dict[WitnessId, Pledge], willing: list[bool], now: float
) -> set[WitnessId]:
    given_by: set[WitnessId] = set()
    for (witness, pledge), is_willing in zip(pledges.items(), willing, strict=True):
        answer = leases.promises(pledge, 1, BALANCED, now) if is_willing else Refusal("away")
        if isinstance(answer, Pledge):
            pledges[witness] = answer
            given_by.add(witness)
    return given_by
