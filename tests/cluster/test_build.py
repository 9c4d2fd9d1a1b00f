"""`ninelives cluster` on a CIB file, with the real cibadmin: idempotent, resumable, careful."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cluster.clouds import EMPTY, GOOD, cib_of, cluster
from tests.cluster.test_round_trip import FOREIGN

from ninelives.adapters.pacemaker.cib.changes import changed
from ninelives.adapters.pacemaker.cib.pieces import pieces_of
from ninelives.adapters.pacemaker.cib.tree import parsed, parsed_tree, written
from ninelives.app.cli import main
from ninelives.app.cluster.declared import pieces_from
from ninelives.app.cluster.planning import planned

if shutil.which("crm_verify", path="/usr/sbin:/usr/bin") is None:
    pytest.skip("no crm_verify: apt-get install pacemaker-cli-utils", allow_module_level=True)


class Site:
    """A file that declares, and a CIB file."""

    def __init__(self, folder: Path) -> None:
        self.file, self.cib = folder / "my-cloud.yaml", folder / "cib.xml"
        self.file.write_text(GOOD)
        self.cib.write_text(EMPTY)

    def run(self, word: str, *more: str) -> Result:
        named = [] if word == "export" else [str(self.file)]
        return CliRunner().invoke(main, ["cluster", word, *named, "--cib", str(self.cib), *more])

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new, 1))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_cluster_is_built_from_nothing_and_then_there_is_nothing_to_do(site: Site) -> None:
    first = site.run("build")
    again = site.run("build")

    assert first.exit_code == 0, first.output
    assert "1/6 settings of the cluster: 11 changes\n" in first.output
    assert pieces_of(parsed(site.cib.read_text())) == pieces_from(cluster())
    assert again.output == "nothing to change\n"
    assert site.run("plan").exit_code == 0


def test_a_build_that_was_cut_short_goes_on(site: Site) -> None:
    part = {key: piece for key, piece in pieces_from(cluster()).items() if "cmp3" not in str(key)}
    site.cib.write_text(cib_of(part))

    went_on = site.run("build")

    assert went_on.exit_code == 0, went_on.output
    assert pieces_of(parsed(site.cib.read_text())) == pieces_from(cluster())


def test_after_an_export_the_plan_is_empty_and_foreign_parts_stay(site: Site) -> None:
    site.run("build")
    site.cib.write_text(site.cib.read_text().replace("</resources>", f"{FOREIGN}</resources>"))
    before = site.cib.read_text()

    site.file.write_text(site.run("export").stdout)
    plan, build = site.run("plan"), site.run("build")

    assert "3 more in the cluster that the file cannot say: left alone" in plan.output
    assert plan.exit_code == 0
    assert build.exit_code == 0
    assert site.cib.read_text() == before


def test_a_change_is_shown_with_what_it_was_and_made_alone(site: Site) -> None:
    site.run("build")
    site.edit("address: 10.77.1.103", "address: 10.77.1.104")

    plan = site.run("plan")
    build = site.run("build")

    assert (
        "   ~ resource ipmi-cmp3\n       ipmi-cmp3 ip: 10.77.1.103 → 10.77.1.104\n" in plan.output
    )
    assert plan.exit_code == 1
    assert build.output == "1/1 power devices and levels: 1 change\n1 changes made\n"


def test_nothing_is_taken_away_unless_somebody_says_so(site: Site) -> None:
    site.run("build")
    text = site.file.read_text()
    site.file.write_text(text[: text.index("  cmp3:")] + text[text.index("services:") :])

    refused = site.run("build")
    removed = site.run("build", "--remove")

    assert refused.exit_code == 77
    assert "this would take away attribute cmp3 osprole" in refused.output
    assert removed.exit_code == 0, removed.output
    order = [line.split(" ", 1)[1] for line in removed.output.splitlines()[1:-1]]
    assert order == [
        "roles that go: 1 change",
        "compute hosts that go: 3 changes",
    ]
    assert "cmp3" not in "".join(str(key) for key in pieces_of(parsed(site.cib.read_text())))


def test_a_removal_that_was_cut_short_goes_on(site: Site) -> None:
    site.run("build")
    text = site.file.read_text()
    site.file.write_text(text[: text.index("  cmp3:")] + text[text.index("services:") :])
    wanted, live = pieces_from(cluster(site.file.read_text())), site.cib.read_text()
    plan = planned(pieces_of(parsed(live)), cluster(site.file.read_text()))

    for number in range(len(plan.steps)):
        done = [change for step in plan.steps[:number] for change in step.changes]
        site.cib.write_text(written(changed(parsed_tree(live), done)))
        assert site.run("build", "--remove").exit_code == 0
        assert pieces_of(parsed(site.cib.read_text())) == wanted


def test_rules_that_others_wrote_go_with_the_resource_that_goes(site: Site) -> None:
    site.run("build")
    rule = (
        '<rsc_location id="theirs" rsc="neutron-openvswitch-agent-clone" node="ctl1" score="-5"/>'
    )
    site.cib.write_text(site.cib.read_text().replace("</constraints>", f"{rule}</constraints>"))
    text = site.file.read_text()
    site.file.write_text(text[: text.index("  neutron-")] + text[text.index("orders:") :])

    refused, removed = site.run("build"), site.run("build", "--remove")

    assert refused.exit_code == 77
    assert removed.exit_code == 0, removed.output
    assert "1/1 services and their rules that go: 3 changes" in removed.output
    assert "theirs" not in site.cib.read_text()


def test_a_level_that_others_wrote_is_not_replaced_unasked(site: Site) -> None:
    site.run("build")
    theirs = site.cib.read_text().replace("apc-cmp2,fence-ninelives", "apc-cmp2,ipmi-cmp3")
    site.cib.write_text(theirs)

    refused, replaced = site.run("build"), site.run("build", "--remove")

    assert "level cmp2 1" in refused.output
    assert replaced.exit_code == 0
    assert pieces_of(parsed(site.cib.read_text())) == pieces_from(cluster())


def test_a_plan_names_also_what_only_becomes_sayable_by_it(site: Site) -> None:
    """A device in a level of others is nobody's, until that level is replaced."""
    site.run("build")
    old = (
        site.cib.read_text()
        .replace("ipmi-cmp3", "power-cmp3")
        .replace("power-cmp3,fence-ninelives", "power-cmp3,ipmi-ctl1")
    )
    site.cib.write_text(old)

    plan, built, again = site.run("plan"), site.run("build", "--remove"), site.run("plan")

    assert "- resource power-cmp3" in plan.output
    assert built.exit_code == 0, built.output
    assert "nothing to change" in again.output


def test_a_role_is_taken_away_and_given_to_another_kind_of_node(site: Site) -> None:
    site.run("build")
    site.edit("  cmp3:\n    role: compute\n", "  cmp3:\n    role: network\n")

    build = site.run("build")

    assert "1/1 roles: 1 change" in build.output
    site.edit("    role: network\n", "")
    assert site.run("build").exit_code == 77
    assert site.run("build", "--remove").exit_code == 0
    assert "role: network" not in site.run("export").stdout


def test_the_unsafe_is_refused_with_line_reason_and_remedy(site: Site) -> None:
    site.file.write_text(f"{GOOD}properties:\n  no-quorum-policy: ignore\n")
    line = GOOD.count("\n") + 2

    refused = site.run("build")

    assert refused.exit_code == 77
    assert (
        f"refused quorum_ignored: {site.file}:{line}: no-quorum-policy is ignore" in refused.output
    )
    assert "why: both halves of a split cluster" in refused.output
    assert "hint: no-quorum-policy: stop; nothing was changed" in refused.output
    assert site.cib.read_text() == EMPTY


def test_a_resource_that_the_file_says_only_in_part_is_not_overwritten(site: Site) -> None:
    site.run("build")
    odd = site.cib.read_text().replace(
        '<primitive id="cmp3"', '<primitive description="by hand" id="cmp3"'
    )
    site.cib.write_text(odd)

    refused = site.run("build")

    assert refused.exit_code == 77
    assert "resource cmp3" in refused.output
    assert site.cib.read_text() == odd


def test_no_cib_file_and_no_cluster_are_told_apart(site: Site) -> None:
    site.cib.unlink()

    assert "No such file" in site.run("plan").output
