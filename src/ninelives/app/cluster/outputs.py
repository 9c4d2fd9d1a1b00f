"""A declared cluster for another tool: crmsh, pcs, or a CIB."""

from ninelives.adapters.pacemaker.cib.changes import changed, differences
from ninelives.adapters.pacemaker.cib.crmsh import crmsh
from ninelives.adapters.pacemaker.cib.pcs import pcs_script
from ninelives.adapters.pacemaker.cib.pieces import KEPT, Pieces
from ninelives.adapters.pacemaker.cib.tree import Element, element, in_one_line, thawed, written
from ninelives.engine.errors import ConfigError

# Of Pacemaker 2.1: every release that is still looked after takes it, and a newer one upgrades it.
ROOT = (
    ("admin_epoch", "0"),
    ("epoch", "2"),
    ("num_updates", "0"),
    ("validate-with", "pacemaker-3.9"),
)
SECTIONS = ("crm_config", "nodes", "resources", "constraints")


def output(pieces: Pieces, form: str) -> str:
    """Write the whole cluster for a tool. Raises `ConfigError` where a secret would be needed."""
    for key, piece in pieces.items():
        if KEPT in in_one_line(piece):
            hint = "name a password_file; or use `build`, which leaves it where it is"
            raise ConfigError(f"{key} has a secret that stands in a cluster alone", hint)
    match form:
        case "crmsh":
            return crmsh(pieces)
        case "pcs":
            return pcs_script(pieces)
        case _:
            sections = element("configuration", *map(element, SECTIONS))
            empty = Element("cib", ROOT, (sections, element("status")))
            return written(changed(thawed(empty), differences({}, pieces, ())))
