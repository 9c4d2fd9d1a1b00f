"""The command line: one group, to which every face of ninelives adds its commands."""

import click

from .cli_arm import arm, db, disarm
from .cli_cloud import cloud
from .cli_compare import compare
from .cli_config import config
from .cli_demo import demo
from .cli_explore import explore
from .cli_host import host
from .cli_sim import sim
from .cli_swarm import crashpoints, swarm
from .exits import Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ninelives")
def main() -> None:
    """Compute-node high availability for OpenStack."""


main.add_command(arm)
main.add_command(config)
main.add_command(db)
main.add_command(demo)
main.add_command(disarm)
main.add_command(host)
main.add_command(sim)
sim.add_command(cloud)
sim.add_command(explore)
sim.add_command(swarm)
sim.add_command(crashpoints)
sim.add_command(compare)
