"""The command line: one group, to which every face of ninelives adds its commands."""

import click

from .cli_arm import arm, disarm
from .cli_cloud import cloud
from .cli_cluster import cluster
from .cli_compare import compare
from .cli_completion import completion
from .cli_config import config
from .cli_controller import controller
from .cli_db import db
from .cli_demo import demo
from .cli_doctor import doctor
from .cli_explore import explore
from .cli_fencing import fencing
from .cli_host import host, why
from .cli_host_orders import ORDERS
from .cli_incident_orders import ORDERS as INCIDENT_ORDERS
from .cli_inventory import inventory
from .cli_lab import lab
from .cli_notify import notify
from .cli_policy import policy
from .cli_recover import recover
from .cli_sim import sim
from .cli_status import incident, status
from .cli_swarm import crashpoints, swarm
from .cli_what_if import what_if
from .exits import Group
from .exits import table as exit_codes


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=exit_codes()
)
@click.version_option(package_name="ninelives")
def main() -> None:
    """Compute-node high availability for OpenStack."""


main.add_command(arm)
main.add_command(cluster)
main.add_command(completion)
main.add_command(config)
main.add_command(controller)
main.add_command(db)
main.add_command(demo)
main.add_command(disarm)
main.add_command(doctor)
main.add_command(fencing)
main.add_command(host)
for order in ORDERS:
    host.add_command(order)
host.add_command(recover)
host.add_command(what_if)
main.add_command(incident)
for order in INCIDENT_ORDERS:
    incident.add_command(order)
main.add_command(inventory)
main.add_command(lab)
main.add_command(notify)
main.add_command(policy)
main.add_command(sim)
main.add_command(status)
main.add_command(what_if)
main.add_command(why)
sim.add_command(cloud)
sim.add_command(explore)
sim.add_command(swarm)
sim.add_command(crashpoints)
sim.add_command(compare)
