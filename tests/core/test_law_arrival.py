"""A server that arrived is put into the state that its user wants, whatever answers are lost."""

from collections.abc import Iterable

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.lastcheck import objection
from ninelives.core.model import VmState


def evacuated(cloud: SmallCloud, *names: str) -> SmallCloud:
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 3600)
    return cloud


def test_a_server_whose_user_last_attached_a_volume_is_started_again() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1", user_action="attach_volume")

    evacuated(cloud)

    assert cloud.servers[web].vm_state is VmState.ACTIVE


def test_a_server_that_its_user_stopped_is_not_started() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1", user_action="stop", task_state="powering-off")
    cloud.answers[do.Evacuate] = arrive_without_task

    evacuated(cloud)

    assert cloud.servers[web].vm_state is VmState.STOPPED
    assert not cloud.all_of(do.StartServer)


def arrive_without_task(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.Evacuate)
    found = list(answer_well(cloud, action))
    cloud.change(action.server, task_state=None)
    return found


def test_a_server_in_error_that_shall_rest_is_stopped_after_it_arrived() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1", vm_state=VmState.ERROR, is_running=False, user_action="stop")

    evacuated(cloud)

    assert cloud.servers[web].vm_state is VmState.STOPPED
    assert cloud.all_of(do.StopServer)


def test_a_refused_start_is_tried_a_bounded_number_of_times_and_then_told() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.StartServer] = lambda cloud, action: [
        on.Replied(action, on.Outcome.REFUSED, "conflict")
    ]

    evacuated(cloud)

    starts = cloud.all_of(do.StartServer)
    assert len(set(starts)) == len(starts) == 1 + cloud.policy.attempts_max
    assert isinstance(cloud.move("web").state, at.Failed)
    assert cloud.was_told("server_failed:web")


def test_a_start_that_nova_took_and_forgot_is_tried_again_after_the_settle_time() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    cloud.answers[do.StartServer] = forgotten_once

    evacuated(cloud)

    assert cloud.servers[web].vm_state is VmState.ACTIVE
    assert cloud.now > cloud.policy.nova_settle_s


def forgotten_once(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    del cloud.answers[do.StartServer]
    return [on.Replied(action, on.Outcome.DONE)]


def test_disarmed_nothing_is_started_and_armed_again_it_is() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = disarm_and_arrive
    cloud.kill("c1")
    cloud.run(100)

    assert not cloud.all_of(do.StartServer)

    cloud.tell(on.Armed("ann", is_armed=True))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert cloud.servers[web].vm_state is VmState.ACTIVE


def disarm_and_arrive(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    return [on.Armed("ann", is_armed=False, cause="test"), *answer_well(cloud, action)]


def test_nothing_is_started_on_a_target_that_is_not_well_and_once_it_is_well_it_runs() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = arrives_at_a_doubtful_host
    cloud.kill("c1")
    cloud.run(100)
    target = cloud.servers[web].host
    assert target is not None
    assert cloud.is_in(target, at.Held)
    assert isinstance(cloud.move("web").state, at.Starting)

    assert not cloud.all_of(do.StartServer)

    cloud.tell(on.PacemakerLost(target, is_lost=False))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    assert cloud.servers[web].vm_state is VmState.ACTIVE


def arrives_at_a_doubtful_host(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.Evacuate)
    return [on.PacemakerLost(action.target, is_lost=True), *answer_well(cloud, action)]


def test_a_start_that_was_decided_does_not_leave_once_its_target_is_suspect() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.StartServer)), 100)
    (start,) = cloud.all_of(do.StartServer)
    assert isinstance(start, do.StartServer)

    cloud.tell(on.PacemakerLost(start.host, is_lost=True))

    seen = cloud.servers[start.server]
    assert objection(cloud.cluster, start, cloud.now, seen) == "target_not_healthy"
