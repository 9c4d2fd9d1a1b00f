"""The heap's door to the fault language."""

from typing import TYPE_CHECKING

from .grammar import Words

if TYPE_CHECKING:
    from ninelives.sim.world import World


def command(world: "World", words: Words) -> None:
    """Let a sentence that was planned come true."""
    world.command(words)
