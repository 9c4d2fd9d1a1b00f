"""`ninelives lab`: real parts on this machine, to be broken at will."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Complaint, Exit

if TYPE_CHECKING:
    from ninelives.lab.hosts import Hosts
    from ninelives.lab.places import Places

PARTS = ("openstack", "pacemaker")
ORDERS = ("off", "on", "freeze", "thaw", "cut", "mend", "exec", "kill")


def of_folder(command: click.decorators.FC) -> click.decorators.FC:
    """Add the option that says which lab is meant."""
    return click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where the lab keeps its files.  [default: ~/.cache/ninelives/lab]",
    )(command)


@click.group()
def lab() -> None:
    """Real Keystone, Placement, Glance and Nova on this machine, with hosts to be broken.

    As root each host has namespaces and networks of its own; else all of it is on 127.0.0.1.
    Everything that is started is ended by `lab down`.
    """


@lab.command()
@click.option("--hosts", type=click.IntRange(1, 40), default=3, show_default=True)
@click.option(
    "--with", "parts", default="openstack", show_default=True,
    help="Which parts: openstack, pacemaker, or both with a comma between.",
)  # fmt: skip
@click.option(
    "--controllers", type=click.IntRange(2, 3), default=3, show_default=True,
    help="Members of the Pacemaker cluster, where there is one.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(1024, 65_000), default=15_000, help="The first of eleven.",
    show_default=True,
)  # fmt: skip
@click.option(
    "--namespaces/--no-namespaces", "wants_namespaces", default=None,
    help="Each host in namespaces of its own, on three planes.  [default: as root]",
)  # fmt: skip
@of_folder
def up(
    hosts: int,
    parts: str,
    controllers: int,
    port: int,
    wants_namespaces: bool | None,
    folder: Path | None,
) -> int:
    """Install what is missing (once) and start what does not run. Safe to repeat."""
    from ninelives.lab.places import PACEMAKER, Places, usual_folder

    wanted = tuple(part for part in PARTS if part in parts.split(","))
    if unknown := set(parts.split(",")) - set(PARTS):
        raise click.UsageError(f"no such part: {' '.join(sorted(unknown))}")
    places = Places(
        (folder or usual_folder()).resolve(),
        tuple(f"c{number}" for number in range(1, hosts + 1)),
        port,
        controllers=tuple(f"ctl{number}" for number in range(1, controllers + 1))
        if PACEMAKER in wanted
        else (),
        parts=wanted,
    )
    return _up(places, wants_namespaces)


def _up(places: "Places", wants_namespaces: bool | None) -> int:
    from ninelives.lab import held
    from ninelives.lab.openstack import control
    from ninelives.lab.openstack.install import PartMissing
    from ninelives.lab.pacemaker import control as cluster
    from ninelives.lab.places import OPENSTACK, PACEMAKER
    from ninelives.lab.processes import Processes

    began = time.monotonic()

    def say(words: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f}  {words}")

    try:
        if held.is_wanted(places, wants_namespaces):
            return held.run(held.begin(places.folder), [sys.executable, *sys.argv])
        places = control.begun(places, wants_namespaces)
        say(control.described(places))
        if OPENSTACK in places.parts:
            control.up(Processes(places), say)
        if PACEMAKER in places.parts:
            cluster.up(Processes(places), say)
    except PartMissing as error:
        raise Complaint(Exception.__str__(error), error.hint, Exit.MISSING) from error
    if OPENSTACK in places.parts:
        click.echo(f"OS_CLIENT_CONFIG_FILE={places.folder}/clouds.yaml OS_CLOUD=lab")
    return Exit.DONE


@lab.command()
@of_folder
def status(folder: Path | None) -> int:
    """Show every process and every guest; exit 1 where one died, or a guest runs twice."""
    from ninelives.lab.hosts import Hosts
    from ninelives.lab.openstack.control import described
    from ninelives.lab.pacemaker.control import told
    from ninelives.lab.processes import Processes, memory_mb

    processes = Processes(_places(folder))
    hosts = Hosts(processes)
    dead = 0
    click.echo(described(processes.places))
    for name in processes.names():
        pid = processes.pid(name)
        dead += pid is None
        shown = "DEAD" if pid is None else f"{pid:>8} {memory_mb(pid):6.0f} MB"
        click.echo(f"{name:<16} {shown}")
    for host in processes.places.machines:
        guests = [guest for guest, where in hosts.running().items() if host in where]
        click.echo(f"{host:<6} {_shown(hosts, host)} {len(guests)} guests run")
    for line in told(processes):
        click.echo(line)
    for guest, where in hosts.twice().items():
        click.echo(f"RUNS TWICE: {guest} on {' and '.join(sorted(where))}")
    return Exit.FOUND if dead or hosts.twice() else Exit.DONE


@lab.command()
@of_folder
@click.option("--wipe", is_flag=True, help="Delete its databases, too; what is installed stays.")
def down(folder: Path | None, wipe: bool) -> int:
    """End everything that the lab started."""
    import shutil

    from ninelives.lab import held
    from ninelives.lab.openstack import control
    from ninelives.lab.places import found, usual_folder
    from ninelives.lab.processes import Processes

    place = (folder or usual_folder()).resolve()
    if held.is_elsewhere(place):
        held.end(place)  # and all of it ends: there is nothing that it left outside
        places = found(place)
        for name in Processes(places).names():
            (places.run / f"{name}.pid").unlink()
    else:
        places = found(place)
        control.down(Processes(places))
    if wipe:
        shutil.rmtree(places.folder)
    click.echo(f"nothing of the lab in {places.folder} runs any more")
    return Exit.DONE


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("order", type=click.Choice(ORDERS))
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@of_folder
def host(name: str, order: str, words: tuple[str, ...], folder: Path | None) -> int:
    """Do something to a host.

    off cuts its power (the links go, then nova-compute and every guest end at once), on gives it
    back. freeze stops all of it, with its guests in memory, thaw lets it go on. `kill nova-compute`
    ends that alone, and on starts it again.

    Where hosts have namespaces: `cut PLANE` and `mend PLANE` (management, storage, tenant, oob),
    `exec -- CMD` runs a command inside, and kill ends any process by its name.
    """
    from ninelives.lab.places import Network

    hosts = _hosts_with(name, folder)
    match order, words:
        case "off", ():
            hosts.power_off(name)
        case "on", ():
            hosts.power_on(name)
        case "freeze", ():
            hosts.freeze(name)
        case "thaw", ():
            hosts.thaw(name)
        case "kill", (process,):
            hosts.kill(name, process)
        case "exec", (_, *_):
            return hosts.run(name, words)
        case (("cut" | "mend"), (plane,)) if plane in list(Network):
            change = hosts.cut if order == "cut" else hosts.mend
            change(name, Network(plane))
        case (("cut" | "mend"), _):
            raise click.UsageError(f"{order} takes a plane: {', '.join(Network)}")
        case (("kill" | "exec"), _):
            what = "the name of a process" if order == "kill" else "a command, after --"
            raise click.UsageError(f"{order} takes {what}")
        case _:
            raise click.UsageError(f"{order} takes nothing more")
    return Exit.DONE


@lab.command()
@click.argument("name")
@click.argument("mode", type=click.Choice(["dead", "lie", "stuck", "slow", "mend"]))
@of_folder
def bmc(name: str, mode: str, folder: Path | None) -> None:
    """Let the BMC of a host be at fault, or mend it.

    dead: it never answers. lie: it acknowledges an off, does nothing, and reads off from then on.
    stuck: it acknowledges, does nothing, and reads on. slow: every answer takes three seconds.
    """
    from ninelives.lab.hosts import BmcMode

    _hosts_with(name, folder).set_bmc(name, BmcMode(mode))


def _shown(hosts: "Hosts", host: str) -> str:
    """Say how a host is, and how its cables and its BMC are where they are at fault."""
    is_frozen = " frozen" if hosts.is_frozen(host) else ""
    cuts = "".join(f" cut:{network}" for network in hosts.cuts(host))
    mode = hosts.bmc(host).value
    fault = "" if mode == "mend" else f" bmc:{mode}"
    return f"{'on ' if hosts.is_on(host) else 'off'}{is_frozen}{cuts}{fault}"


def _hosts_with(name: str, folder: Path | None) -> "Hosts":
    from ninelives.lab.hosts import Hosts
    from ninelives.lab.processes import Processes

    places = _places(folder)
    if name not in places.machines:
        raise click.UsageError(f"no host {name}; there are {' '.join(places.machines)}")
    return Hosts(Processes(places))


def _places(folder: Path | None) -> "Places":
    """Return the lab that is meant. One that is held elsewhere is asked there, by this command."""
    from ninelives.lab import held
    from ninelives.lab.places import found, usual_folder

    place = (folder or usual_folder()).resolve()
    first = held.holder(place) if held.is_elsewhere(place) else None
    if first is not None:
        raise SystemExit(held.run(first, [sys.executable, *sys.argv]))
    return found(place)
