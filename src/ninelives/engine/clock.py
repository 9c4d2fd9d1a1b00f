"""The time of this machine: one clock to act by, and one to show."""

import time

from ninelives.engine.guard import boottime


class SystemClock:
    """A `ports.Clock`. BOOTTIME, so that a machine which slept knows that it is late."""

    def now(self) -> float:
        return boottime()

    def wall(self) -> float:
        return time.time()
