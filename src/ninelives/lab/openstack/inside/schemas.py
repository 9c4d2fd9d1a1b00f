"""Nova's databases and cells in one interpreter: schemas.py NOVA_CONF NOVA_DB_CONF CELL0_URL.

Each run of nova-manage spends three seconds on its imports, and five are needed. Safe to repeat.
"""

import os
import sys

# Importing nova.cmd.manage switches to eventlet unless this is set before it.
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"
configuration, databases, cell0_url = sys.argv[1:4]
files = ["--config-file", configuration, "--config-file", databases]
sys.argv = ["nova-manage", *files]

from nova.cmd import manage  # noqa: E402 - after the environment, before all else of nova
from nova.db import migration  # noqa: E402

from nova import config, context, objects  # noqa: E402


def main():
    """Make schemas and both cells."""
    config.parse_args(sys.argv)
    objects.register_all()
    migration.db_sync(database="api")
    cells = manage.CellV2Commands()
    cells.map_cell0(cell0_url)
    migration.db_sync(database="main")
    nobody = context.get_admin_context()
    cell0 = objects.CellMapping.get_by_uuid(nobody, objects.CellMapping.CELL0_UUID)
    with context.target_cell(nobody, cell0) as there:
        migration.db_sync(database="main", context=there)
    names = {cell.name for cell in objects.CellMappingList.get_all(nobody)}
    return 0 if "cell1" in names else cells.create_cell(name="cell1")


if __name__ == "__main__":
    sys.exit(main())
