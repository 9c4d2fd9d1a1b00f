"""The picture of a comparison, as SVG: who runs again after how long, and what it cost.

Three colours that colour-blind people can tell apart (Okabe and Ito), each line named at its end,
and every number written out: nothing is said by colour alone. It has no background, and follows the
reader's light or dark scheme.
"""

from collections.abc import Iterator
from math import floor, inf, log10
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from ninelives.sim.compare import Comparison, Score

WIDTH, HEIGHT = 900, 420
SHOWN = ("ninelives balanced", "Masakari", "instanceha")
LEFT, RIGHT, TOP, BOTTOM = 52.0, 410.0, 76.0, 352.0  # the chart of times
FROM_S, TO_S = 5.0, 3600.0
TICKS = ((10.0, "10 s"), (30.0, "30 s"), (60.0, "1 min"), (300.0, "5 min"), (1800.0, "30 min"))
BARS_LEFT, BARS_RIGHT = 694.0, 856.0

INKS = ("#0072b2", "#c04e00", "#8f4a7b")
INKS_IN_THE_DARK = ("#56b4e9", "#f0873a", "#d897c0")
DASHES = ("", "7 4", "2 3")


def style() -> str:
    """Write no variables: not every program that shows SVG knows them."""
    return f"""
  text {{ font: 13px system-ui, sans-serif; fill: #24292f; }}
  .title {{ font-size: 15px; font-weight: 600; }}
  .quiet {{ fill: #57606a; font-size: 12px; }}
  .grid {{ stroke: #8c959f; stroke-opacity: .3; }}
  .line {{ fill: none; stroke-width: 2.5; stroke-linejoin: round; }}
  .name {{ font-weight: 600; }}
  {inked(INKS)}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #e6edf3; }} .quiet {{ fill: #9da7b3; }}
    {inked(INKS_IN_THE_DARK)}
  }}
"""


def inked(inks: tuple[str, ...]) -> str:
    return " ".join(
        f".line{number} {{ stroke: {ink}; stroke-dasharray: {DASHES[number] or 'none'}; }} "
        f".ink{number} {{ fill: {ink}; }}"
        for number, ink in enumerate(inks)
    )


def drawn(found: "Comparison") -> str:
    """Draw it. The same comparison gives the same text."""
    scores = {policy: found.total(policy) for policy in SHOWN if policy in found.policies}
    said = (
        f"{found.hours:g} simulated hours for each policy, seed {found.seed}: "
        "the same hosts, faults and operators for all"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(described(scores))}</title>",
        f"<style>{style()}</style>",
        text(16, 28, "Servers that run again after their host died", "title"),
        text(16, 48, said, "quiet"),
        *axes(),
        *curves(scores),
        text(576, 28, "What must never happen, and did", "title"),
        text(576, 48, "how often, in the same worlds", "quiet"),
        *costs(scores),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def described(scores: "dict[str, Score]") -> str:
    """Say in words what the picture shows, for those who do not see it."""
    return "; ".join(
        f"{policy}: median downtime {seconds(score.percentile(0.5))}, "
        f"{score.false_fences} healthy hosts shot, {score.lost} servers lost"
        for policy, score in scores.items()
    )


def axes() -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = y_of(share)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        yield text(LEFT - 8, y + 4, f"{share:.0%}", "quiet", "end")
    for at_s, words in TICKS:
        x = x_of(at_s)
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{BOTTOM}"/>'
        yield text(x, BOTTOM + 18, words, "quiet", "middle")
    yield text((LEFT + RIGHT) / 2, BOTTOM + 38, "since the host died", "quiet", "middle")


def curves(scores: "dict[str, Score]") -> Iterator[str]:
    """Draw one staircase a policy, and its name beside its end."""
    ends = {policy: y_of(within(score, TO_S)) for policy, score in scores.items()}
    for number, (policy, score) in enumerate(scores.items()):
        yield f'<path class="line line{number}" d="{staircase(score)}"/>'
        y = label_y(policy, ends)
        words = f"{policy.split()[0]} {whole(within(score, TO_S))}"
        yield text(RIGHT + 6, y + 4, words, f"name ink{number}")


def label_y(policy: str, ends: dict[str, float]) -> float:
    """Keep the names from lying on each other: 16 apart, in the order of their lines."""
    y = -inf
    for name in sorted(ends, key=lambda each: ends[each]):
        y = max(ends[name], y + 16.0)
        if name == policy:
            break
    return y


def staircase(score: "Score") -> str:
    count = max(1, score.deaths)
    path = [f"M{LEFT} {y_of(0.0):.1f}"]
    for number, downtime in enumerate(score.downtimes, start=1):
        if downtime > TO_S:
            break
        path.append(f"H{x_of(downtime):.1f}V{y_of(number / count):.1f}")
    return "".join((*path, f"H{RIGHT}"))


def within(score: "Score", limit_s: float) -> float:
    return sum(each <= limit_s for each in score.downtimes) / max(1, score.deaths)


def whole(share: float) -> str:
    """Round down: 100 % is said where nobody is missing."""
    return f"{floor(share * 100.0 + 1e-9)}%"


def costs(scores: "dict[str, Score]") -> Iterator[str]:
    """Draw a group of bars for each thing that should never be, all on one scale."""
    groups = (
        ("healthy hosts shot", [score.false_fences for score in scores.values()]),
        ("servers lost", [score.lost for score in scores.values()]),
        ("lost, nobody told", [score.forgotten for score in scores.values()]),
        ("disks wiped", [score.wiped for score in scores.values()]),
        ("written twice", [score.zombies for score in scores.values()]),
    )
    most = max((value for _, values in groups for value in values), default=0) or 1
    for place, (name, values) in enumerate(groups):
        top = 76.0 + place * 58.0
        yield text(BARS_LEFT - 10, top + 23, name, "", "end")
        for number, value in enumerate(values):
            y = top + number * 14.0
            width = (BARS_RIGHT - BARS_LEFT) * value / most
            yield (
                f'<rect class="ink{number}" x="{BARS_LEFT}" y="{y:.1f}" '
                f'width="{max(width, 1.5):.1f}" height="11" rx="2"/>'
            )
            yield text(BARS_LEFT + max(width, 1.5) + 6, y + 10, f"{value:.0f}", "quiet")
    yield from legend(scores)


def legend(scores: "dict[str, Score]") -> Iterator[str]:
    x = 576.0
    for number, policy in enumerate(scores):
        name = policy.split()[0]
        yield f'<rect class="ink{number}" x="{x}" y="386" width="12" height="11" rx="2"/>'
        yield text(x + 17, 396, name, f"ink{number}")
        x += 40.0 + 7.6 * len(name)


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} class="{kind}">{escape(words)}</text>'


def x_of(at_s: float) -> float:
    share = log10(max(at_s, FROM_S) / FROM_S) / log10(TO_S / FROM_S)
    return LEFT + (RIGHT - LEFT) * min(1.0, share)


def y_of(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def seconds(value: float) -> str:
    return "without end" if value == inf else f"{value:.0f} s"
