"""The boot gate: what opens it, what does not, and what it says of its boot."""

from dataclasses import replace

from ninelives.core import gate
from ninelives.core.gate import COLD_START_AFTER_S, Door, Gate, Inside, Release
from ninelives.core.model import BootId, Refusal

BOOT = BootId("boot2")
QUIET = Inside(guests=0, autostart=False, resume_guests=False)


def closed() -> Gate:
    return gate.booted(BOOT, "serial-c1", was_first=True)


def attested(epoch: int = 7) -> Gate:
    return gate.attests(closed(), epoch, QUIET)[0]


def refused(answer: Gate | Refusal) -> str:
    assert isinstance(answer, Refusal)
    return answer.reason


def opened(answer: Gate | Refusal) -> Gate:
    assert isinstance(answer, Gate)
    return answer


def led_in() -> Gate:
    half = opened(gate.released(attested(), Release(BOOT, 7, Door.COMPUTE)))
    return opened(gate.released(half, Release(BOOT, 7, Door.OPEN)))


def test_every_boot_begins_closed() -> None:
    assert closed().door is Door.CLOSED
    assert closed().attested is None


def test_a_release_for_this_boot_and_its_episode_opens_one_door_after_the_other() -> None:
    half = opened(gate.released(attested(), Release(BOOT, 7, Door.COMPUTE)))
    whole = opened(gate.released(half, Release(BOOT, 7, Door.OPEN)))

    assert (half.door, whole.door) == (Door.COMPUTE, Door.OPEN)


def test_a_release_heard_twice_changes_nothing_and_closes_nothing() -> None:
    assert gate.released(led_in(), Release(BOOT, 7, Door.OPEN)) == led_in()
    assert gate.released(led_in(), Release(BOOT, 7, Door.COMPUTE)) == led_in()


def test_a_release_for_another_boot_opens_nothing() -> None:
    release = Release(BootId("boot1"), 7, Door.COMPUTE)

    assert refused(gate.released(attested(), release)) == "other_boot"


def test_a_release_of_another_episode_opens_nothing() -> None:
    older = Release(BOOT, 6, Door.COMPUTE)
    newer = Release(BOOT, 8, Door.COMPUTE)

    assert refused(gate.released(attested(7), older)) == "other_epoch"
    assert refused(gate.released(attested(7), newer)) == "other_epoch"


def test_a_boot_that_nobody_asked_is_not_released() -> None:
    release = Release(BOOT, 7, Door.COMPUTE)

    assert refused(gate.released(closed(), release)) == "not_attested"


def test_guests_never_go_before_nova_compute() -> None:
    release = Release(BOOT, 7, Door.OPEN)

    assert refused(gate.released(attested(), release)) == "out_of_order"


def test_no_release_closes_a_gate() -> None:
    release = Release(BOOT, 7, Door.CLOSED)

    assert refused(gate.released(attested(), release)) == "no_such_door"


# What it attests.


def test_a_clean_boot_attests_itself_clean() -> None:
    _, said = gate.attests(closed(), 7, QUIET)

    assert said.is_clean
    assert (said.boot, said.epoch, said.serial) == (BOOT, 7, "serial-c1")


def test_a_gate_that_came_after_libvirt_does_not_say_closed() -> None:
    late = gate.booted(BOOT, "serial-c1", was_first=False)

    assert not gate.attests(late, 7, QUIET)[1].is_clean


def test_guests_that_ran_and_ended_are_never_forgotten() -> None:
    haunted = gate.saw_guests(gate.saw_guests(closed(), 2), 0)

    _, said = gate.attests(haunted, 7, QUIET)

    assert said.guests == 2
    assert not said.is_clean


def test_whatever_would_start_guests_by_itself_is_said() -> None:
    for inside in (replace(QUIET, autostart=True), replace(QUIET, resume_guests=True)):
        assert not gate.attests(closed(), 7, inside)[1].is_clean


def test_an_open_gate_says_so() -> None:
    assert not gate.attests(led_in(), 8, QUIET)[1].is_clean


def test_nova_compute_alone_leaves_the_gate_closed_for_guests() -> None:
    half = opened(gate.released(attested(), Release(BOOT, 7, Door.COMPUTE)))

    assert gate.attests(half, 7, QUIET)[1].gate_closed


def test_an_old_nonce_answered_late_does_not_set_the_episode_back() -> None:
    after, _ = gate.attests(attested(7), 3, QUIET)

    assert after.attested == 7


# The cold start of a site.


def test_a_person_opens_it_after_ten_minutes_without_any_controller() -> None:
    answer = gate.opened_by_hand(closed(), "ada", "site came back dark", COLD_START_AFTER_S)

    assert opened(answer).door is Door.OPEN
    assert opened(answer).opened_by == "ada"
    assert opened(answer).reason == "site came back dark"


def test_it_stays_closed_a_moment_before() -> None:
    early = COLD_START_AFTER_S - 0.001

    assert refused(gate.opened_by_hand(closed(), "ada", "dark", early)) == "too_early"


def test_a_controller_that_was_heard_starts_the_ten_minutes_again() -> None:
    heard = gate.heard(closed(), 500.0)

    early = gate.opened_by_hand(heard, "ada", "dark", 500.0 + COLD_START_AFTER_S - 1)
    late = gate.opened_by_hand(heard, "ada", "dark", 500.0 + COLD_START_AFTER_S)

    assert refused(early) == "too_early"
    assert opened(late).door is Door.OPEN


def test_nobody_opens_it_without_name_and_reason() -> None:
    for by, reason in (("", "dark"), (" ", "dark"), ("ada", ""), ("ada", "  ")):
        assert refused(gate.opened_by_hand(closed(), by, reason, 1e6)) == "unnamed"


def test_a_boot_on_whose_word_servers_may_run_elsewhere_is_never_opened_by_hand() -> None:
    assert refused(gate.opened_by_hand(attested(), "ada", "dark", 1e6)) == "attested"


def test_who_opened_it_by_hand_is_said_and_no_leader_is() -> None:
    by_hand = opened(gate.opened_by_hand(closed(), "ada", "dark", COLD_START_AFTER_S))

    assert gate.attests(by_hand, 7, QUIET)[1].opened_by == "ada"
    assert not gate.attests(led_in(), 8, QUIET)[1].opened_by
    assert not gate.attests(closed(), 7, QUIET)[1].opened_by
