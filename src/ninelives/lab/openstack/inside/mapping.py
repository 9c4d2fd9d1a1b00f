"""Maps new hosts to their cell, as `nova-manage cell_v2 discover_hosts` does.

Until a host is mapped Nova hides its hypervisor. Run in a fork of the fork server, because
nova.cmd.manage would switch to eventlet, which a process on native threads forbids.
"""

import sys


def main():
    """Look for hosts in every cell."""
    from nova.objects import host_mapping

    from nova import config, context, objects

    config.parse_args(sys.argv)
    objects.register_all()
    found = host_mapping.discover_hosts(context.get_admin_context())
    sys.stdout.write(f"mapped {len(found)} hosts\n")
