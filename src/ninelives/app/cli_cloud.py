"""`ninelives sim cloud`: an OpenStack that is not there, on loopback."""

import click


@click.command()
@click.option("--hosts", type=click.IntRange(1, 1000), default=3, show_default=True)
@click.option("--servers", type=click.IntRange(0, 100_000), default=6, show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0: any that is free.")
@click.option(
    "--pace",
    type=click.FloatRange(0.001, 1.0),
    default=1.0,
    help="How long everything in Nova takes, as a share of what was measured.",
)
def cloud(hosts: int, servers: int, port: int, pace: float) -> None:
    """Serve an OpenStack stand-in until Ctrl-C: Keystone, Nova, Placement, a BMC per host.

    Prints what an OpenStack client needs as its clouds.yaml, and where the BMCs and the control
    endpoint are, through which hosts fall and faults begin.
    """
    from ninelives.sim.cloud.catalogue import Plan, clouds_yaml
    from ninelives.sim.cloud.serve import listen

    listening = listen(Plan(hosts, servers, pace=pace), port)
    served = listening.served
    click.echo(clouds_yaml(served.url), nl=False)
    click.echo(f"# control: {served.url}/control")
    for host, url in served.bmc_urls.items():
        click.echo(f"# BMC of {host}: {url}/redfish/v1/Systems/{host}")
    for host, addresses in served.addresses.items():
        click.echo(f"# {host} is probed at {' '.join(addresses.values())}")
    listening.run()
