"""Serves one WSGI module of OpenStack: serve.py NAME MODULE ADDRESS PORT THREADS.

Both nova's and keystone's modules parse sys.argv while they are imported, so that a server with
options of its own makes them exit: the arguments are taken away first.
"""

import importlib
import sys


def main(name, module, address, port, threads):
    """Serve until killed."""
    sys.argv = [name]
    application = importlib.import_module(module).application
    import waitress

    waitress.serve(
        application,
        host=address,
        port=int(port),
        threads=int(threads),
        backlog=1024,
        connection_limit=1000,
        clear_untrusted_proxy_headers=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
