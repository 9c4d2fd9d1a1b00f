"""`ninelives sim compare` as a person or a machine reads it, and the picture that it draws."""

import json
from math import inf
from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner

from ninelives.app.cli import main
from ninelives.app.compare_picture import HEIGHT, WIDTH, drawn, label_y, whole
from ninelives.app.compare_table import MEDIAN, SHOTS, row_of
from ninelives.sim.compare import POLICIES, Comparison, Score

QUICK = Score(downtimes=(10.0, 20.0))
SLOW = Score(false_fences=3, lost=1, forgotten=1, downtimes=(200.0, inf))


def compared() -> Comparison:
    scores = {
        ("ninelives balanced", "hosts"): QUICK,
        ("Masakari", "hosts"): SLOW,
        ("instanceha", "network"): SLOW,
    }
    return Comparison(1, 9, scores)


def test_two_hours_are_one_world_for_every_policy(tmp_path: Path) -> None:
    picture = tmp_path / "compare.svg"

    result = CliRunner().invoke(
        main, ["sim", "compare", "--hours", "2", "--json", "--svg", str(picture)]
    )

    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["worlds"] == 1
    assert set(found["policies"]) == set(POLICIES)
    assert ElementTree.fromstring(picture.read_text()).tag.endswith("svg")


def test_the_best_is_bold_whoever_has_it() -> None:
    shots, medians = row_of(SHOTS, [QUICK, SLOW]), row_of(MEDIAN, [SLOW, QUICK])

    assert [str(cell.style) for cell in shots] == ["bold", ""]
    assert [(cell.plain, str(cell.style)) for cell in medians] == [("200 s", ""), ("10 s", "bold")]


def test_where_nobody_died_there_is_no_time() -> None:
    assert [cell.plain for cell in row_of(MEDIAN, [Score(), QUICK])] == ["–", "10 s"]


def test_the_picture_stays_inside_its_frame_and_says_every_number() -> None:
    root = ElementTree.fromstring(drawn(compared()))

    texts = [each for each in root.iter() if each.tag.endswith("text")]
    places = [(float(each.attrib["x"]), float(each.attrib["y"])) for each in texts]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert {"ninelives 100%", "Masakari 50%", "3"} <= {each.text for each in texts}


def test_names_of_lines_never_lie_on_each_other() -> None:
    ends = {"a": 100.0, "b": 101.0, "c": 102.0}

    places = [label_y(name, ends) for name in ends]

    assert places == [100.0, 116.0, 132.0]


def test_one_that_is_missing_is_not_rounded_away() -> None:
    assert [whole(share) for share in (1.0, 0.999, 0.29, 0.0)] == ["100%", "99%", "29%", "0%"]
