"""Users act, hosts move servers by themselves, and a fork goes its own way."""

import pytest
from tests.nova.five_hosts import USER, cloud_with, statuses

from ninelives.sim.nova import (
    AbortLiveMigration,
    Action,
    ActOn,
    Answer,
    ComputeStarted,
    ComputeStopped,
    ConfirmResize,
    DomainGone,
    Effect,
    Evacuate,
    Fault,
    ListActions,
    ListMigrations,
    ListServers,
    LiveMigrate,
    Lock,
    Migrated,
    MigrateDomain,
    ResetState,
    Resize,
    Server,
    UpdateService,
    Verb,
    VmState,
)


@pytest.mark.parametrize(
    ("verbs", "status", "runs"),
    [
        ((Verb.STOP,), "SHUTOFF", False),
        ((Verb.STOP, Verb.START), "ACTIVE", True),
        ((Verb.REBOOT,), "ACTIVE", True),
        ((Verb.PAUSE,), "PAUSED", True),
        ((Verb.PAUSE, Verb.UNPAUSE), "ACTIVE", True),
        ((Verb.SUSPEND,), "SUSPENDED", False),
        ((Verb.SUSPEND, Verb.RESUME), "ACTIVE", True),
        ((Verb.RESCUE,), "RESCUE", True),
        ((Verb.SHELVE,), "SHELVED_OFFLOADED", False),
    ],
)
def test_an_action_ends_in_its_state(verbs: tuple[Verb, ...], status: str, runs: bool) -> None:
    cloud = cloud_with()
    for verb in verbs:
        assert isinstance(cloud.request(ActOn("s", verb, USER)), Answer)
        cloud.run(15)

    assert cloud.nova.servers["s"].status == status
    assert bool(cloud.hosts_of("s")) is runs


def test_a_hard_reboot_heals_an_error() -> None:
    cloud = cloud_with(Server("s", "c1", vm_state=VmState.ERROR))
    cloud.request(ActOn("s", Verb.HARD_REBOOT))
    cloud.run(5)

    assert cloud.nova.servers["s"].status == "ACTIVE"


def test_a_lock_stops_its_user_and_not_an_admin() -> None:
    cloud = cloud_with()
    cloud.request(Lock("s"))

    assert isinstance(cloud.request(ActOn("s", Verb.STOP, USER)), Fault)
    assert isinstance(cloud.request(ActOn("s", Verb.STOP)), Answer)


def test_the_actions_of_a_server_tell_who_asked_for_what() -> None:
    cloud = cloud_with()
    cloud.request(ActOn("s", Verb.STOP, USER))
    reply = cloud.request(ListActions("s"))

    assert isinstance(reply, Answer)
    assert isinstance(reply.body, tuple)
    (action,) = reply.body
    assert isinstance(action, Action)
    assert (action.name, action.user, action.at) == ("stop", "carol", 1.0)


def test_a_guest_that_ends_by_itself_is_seen_as_stopped() -> None:
    cloud = cloud_with()
    cloud.running.discard(("c1", "s"))
    cloud.tell(DomainGone("c1", "s"))

    assert cloud.nova.servers["s"].status == "SHUTOFF"


def test_a_reset_makes_a_paused_server_evacuable() -> None:
    cloud = cloud_with(Server("s", "c1", vm_state=VmState.PAUSED))
    cloud.power_off("c1")
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.request(ResetState("s"))

    assert isinstance(cloud.request(Evacuate("s")), Answer)


def test_changes_since_lists_the_changed_only() -> None:
    cloud = cloud_with(Server("s", "c1"), Server("t", "c1"))
    cloud.request(Lock("t"))
    reply = cloud.request(ListServers(changes_since=1.0))

    assert isinstance(reply, Answer)
    assert reply.body == (cloud.nova.servers["t"],)


def test_a_live_migration_moves_the_server_and_completes_its_record() -> None:
    cloud = cloud_with()
    cloud.request(LiveMigrate("s", "c3"))
    cloud.run(10)

    assert statuses(cloud) == ["completed"]
    assert cloud.nova.servers["s"].host == "c3"
    assert cloud.hosts_of("s") == {"c3"}
    assert dict(cloud.nova.allocations) == {"s": ("c3",)}


def test_after_the_switch_over_nova_says_the_source_for_a_while() -> None:
    cloud = cloud_with()
    cloud.request(LiveMigrate("s", "c3"))
    cloud.run(3)
    assert cloud.hosts_of("s") == {"c3"}
    assert (cloud.nova.servers["s"].host, cloud.nova.servers["s"].status) == ("c1", "MIGRATING")

    cloud.tell(ComputeStopped("c1"))
    cloud.request(UpdateService("c1", forced_down=True))
    assert isinstance(cloud.request(Evacuate("s", "c4", (2, 94))), Answer)
    cloud.run(10)

    assert cloud.hosts_of("s") == {"c3", "c4"}


def test_an_aborted_live_migration_stays_on_its_source() -> None:
    cloud = cloud_with()
    nova, now = cloud.nova, cloud.now
    nova.request(LiveMigrate("s", "c3"), now)
    effects: tuple[Effect, ...] = ()
    while not effects:
        now += 0.5
        effects = nova.advance(now)
    (effect,) = effects
    assert isinstance(effect, MigrateDomain)
    (record,) = nova.migrations
    assert isinstance(nova.request(AbortLiveMigration("s", record), now), Answer)
    nova.told(Migrated(effect.work, "aborted", is_aborted=True), now)
    nova.advance(now + 1)

    assert statuses(cloud) == ["cancelled"]
    assert nova.servers["s"].host == "c1"
    assert dict(nova.allocations) == {"s": ("c1",)}


def test_a_live_migration_to_a_dead_host_ends_before_it_begins() -> None:
    cloud = cloud_with()
    cloud.tell(ComputeStopped("c3"))  # within its minute: the scheduler still believes in it
    cloud.request(LiveMigrate("s", "c3"))
    cloud.run(10)

    assert statuses(cloud) == ["error"]
    assert (cloud.nova.servers["s"].status, cloud.nova.servers["s"].host) == ("ACTIVE", "c1")


def test_a_source_that_restarts_gives_up_its_live_migration() -> None:
    cloud = cloud_with()
    cloud.request(LiveMigrate("s", "c3"))
    cloud.run(3)
    cloud.tell(ComputeStarted("c1"))
    cloud.run(10)

    assert statuses(cloud) == ["error"]
    assert cloud.nova.servers["s"].task_state is None


def test_a_resize_waits_on_its_new_host_to_be_confirmed() -> None:
    cloud = cloud_with()
    cloud.request(Resize("s", "c3"))
    cloud.run(15)
    assert (cloud.nova.servers["s"].status, cloud.nova.servers["s"].host) == ("VERIFY_RESIZE", "c3")
    assert statuses(cloud) == ["finished"]

    cloud.request(ConfirmResize("s"))
    cloud.run(1)
    assert cloud.nova.servers["s"].status == "ACTIVE"
    assert statuses(cloud) == ["confirmed"]
    assert dict(cloud.nova.allocations) == {"s": ("c3",)}


def test_migrations_are_filtered_by_server_host_and_status() -> None:
    cloud = cloud_with(Server("s", "c1"), Server("t", "c2"))
    cloud.request(LiveMigrate("s", "c3"))
    cloud.request(LiveMigrate("t", "c4"))
    cloud.run(10)

    def found(asked: ListMigrations) -> int:
        reply = cloud.request(asked)
        assert isinstance(reply, Answer)
        assert isinstance(reply.body, tuple)
        return len(reply.body)

    assert found(ListMigrations()) == 2
    assert found(ListMigrations(server="s")) == 1
    assert found(ListMigrations(host="c4")) == 1
    assert found(ListMigrations(host="c5")) == 0


def test_a_fork_goes_its_own_way() -> None:
    cloud = cloud_with(Server("s", "c1"), Server("t", "c2"))
    nova = cloud.nova
    nova.told(ComputeStopped("c1"), 1.0)
    nova.request(UpdateService("c1", forced_down=True), 1.0)
    nova.request(Evacuate("s"), 1.0)
    nova.advance(1.5)
    nova.request(Resize("t"), 1.5)

    fork = nova.fork()
    while (due := fork.wake_at()) is not None and due < 100:
        fork.advance(due)
    fork.request(Lock("s"), 100.0)
    assert fork.allocations["t"] != nova.allocations["t"]
    fork.told(ComputeStopped("c5"), 100.0)
    assert nova.allocations["s"] == ("c1", "c3")
    assert nova.wake_at() is not None

    assert fork.servers["s"].is_locked
    assert not nova.servers["s"].is_locked
    assert statuses(cloud) == ["accepted", "accepted"]
    assert nova.is_up("c5", 170.0)
    assert not fork.is_up("c5", 170.0)


def test_the_same_calls_give_the_same_history() -> None:
    def history() -> list[Effect]:
        cloud = cloud_with(*(Server(f"s{number}", "c1") for number in range(10)))
        cloud.power_off("c1")
        cloud.request(UpdateService("c1", forced_down=True))
        for number in range(10):
            cloud.request(Evacuate(f"s{number}"))
        cloud.run(60)
        return cloud.effects

    assert history() == history()
    assert len(history()) == 30
