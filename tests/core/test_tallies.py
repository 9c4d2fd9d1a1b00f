"""The shared numbers, kept by differences, are always what counting from scratch would give."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import K1, PLANES, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Sights
from ninelives.core.model import HostId, ServerId, Sign, WitnessId
from ninelives.core.tallies import Key, of_host, of_move, project_key, target_key, want_key

NAMES = ("c1", "c2", "c3", "c4", "c5")


def recount(cluster: Cluster) -> Counter[Key]:
    count: Counter[Key] = Counter()
    for host in cluster.hosts.values():
        sights = cluster.sights.get(host.id) or Sights(host.id)
        count.update(of_host(host, sights, cluster.site.hosts[host.id]))
    for move in cluster.moves.values():
        count.update(of_move(move))
    return count


def kept(cluster: Cluster) -> Counter[Key]:
    return Counter({key: number for key, number in cluster.counts.items() if number})


@dataclass(frozen=True)
class Happening:
    """One thing that is done to the small cloud, and how long it is left alone after it."""

    what: str
    host: str
    other: int
    pause_s: float


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.sampled_from(
            ["kill", "freeze", "isolate", "wake", "reboot", "sight", "maintain", "order", "lead"]
        ),
        st.sampled_from(NAMES),
        st.integers(0, 99),
        st.floats(0.0, 40.0),
    ),
    max_size=12,
)


def let(cloud: SmallCloud, happening: Happening) -> None:
    host, other = happening.host, happening.other
    match happening.what:
        case "kill":
            cloud.kill(host)
        case "freeze":
            cloud.freeze(host)
        case "isolate":
            cloud.isolate(host)
        case "wake":
            cloud.wake_up(host)
        case "reboot":
            cloud.wake_up(host, f"{host}-boot{other}")
        case "sight":
            sign = list(Sign)[other % 4]
            change = on.Change(HostId(host), PLANES[other % 3], sign, cloud.boots[HostId(host)])
            cloud.tell(on.Sighted(K1, (change,)))
        case "maintain":
            cloud.tell(on.MaintenanceSet("ada", HostId(host), other % 2 == 0))
        case "order":
            cloud.tell(on.FenceOrdered("ada", HostId(host), host))
        case _:
            cloud.successor()
    cloud.run(happening.pause_s)


@settings(max_examples=60)
@given(HAPPENINGS)
def test_after_any_story_the_counters_equal_a_recount(happenings: list[Happening]) -> None:
    cloud = CheckedCloud(site=small_site(" ".join(NAMES))).started()
    for number, host in enumerate(NAMES):
        cloud.add(f"web{number}", host, project=f"p{number % 2}")
        cloud.add(f"db{number}", host)

    for happening in happenings:
        let(cloud, happening)
        assert kept(cloud.cluster) == recount(cloud.cluster), happening


def test_a_host_that_needs_a_shot_is_counted_until_its_proof() -> None:
    cloud = CheckedCloud().started()
    unknown = on.Outcome.UNKNOWN
    cloud.answers[do.PowerOff] = lambda cloud, action: [on.Replied(action, unknown)]
    cloud.freeze("c1")
    everybody = want_key("all")

    cloud.until(lambda: cloud.is_in("c1", at.Fencing))
    wanted = cloud.cluster.counts[everybody]
    del cloud.answers[do.PowerOff]
    cloud.until(lambda: cloud.is_in("c1", at.Fenced, at.Evacuating), 120)

    assert wanted == 1
    assert cloud.cluster.counts[everybody] == 0


def test_a_move_is_counted_at_its_target_and_project_only_while_it_flies() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1", project="p")
    cloud.answers[do.Evacuate] = lambda cloud, action: ()
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)))

    state = cloud.cluster.moves[ServerId("web")].state
    assert isinstance(state, at.Sending)
    assert cloud.cluster.counts[target_key(state.target)] == 1
    assert cloud.cluster.counts[project_key("p")] == 1


def test_an_unknown_view_is_neither_seen_nor_silent() -> None:
    cloud = CheckedCloud().started()
    before = kept(cloud.cluster)
    seen = [key for key in before if key[0] == "seen" and key[1] == "k1"]

    change = on.Change(HostId("c1"), PLANES[0], Sign.UNKNOWN)
    cloud.tell(on.Sighted(WitnessId("k1"), (change,)))

    assert sum(before[key] for key in seen) - sum(kept(cloud.cluster)[key] for key in seen) == 1
    assert not [key for key in kept(cloud.cluster) if key[0] == "silent"]
