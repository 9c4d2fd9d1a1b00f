"""How long anything may take at a database server: each less than the next, all less than a lease.

    lock < statement < idle < answer      (seconds)

A renewal that takes longer is one without an answer. The server's own limits come first, so that it
has let go of the row by the time that we stop listening.
"""

from collections.abc import Mapping

from sqlalchemy import URL, Engine, create_engine

LOCK_TIMEOUT_S = 2  # behind another writer of the head row
STATEMENT_TIMEOUT_S = 3
IDLE_TIMEOUT_S = 4  # of a transaction that says nothing more: its controller froze or is cut off
ANSWER_TIMEOUT_S = 5  # of silence on the wire
CONNECT_TIMEOUT_S = 3
POOL_TIMEOUT_S = 5.0  # for one of our own connections to come free
POOL_CONNECTIONS_MAX = 4  # the writer, the renewal, the board, and whoever asks
CONFLICTS_MAX = 3  # of one transaction with others, each of which is another's success


def pooled(url: URL, connect_args: Mapping[str, object]) -> Engine:
    """Reach a database server, as every one of them is reached. Nothing is sent yet."""
    return create_engine(
        url,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        pool_pre_ping=True,  # a proxy that closed an idle connection is no store without answer
        pool_size=POOL_CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args=dict(connect_args),
    )
