"""Waits until somebody serves a queue of the message bus: served.py ADDRESS PORT QUEUE.

A nova-compute that asks a conductor which does not listen yet waits ten seconds for its answer
(nova/conductor/api.py, `wait_until_ready`).
"""

import sys
import time

import amqp

LOOK_S = 0.1
PATIENCE_S = 120.0


def main(address, port, queue):
    """Look until the queue has a consumer. Returns what the process ends with."""
    give_up = time.monotonic() + PATIENCE_S
    with amqp.Connection(f"{address}:{port}") as connection:
        while time.monotonic() < give_up:
            if is_served(connection, queue):
                return 0
            time.sleep(LOOK_S)
    return 1


def is_served(connection, queue):
    """Say whether it has a consumer. Asking for a queue that is not there closes the channel."""
    try:
        return connection.channel().queue_declare(queue, passive=True).consumer_count > 0
    except amqp.NotFound:
        return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
