"""The whole cluster, up: every machine has power, a DC leads, and every remote is connected."""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ninelives.adapters.pacemaker.view import REMOTE, Standing, Unknown, View, read, runs
from ninelives.engine.errors import ConfigError
from ninelives.lab.hosts import Hosts
from ninelives.lab.namespaces import Namespaces
from ninelives.lab.openstack import control
from ninelives.lab.processes import Processes, until

from . import files, install, machines

Say = Callable[[str], None]

AT_ONCE = 4  # machines that are begun together
ASK_S = 60.0


def up(processes: Processes, say: Say) -> None:
    """Start what does not run. Safe to repeat."""
    places, hosts = processes.places, Hosts(processes)
    install.demand()
    install.remoted(processes.log("install"))
    files.write(places)
    on = [machine for machine in places.machines if hosts.is_on(machine)]
    leads = [machine for machine in on if machine in places.controllers]
    spaces = Namespaces(processes)
    together(spaces.begin, on)
    together(lambda machine: machines.furnish(processes, machine), on)
    together(lambda machine: machines.start_corosync(processes, machine), leads)
    say(f"{len(on)} machines have power")
    control.start_bmcs(processes)
    together(lambda machine: machines.start(processes, machine), on)
    say("every daemon runs")
    remotes = [host for host in places.hosts if host in on]
    until(lambda: is_whole(seen(processes), leads, remotes), "the cluster is not whole", ASK_S)
    say(f"{len(leads)} controllers lead {' '.join(remotes)}")


def together(work: Callable[[str], None], names: Iterable[str]) -> None:
    """Do it for all of them, some at a time; complain of the first that failed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(work, names):
            pass


def seen(processes: Processes) -> View | Unknown:
    """Look at the cluster from the first controller that answers."""
    hosts = Hosts(processes)
    view: View | Unknown = Unknown("no controller has power")
    for controller in processes.places.controllers:
        if hosts.answers(controller):
            view = seen_from(processes, controller)
        if isinstance(view, View):
            break
    return view


def seen_from(processes: Processes, controller: str) -> View | Unknown:
    try:
        return read(machines.told(processes, controller, "crm_mon", "-1", "--output-as=xml").stdout)
    except ConfigError:
        return Unknown(f"{controller} does not run")


def told(processes: Processes) -> Iterator[str]:
    """Say in words how the cluster stands; nothing where there is none."""
    places = processes.places
    match seen(processes):
        case _ if not places.controllers:
            pass
        case Unknown(reason):
            yield f"cluster unknown: {reason}"
        case View() as view:
            remotes = (f"{host}:{view.standing(host).value}" for host in places.hosts)
            yield f"cluster led by {view.dc or 'nobody'}; {' '.join(remotes)}"


def is_whole(view: View | Unknown, controllers: Iterable[str], remotes: Collection[str]) -> bool:
    """Say whether a DC leads, every member is there, every remote is up, and nothing is to start.

    While anything starts, whatever else happens waits for it: also the fencing of a host.
    """
    if isinstance(view, Unknown) or not view.dc:
        return False
    are_there = all(_is_member(view, name) for name in controllers)
    are_up = all(view.standing(host) is Standing.UP for host in remotes)
    rest = (each for each in view.resources if each.agent != REMOTE)
    return are_there and are_up and all(map(runs, rest))


def _is_member(view: View, name: str) -> bool:
    node = view.nodes.get(name)
    return node is not None and node.is_online and not node.is_unclean
