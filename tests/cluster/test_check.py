"""`ninelives cluster check`: twenty steps looked at, and hosts that die in the real scheduler."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster.clouds import EMPTY, GOOD, cib_of, cluster

from ninelives.adapters.pacemaker.cib.tools import Target
from ninelives.app.cluster.checked_verdicts import Verdict
from ninelives.app.cluster.checking import Row, checked
from ninelives.app.cluster.declared import pieces_from

if shutil.which("crm_simulate", path="/usr/sbin:/usr/bin") is None:
    pytest.skip("no crm_simulate: apt-get install pacemaker-cli-utils", allow_module_level=True)

Check = Callable[[str, str], dict[str, Row]]
ONE, ALL = "the death of one compute host", "the death of all compute hosts"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def run(text: str, cib: str) -> dict[str, Row]:
        file = tmp_path / "cib.xml"
        file.write_text(cib)
        return {row.step: row for row in asyncio.run(checked(Target(file), cluster(text)))}

    return run


def wrong(rows: dict[str, Row]) -> set[str]:
    no_agent = "the fence agents are installed here"  # ours is, where the package is
    return {step for step, row in rows.items() if row.verdict is Verdict.WRONG} - {no_agent}


def test_a_built_cluster_survives_the_loss_of_one_and_of_all_compute_hosts(check: Check) -> None:
    rows = check(GOOD, cib_of(pieces_from(cluster())))

    assert len(rows) == 23
    assert wrong(rows) == set()
    assert rows[ONE].seen == "cmp1 fenced, no healthy host, ninelives-controller runs on"
    assert rows[ALL].seen == "3 fenced, no healthy host, ninelives-controller runs on"


def test_what_cannot_be_seen_is_never_called_good(check: Check) -> None:
    rows = check(GOOD, cib_of(pieces_from(cluster())))

    unknown = [step for step, row in rows.items() if row.verdict is Verdict.UNKNOWN]
    assert "no failure is left over" in unknown
    assert "pacemaker_remote runs on every compute host" in unknown


def test_a_mandatory_order_is_seen_to_keep_the_controller_down(check: Check) -> None:
    text = GOOD.replace(
        "controller-clone}", "controller-clone, kind: Mandatory, symmetrical: true}"
    )

    rows = check(text, cib_of(pieces_from(cluster(text))))

    assert rows[ONE].verdict is Verdict.WRONG
    assert rows[ALL].seen == "ninelives-controller runs nowhere"  # no host runs both of them
    assert "the controller runs, whatever the compute hosts do" in wrong(rows)


def test_fencing_that_is_off_is_seen_in_the_loss(check: Check) -> None:
    text = f"{GOOD}properties: {{stonith-enabled: false}}\n"

    rows = check(text, cib_of(pieces_from(cluster(text))))

    assert rows[ONE].verdict is Verdict.WRONG
    assert "cmp1 is not fenced" in rows[ONE].seen


def test_an_empty_cluster_has_everything_to_do(check: Check) -> None:
    rows = check(GOOD, EMPTY)

    assert rows["every controller is a member"].verdict is Verdict.WRONG
    assert rows["the cluster is what the file says"].verdict is Verdict.WRONG
    assert rows[ONE].verdict is Verdict.UNKNOWN
