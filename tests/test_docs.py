"""What the documents promise exists: links, commands, an unbroken row of decisions."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ninelives.app.cli import main

ROOT = Path(__file__).parents[1]
ADRS = ROOT / "docs" / "adr"

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COMMAND = re.compile(r"^(?:\$ )?((?:\./run|\./check|ninelives)\b[^#\n]*)", re.MULTILINE)


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def links(page: Path) -> Iterator[str]:
    found = LINK.findall(FENCED.sub("", page.read_text()))
    yield from (link for link in found if "://" not in link and not link.startswith("mailto:"))


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """List the anchors of a page as the common forges make them of its headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(FENCED.sub("", page.read_text()))
    }


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_shown_exists(page: Path) -> None:
    assert [command for command in commands(page) if not exists(shlex.split(command))] == []


def commands(page: Path) -> Iterator[str]:
    for block in FENCED.findall(page.read_text()):
        yield from (command.strip() for command in COMMAND.findall(block))


def exists(command: list[str]) -> bool:
    program, *words = command
    if program == "./check":
        return (ROOT / "check").exists() and set(words) <= {"--full"}
    group: click.Command = main
    for word in words or (["demo"] if program == "./run" else []):
        if word.startswith("-") or not isinstance(group, click.Group):
            break  # what follows are the options and arguments of a command that exists
        found = group.get_command(click.Context(group), word)
        if found is None:
            return False
        group = found
    return True


def test_the_decisions_are_numbered_without_a_gap_and_listed() -> None:
    decisions = sorted(ADRS.glob("[0-9]*.md"))
    numbers = [int(path.name.split("-")[0]) for path in decisions]
    index = (ROOT / "docs" / "index.md").read_text()

    assert numbers == list(range(1, len(numbers) + 1))
    assert [path.name for path in decisions if f"adr/{path.name}" not in index] == []


@pytest.mark.parametrize("page", sorted(ADRS.glob("[0-9]*.md")), ids=name)
def test_a_decision_has_its_four_parts_on_one_page(page: Path) -> None:
    text = page.read_text()

    assert HEADING.findall(text)[1:] == ["Status", "Context", "Decision", "Cost"]
    assert text.startswith(f"# {int(page.name.split('-')[0])}. ")
    assert text.count("\n") <= 60


def test_no_page_is_lost() -> None:
    """Whatever stands in docs/ is reached from its index."""
    start = ROOT / "docs" / "index.md"
    reached, rest = set[Path](), [start]
    while rest:
        page = rest.pop()
        reached.add(page)
        targets = ((page.parent / link.partition("#")[0]).resolve() for link in links(page))
        rest += [path for path in targets if path.suffix == ".md" and path not in reached]

    assert set((ROOT / "docs").rglob("*.md")) - reached == set()
