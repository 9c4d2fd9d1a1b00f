"""Controllers of two versions in a simulated world: who cannot read the store leads nobody."""

from tests.sim.small_world import Story

from ninelives.core.cluster import Control
from ninelives.core.model import WitnessId
from ninelives.engine.journal import in_order
from ninelives.sim import versions
from ninelives.sim.happenings import TermTaken

TURNS = (
    (5, "controller n2 kill"),
    (5, "controller n3 kill"),
    (6, "controller n1 previous-version"),
    (30, "controller n2 start"),
)


def leaders(story: Story) -> set[str]:
    return {what.controller for at, what in story.all(TermTaken) if at > 6}


def test_records_are_read_by_the_version_that_changed_them_last() -> None:
    records = in_order(Control(), (), (), ())

    assert versions.reads(records, versions.PREVIOUS)
    assert not versions.reads(records, 1)


def test_the_version_before_leads_where_nothing_that_it_reads_has_changed() -> None:
    assert leaders(Story().run(60, *TURNS)) == {"n1"}


def test_a_version_that_cannot_read_the_store_leaves_it_to_one_that_can() -> None:
    story = Story()
    story.world.controllers[WitnessId("n1")].version = 1

    story.run(90, (0, "controller n3 kill"), (0, "controller n2 kill"), (40, "controller n2 start"))

    assert {what.controller for _, what in story.all(TermTaken)} == {"n2"}
