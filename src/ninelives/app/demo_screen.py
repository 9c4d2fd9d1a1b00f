"""How the demo looks in a terminal: hosts as cards, moves as bars, the timeline rolling below.

    ninelives demo · 2/4 A freeze that wakes up                        0:01:12  ▰▰▱▱
    why this story is told, in two lines
    ╭─ c1 ──────────╮╭─ c2 ──────────╮╭─ c3 ──────────╮
    │ ↯ fencing     ││ ● healthy     ││ ● healthy     │
    │ ▯ web  ▯ db   ││ ▮ app         ││               │
    ╰───────────────╯╰───────────────╯╰───────────────╯
    web   ▰▰▰▱▱ rebuilds on c2
    ──────────────────────────────────────────────────── timeline
       5.0  fault   host c1 frozen 240
      11.1  c1      healthy → suspect               signals_lost

No meaning hangs on colour alone: every state has a symbol and a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ninelives.core.model import HostId
from ninelives.sim.timeline import FAULT, OURS, OUTSIDE, Line

from .picture import Look, Picture, host_look, move_words

CARD_WIDTH_MIN = 19
LOW_ROWS = 30  # a lower terminal gets less of the reason, and more of the timeline
STEPS = 5
RANK_STYLES = {FAULT: "bold red", OUTSIDE: "blue", OURS: "bold"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Which story is shown, of how many."""

    title: str
    why: str
    number: int
    total: int


def screen(
    console: Console, scene: Scene, picture: Picture, lines: Sequence[Line], clock_s: float
) -> RenderableType:
    """Draw one frame; it fills the console's height and no more."""
    plain = is_ascii(console)
    top = [heading(console, scene, clock_s), why(console, scene), cards(console, picture)]
    moves = move_rows(picture, plain)
    rows = 1 + why_rows(console, scene) + card_rows(console, picture) + len(moves) + 1
    room = max(3, console.height - rows - 1)
    tail = [line_text(line) for line in lines[-room:]]
    rule = Rule(Text("timeline", style="dim"), align="right", style="dim", characters=dash(plain))
    return Group(*top, *moves, rule, *tail)


def is_ascii(console: Console) -> bool:
    """Say whether the terminal cannot show more than ASCII: a serial console, for one."""
    return not console.encoding.lower().startswith("utf")


def dash(plain: bool) -> str:
    return "-" if plain else "─"


def heading(console: Console, scene: Scene, clock_s: float) -> RenderableType:
    """One line: which story, the world's clock, how far the demo has come."""
    plain = is_ascii(console)
    full, empty = ("#", "-") if plain else ("▰", "▱")
    table = Table.grid(expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    title = Text.assemble(
        ("ninelives demo ", "bold"),
        (f"{scene.number}/{scene.total}  ", "dim"),
        (scene.title, "bold"),
    )
    minutes, seconds = divmod(int(clock_s), 60)
    done = full * scene.number + empty * (scene.total - scene.number)
    table.add_row(title, Text(f"world time {minutes}:{seconds:02}  {done}", style="dim"))
    return table


def why(console: Console, scene: Scene) -> RenderableType:
    return Group(*why_lines(console, scene))


def why_rows(console: Console, scene: Scene) -> int:
    return len(why_lines(console, scene))


def why_lines(console: Console, scene: Scene) -> list[Text]:
    """Wrap the reason of a story; a low terminal gets less of it."""
    lines = list(Text(scene.why, style="italic").wrap(console, console.width))
    room = 2 if console.height < LOW_ROWS else 6
    if len(lines) > room:
        lines[room - 1].rstrip()
        lines[room - 1].truncate(console.width - 4, overflow="crop")
        lines[room - 1].append(" ...")
    return lines[:room]


# Hosts.


def columns(console: Console, picture: Picture) -> int:
    fit = max(1, console.width // CARD_WIDTH_MIN)
    hosts = len(picture.hosts)
    rows = -(-hosts // fit)
    return -(-hosts // rows)


def card_rows(console: Console, picture: Picture) -> int:
    per_row = columns(console, picture)
    return -(-len(picture.hosts) // per_row) * 4


def cards(console: Console, picture: Picture) -> RenderableType:
    """Lay the hosts out in rows of equal cards."""
    per_row = columns(console, picture)
    grid = Table.grid(expand=True)
    for _ in range(per_row):
        grid.add_column(ratio=1)
    drawn = [card(picture, host, is_ascii(console)) for host in picture.hosts]
    for start in range(0, len(drawn), per_row):
        grid.add_row(*drawn[start : start + per_row])
    return grid


def card(picture: Picture, host: HostId, plain: bool) -> RenderableType:
    look = host_look(picture.hosts[host])
    state = Text(no_wrap=True, overflow="ellipsis")
    state.append(f"{symbol(look, plain)} {look.word}", style=look.style)
    if (condition := picture.condition(host)) != "running":
        state.append(f"  ({condition})", style="dim")
    servers = Text(no_wrap=True, overflow="ellipsis")
    for name, seen in picture.servers_on(host):
        servers.append(f"{symbol(seen, plain)} ", style=seen.style)
        servers.append(f"{name}  ", style="" if seen.word == "runs" else seen.style)
    edge = box.ASCII if plain else box.ROUNDED
    return Panel(
        Group(state, servers), title=str(host), title_align="left", box=edge, padding=(0, 1)
    )


def symbol(look: Look, plain: bool) -> str:
    return look.plain if plain else look.symbol


# Moves.


def move_rows(picture: Picture, plain: bool) -> list[Text]:
    """One bar for each server on the move."""
    full, empty = ("#", ".") if plain else ("▰", "▱")
    rows: list[Text] = []
    for move in picture.moves.values():
        steps, words = move_words(move)
        row = Text(f"  {move.server:<8} ", no_wrap=True, overflow="ellipsis")
        row.append(full * steps, style="green" if steps == STEPS else "cyan")
        row.append(empty * (STEPS - steps), style="dim")
        row.append(f"  {words}")
        rows.append(row)
    return rows


# The timeline.


def line_text(line: Line) -> Text:
    """Colour one line of the timeline; read without colour it says the same."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{line.when:6.1f}  ", style="dim")
    text.append(f"{line.who:<7} ", style=RANK_STYLES[line.rank])
    text.append(f"{line.text:<32} ")
    text.append(line.reason, style="dim italic")
    text.rstrip()
    return text
