"""`ninelives controller`: one process from its configuration to its last word.

    configuration ─▶ foundation (store, guard, memory) ─▶ generation ─▶ generation ─▶ … ─▶ end
                                                             │  SIGHUP: leave, wire anew, go on
                                                             └─ SIGTERM: leave, and end

A generation is one configuration in force. It ends its term before the next one begins, so that no
decision is made half under the one and half under the other.
"""

import asyncio
import logging
import signal
from dataclasses import replace
from pathlib import Path

from ninelives.engine.errors import ConfigError, first_of
from ninelives.engine.loop import serve

from . import api, http, logs, peer, sd_notify, witness
from .cloud import cloud_of
from .config.building import read_configuration
from .config.configuration import Configuration
from .fence_calls import fence_calls
from .foundation import Foundation, Wish, laid
from .power import power_of
from .telemetry import pulse
from .wire import Wired, wired

log = logging.getLogger(__name__)

FIXED = "name, store, state, socket, operators, viewers, http and log"


def run(path: Path, name: str | None) -> None:
    """Run until told to stop, or until something is broken; that is raised."""
    configuration = read_configuration(path, name)
    logs.configure(configuration.log)
    with laid(configuration) as base:
        try:
            asyncio.run(live(base, Source(path, name), configuration))
        except Exception as error:
            # The guard is still there, and ends what we leave behind. Whoever started us is told.
            log.error("daemon.failed", extra={"why": repr(first_of(error))})
            raise
        finally:
            sd_notify.notify("STOPPING=1")
    log.info("daemon.ended")


class Source:
    """Where the configuration comes from, each time."""

    def __init__(self, path: Path, name: str | None) -> None:
        self._path, self._name = path, name

    async def read(self) -> Configuration:
        return await asyncio.to_thread(read_configuration, self._path, self._name)


async def live(base: Foundation, source: Source, configuration: Configuration) -> None:
    """Serve one generation after the other, beside what all of them need."""
    listening = http.bound(*configuration.listen)
    local = peer.bound(configuration.socket, configuration.socket_group)
    _heed_signals(base.wishes)
    async with asyncio.TaskGroup() as tasks:
        beside = [
            tasks.create_task(http.serve(http.faces(base.presence, base.numbers), listening)),
            tasks.create_task(peer.serve(api.faces(base), local, configuration.roles)),
            tasks.create_task(pulse(base.numbers, base.clock)),
            tasks.create_task(fence_calls(configuration)),
        ]
        every_s = sd_notify.watchdog_s()
        if every_s is not None:
            beside.append(tasks.create_task(sd_notify.beat(every_s)))
        address, port = listening.getsockname()[:2]
        log.info("daemon.began", extra={"me": configuration.me, "http": f"{address}:{port}"})
        following: Configuration | None = configuration
        while following is not None:
            following = await generation(base, source, following)
        for task in beside:
            task.cancel()
    base.board.unpin(configuration.me)


async def generation(
    base: Foundation, source: Source, configuration: Configuration
) -> Configuration | None:
    """Serve under one configuration; return the next one, None at the end."""
    base.presence.mode = configuration.modes.default
    base.presence.nodes = {names.cluster_node: host for host, names in configuration.names.items()}
    async with wired(base, configuration) as now, asyncio.TaskGroup() as tasks:
        me = configuration.me
        beside = [
            tasks.create_task(now.prober.run()),
            tasks.create_task(witness.pinned(me, now.prober.views, base.clock, base.board)),
        ]
        asked = tasks.create_task(_next(base, source, configuration, now))
        base.presence.is_ready = True
        sd_notify.notify("READY=1")
        await serve(now.wiring)
        for task in beside:
            task.cancel()
        return await asked


async def _next(
    base: Foundation, source: Source, configuration: Configuration, now: Wired
) -> Configuration | None:
    """Wait for what ends this generation, and let it leave."""
    while True:
        if await base.wishes.get() is Wish.STOP:
            log.info("daemon.leaves")
            now.wiring.leave.set()
            return None
        sd_notify.reloading()
        following = await taken(base, source, configuration)
        if following is not None:
            now.wiring.leave.set()
            return following
        sd_notify.notify("READY=1")


async def taken(
    base: Foundation, source: Source, configuration: Configuration
) -> Configuration | None:
    """Read the configuration anew. None: refused, or nothing is new; the old one stays in force."""
    try:
        following = await source.read()
        refuse_if_fixed(configuration, following)
        async with cloud_of(following), power_of(following):
            pass  # whatever it names can be opened: what is taken will not fail half way
    except ConfigError as error:
        base.presence.refused = str(error)
        log.error("configuration.refused", extra={"why": str(error)})
        return None
    base.presence.refused = ""
    is_new = following != configuration
    log.info("configuration.taken" if is_new else "configuration.unchanged")
    return following if is_new else None


def refuse_if_fixed(before: Configuration, after: Configuration) -> None:
    """Refuse what can only be changed by a new process."""
    moved = replace(
        after,
        state=before.state,
        socket=before.socket,
        socket_group=before.socket_group,
        roles=before.roles,
        listen=before.listen,
        store=before.store,
        log=before.log,
        me=before.me,
    )
    if moved != after:
        raise ConfigError(
            f"{FIXED} are fixed while a controller runs",
            "restart it; another controller leads meanwhile",
        )


def _heed_signals(wishes: asyncio.Queue[Wish]) -> None:
    meant = {signal.SIGTERM: Wish.STOP, signal.SIGINT: Wish.STOP, signal.SIGHUP: Wish.RELOAD}
    for number, wish in meant.items():
        asyncio.get_running_loop().add_signal_handler(number, wishes.put_nowait, wish)
