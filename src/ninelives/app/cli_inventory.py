"""`ninelives inventory discover`: a draft of the inventory from Nova and the BMCs."""

import asyncio
import os
from pathlib import Path
from typing import TextIO

import click

from .exits import Complaint, Exit, Group


@click.group(cls=Group)
def inventory() -> None:
    """Draft the inventory of compute hosts."""


@inventory.command()
@click.option("--cloud", "cloud_name", help="An entry of clouds.yaml; OS_CLOUD or OS_* otherwise.")
@click.option("--clouds-file", type=click.Path(exists=True, path_type=Path), help="clouds.yaml.")
@click.option("--bmc", "urls", metavar="URL", multiple=True, help="A BMC to ask; may be repeated.")
@click.option("--bmcs", type=click.File(), help="A file with one URL of a BMC a line.")
@click.option("--bmc-user", default="", help="Who we are to the BMCs.")
@click.option(
    "--bmc-password-file", type=click.Path(exists=True, path_type=Path), help="Our password there."
)
@click.option("--bmc-ca", type=click.Path(exists=True, path_type=Path), help="Who signed theirs.")
@click.option("--bmc-insecure", is_flag=True, help="Believe any BMC. For a first look alone.")
@click.option(
    "--segment-key",
    default="ninelives:segment",
    show_default=True,
    help="The metadata of aggregates that names segments; zones are segments otherwise.",
)
@click.option("-o", "--out", type=click.File("w"), default="-", help="Where to; - is here.")
def discover(
    cloud_name: str | None,
    clouds_file: Path | None,
    urls: tuple[str, ...],
    bmcs: TextIO | None,
    bmc_user: str,
    bmc_password_file: Path | None,
    bmc_ca: Path | None,
    bmc_insecure: bool,
    segment_key: str,
    out: TextIO,
) -> int:
    """Draft the inventory as TOML, for the conf.d of the configuration. Reads alone.

    What is ambiguous comes out commented with the reason; it ends with 1 then.
    """
    from ninelives.adapters.nova.clouds import cloud_of
    from ninelives.adapters.redfish_wire import Trust

    from .discovery import bmcs_found, cloud_found
    from .discovery_draft import drafted, written

    environment = dict(os.environ)
    if clouds_file is not None:
        environment["OS_CLIENT_CONFIG_FILE"] = str(clouds_file)
    cloud = cloud_of(cloud_name, environment, Path.cwd())
    listed = [url.strip().rstrip("/") for url in (*urls, *(bmcs or ())) if url.strip()]
    password = bmc_password_file.read_text().strip() if bmc_password_file else ""
    if listed and not (bmc_user and password):
        hint = "--bmc-user and --bmc-password-file"
        raise Complaint("the BMCs ask who we are", hint, Exit.USAGE)
    found = asyncio.run(cloud_found(cloud))
    trust = Trust(bmc_ca, None, bmc_insecure)
    said = asyncio.run(bmcs_found(listed, trust, bmc_user, password))
    draft = drafted(found, said, segment_key)
    out.write(written(draft, cloud_name or environment.get("OS_CLOUD") or "the cloud"))
    return Exit.DONE if draft.is_certain else Exit.FOUND
