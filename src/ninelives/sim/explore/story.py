"""A found path as a story: walked once more, each step with its instant and what the leader said.

    both servers on h1
      at   0.0  h1 freezes
      at   6.0  the witnesses tell how h1 looks
                  h1 host.moved dead_or_frozen
    I2: s1 sent to h2 while it can write on h1

Instants are those of the leader's clock after the step. A step is one choice of the world; what a
scenario file would write as `at 6` or `when` stands in the same order here.
"""

from collections.abc import Iterator

from .choices import State
from .key import Keys
from .leader import Minds, Rules, Scene, begins, empty
from .search import Found
from .steps import take
from .truth import beginnings


def story(found: Found, rules: Rules | None = None) -> str:
    """Tell a found path line by line. The rules are those by which it was found."""
    return "\n".join(_lines(found, Minds(rules or Rules(), Keys())))


def _lines(found: Found, minds: Minds) -> Iterator[str]:
    yield found.beginning
    scene = Scene(empty(), dict(beginnings())[found.beginning], 0.0, minds)
    begins(scene)
    for step in found.path:
        taken = take(State(scene.cluster, scene.truth, scene.now), step, minds)
        assert taken is not None, f"{step}: the path was found by other rules"
        scene = taken
        yield f"  at {scene.now:5.1f}  {step}"
        yield from (f"              {said}" for said in scene.said)
    yield from (f"{broken.law}: {broken.about} {broken.what}" for broken in scene.broken)
