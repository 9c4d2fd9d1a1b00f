"""A wrong file is refused with its line, and a hint on what to write instead."""

from pathlib import Path

import pytest
from tests.cluster.clouds import GOOD, cluster

from ninelives.app.cluster.reading import read_cluster
from ninelives.engine.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        cluster(text)
    return str(caught.value)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_an_unknown_key_has_its_line_and_what_was_meant() -> None:
    text = GOOD.replace("    server: cmp2", "    sever: cmp2")

    said = refusal(text)

    assert f"my-cloud.yaml:{line_of(text, 'sever')}: unknown key 'remotes.cmp2.sever'" in said
    assert "hint: did you mean 'server'?" in said


def test_all_that_is_wrong_with_the_shape_is_told_together() -> None:
    text = GOOD.replace("mode: redfish", "mode: radish").replace(
        "stop_timeout_s: 300", "stop_timeout_s: soon"
    )

    said = refusal(text)

    assert f":{line_of(text, 'radish')}: " in said
    assert f":{line_of(text, 'soon')}: " in said


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("cmp3:\n", "cmp2:\n", "'cmp2' is given twice"),
        ("system: /redfish/v1/Systems/1, ", "", "whichever system comes last"),
        ("agent: fence_apc, ", "", "the mode agent to an `agent`"),
        ("address: 10.77.1.103, ", "", "needs an address"),
        ('plug: "7"', "name: redfish-cmp1", "the name redfish-cmp1 is taken by remotes.cmp1"),
        ("ctl2: {role", "ctl2: {id: 1, role", "ctl2 has the id of ctl1"),
        ("{role: controller,", "{attributes: {osprole: x},", "osprole is the node's role"),
        ("{role: controller,", "{attributes: {standby: x},", "standby is set and cleared while"),
        ("orders:", "orders: [", "not YAML"),
        ("members:", "members: &a [*a]\nx:", "an anchor stands within itself"),
        (GOOD, "", "nothing is written there"),
        (GOOD, "- a", "a table of keys belongs here"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, complaint: str) -> None:
    assert old in GOOD

    assert complaint in refusal(GOOD.replace(old, new, 1))


def test_a_word_stays_a_word() -> None:
    declared = cluster("members: {ctl1: {attributes: {rack: off, room: 0644, yes: no}}}")

    assert declared.members["ctl1"].attributes == {"rack": "off", "room": "0644", "yes": "no"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: No such file"):
        read_cluster(tmp_path / "no.yaml")
