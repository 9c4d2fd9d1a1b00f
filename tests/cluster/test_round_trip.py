"""The file and the cluster say the same: build, export and build again change nothing."""

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from tests.cluster.clouds import EMPTY, GOOD, cib_of, cluster, clusters

from ninelives.adapters.pacemaker.cib.changes import differences
from ninelives.adapters.pacemaker.cib.pieces import Key, Kind, pieces_of
from ninelives.adapters.pacemaker.cib.tree import parsed
from ninelives.app.cluster.declared import pieces_from
from ninelives.app.cluster.exported import exported
from ninelives.app.cluster.model import Cluster
from ninelives.app.cluster.reading import cluster_of
from ninelives.app.cluster.writing import yaml_of
from ninelives.app.cluster.yaml_lines import text_of

WITHIN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FOREIGN = """
<primitive id="galera" class="ocf" provider="heartbeat" type="galera">
  <meta_attributes id="g-meta"><nvpair id="g-target" name="target-role" value="Stopped"/>
  </meta_attributes></primitive>
<clone id="vip-clone"><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></clone>
"""


def reread(text: str) -> Cluster:
    return cluster_of(text_of(text, Path("out.yaml")))


@WITHIN
@given(clusters())
def test_what_is_built_is_exported_as_it_was_declared(declared: Cluster) -> None:
    built = parsed(cib_of(pieces_from(declared)))

    found = exported(pieces_of(built))

    assert found.cluster == declared
    assert found.unmanaged == ()


@WITHIN
@given(clusters())
def test_the_text_of_an_export_says_the_same(declared: Cluster) -> None:
    found = exported(pieces_from(declared))

    assert reread(yaml_of(found.cluster)) == found.cluster


def test_a_cluster_as_people_write_it_is_said_the_same_after_a_round() -> None:
    declared = cluster()
    found = exported(pieces_from(declared))

    assert pieces_from(found.cluster) == pieces_from(declared)
    assert reread(yaml_of(*found)) == found.cluster
    assert yaml_of(reread(yaml_of(*found))) == yaml_of(found.cluster)


def test_what_the_file_cannot_say_is_listed_and_left_alone() -> None:
    declared = cluster()
    live = cib_of(pieces_from(declared)).replace("</resources>", f"{FOREIGN}</resources>")

    found = exported(pieces_of(parsed(live)))

    assert found.cluster == exported(pieces_from(declared)).cluster
    assert [str(key) for key in found.unmanaged] == [
        "resource galera",
        "resource vip-clone",
        "state galera target-role",
    ]
    assert "unmanaged:\n- resource galera\n" in yaml_of(*found)
    assert reread(yaml_of(*found)) == found.cluster
    assert cib_of(pieces_from(declared), live).count("<") == live.count("<")


def test_the_plan_after_an_export_is_empty_also_where_much_is_foreign() -> None:
    live = pieces_of(parsed(cib_of(pieces_from(cluster()))))
    odd = dict(live)
    del odd[Key(Kind.LEVEL, "cmp2", "1")]
    for key in [key for key in odd if key.kind is Kind.CONSTRAINT]:
        del odd[key]

    found = exported(odd)

    assert differences(odd, pieces_from(found.cluster), ()) == ()
    assert found.cluster.remotes["cmp1"].stonith
    assert [each.level for each in found.cluster.remotes["cmp2"].stonith] == [0]
    assert not found.cluster.services["compute"].gated


def test_a_secret_in_the_cluster_is_kept_there_and_never_shown() -> None:
    open_text = cib_of(pieces_from(cluster())).replace(
        'name="password_script" value="cat /etc/ninelives/secrets/cmp3"',
        'name="password" value="hunter2"',
    )

    found = exported(pieces_of(parsed(open_text)))

    assert found.cluster.remotes["cmp3"].stonith[0].kept == ("password",)
    assert "hunter2" not in yaml_of(*found)
    assert differences(pieces_of(parsed(open_text)), pieces_from(found.cluster), ()) == ()
    changed = replace(found.cluster.remotes["cmp3"].stonith[0], address="10.9.9.9")
    remote = replace(found.cluster.remotes["cmp3"], stonith=(changed,))
    remotes = {**found.cluster.remotes, "cmp3": remote}
    after = cib_of(pieces_from(replace(found.cluster, remotes=remotes)), open_text)
    assert 'value="hunter2"' in after
    assert 'value="10.9.9.9"' in after


def test_names_of_pacemaker_3_are_the_same_properties() -> None:
    live = cib_of(pieces_from(cluster()))
    newer = live.replace('name="stonith-action"', 'name="fencing-action"')

    assert pieces_of(parsed(newer)) == pieces_of(parsed(live))
    assert cib_of(pieces_from(cluster(GOOD)), newer).count("fencing-action") == newer.count(
        "fencing-action"
    )


def test_an_empty_cluster_is_built_from_nothing() -> None:
    assert pieces_of(parsed(cib_of(pieces_from(cluster())))) == pieces_from(cluster())
    assert pieces_of(parsed(EMPTY)) == {}
