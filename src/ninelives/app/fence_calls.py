"""What the fence agent on this machine has to say, for as long as this controller runs.

A standby listens, too: Pacemaker runs the agent wherever it likes.
"""

import logging
from pathlib import Path

from ninelives.adapters.pacemaker.calls import Spool, listening

from .config.configuration import Configuration

log = logging.getLogger(__name__)

SPOOL = "fence"  # in the state's folder: where the agent puts what the cluster did not take


async def fence_calls(configuration: Configuration) -> None:
    """Listen and forward. Deaf it forwards nothing; what waits stays in the spool."""
    path = heard_at(configuration.socket)
    try:
        async with listening(path) as ear:
            await Spool(configuration.state / SPOOL).attend(ear)
    except OSError as error:
        log.warning("fence_call.deaf", extra={"path": str(path), "why": str(error)})


def heard_at(socket: Path) -> Path:
    """Name the socket for calls after that for orders: each controller has its own. Pure."""
    return socket.with_suffix(".fence")
