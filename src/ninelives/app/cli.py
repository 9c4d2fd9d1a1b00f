"""The command line: one group, to which every face of ninelives adds its commands."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ninelives")
def main() -> None:
    """Compute-node high availability for OpenStack."""
