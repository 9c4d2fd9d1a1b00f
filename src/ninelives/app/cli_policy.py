"""`ninelives policy check|explain`: what is each server promised, and by which rule."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from ninelives.core.model import ServerId

from .cli_config import of_file, of_name
from .exits import Complaint, Exit, Group

if TYPE_CHECKING:
    from ninelives.core.model import ServerSeen
    from ninelives.core.protection import Promise

    from .config.configuration import Configuration


@click.group(cls=Group)
def policy() -> None:
    """Look at what servers are promised."""


@policy.command()
@of_file
@of_name
def check(path: Path, name: str | None) -> int:
    """Count how many servers each rule is for. Ends with 1 if one is for none."""
    from ninelives.core.protection import promise_for

    from .config.building import read_configuration
    from .doctor import all_servers

    configuration = read_configuration(path, name)
    numbers = configuration.setting.policy
    servers = asyncio.run(all_servers(configuration))
    found = Counter(promise_for(each, numbers.rules, numbers.default) for each in servers)
    table = Table(box=None, header_style="bold")
    for column in ("rule", "servers", "tier", "data", "when its host dies"):
        table.add_column(column)
    promises = [*(rule.promise for rule in numbers.rules), numbers.default]
    for promise in promises:
        table.add_row(promise.name, str(found[promise]), *words_of(promise)[:3])
    Console().print(table)
    return Exit.DONE if all(found[promise] for promise in promises[:-1]) else Exit.FOUND


@policy.command()
@click.argument("server")
@of_file
@of_name
def explain(server: str, path: Path, name: str | None) -> int:
    """Say which rule is for SERVER (its id), rule by rule, and what that promises."""
    from ninelives.core.protection import promise_for

    from .config.building import read_configuration

    configuration = read_configuration(path, name)
    seen = asyncio.run(shown(configuration, ServerId(server)))
    numbers = configuration.setting.policy
    for rule in numbers.rules:
        keys = ", ".join(f"{key.value}={text}" for key, text in rule.keys) or "everybody"
        is_for = promise_for(seen, (rule,), numbers.default) is rule.promise
        click.echo(f"{'is for it' if is_for else 'not for it':<11} {rule.promise.name} ({keys})")
        if is_for:
            break
    promise = promise_for(seen, numbers.rules, numbers.default)
    tier, data, host_dies, *others = words_of(promise)
    click.echo(f"{seen.name or seen.id}: {promise.name}, tier {tier}, data {data}, {host_dies}")
    for words in others:
        click.echo(f"  {words}")
    return Exit.DONE


async def shown(configuration: "Configuration", server: ServerId) -> "ServerSeen":
    """Ask Nova for one server."""
    from .cloud import cloud_of

    async with cloud_of(configuration) as cloud:
        [seen] = await cloud.compute.show((server,))
    if seen.host is None and seen.vm_state.value == "deleted":
        raise Complaint(f"Nova knows no server {server}", "give its id, not its name", Exit.USAGE)
    return seen


def words_of(promise: "Promise") -> tuple[str, ...]:
    """Say a promise in words: tier, data, what happens when its host dies, and the rest."""
    return (
        str(promise.tier),
        promise.data.value,
        promise.host_dies.value,
        f"nova-compute fails: {promise.compute_fails.value}",
        f"libvirt hangs: {promise.libvirt_hangs.value}",
        f"it crashes: {promise.server_crashes.value}",
        f"its guest hangs: {promise.guest_hangs.value}",
    )
