"""`ninelives completion SHELL`: what a shell has to read so that it completes our words."""

import click
from click.shell_completion import get_completion_class

from .exits import Exit

PROGRAM = "ninelives"
VARIABLE = "_NINELIVES_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what completes commands, options and the names of hosts in SHELL.

    For bash: ninelives completion bash > /etc/bash_completion.d/ninelives
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells that we offer"
    click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
    return Exit.DONE
