"""A machine with a power switch, and a BMC that may be at fault; seen by servers of every kind.

Each fact is a file, so that a BMC which is another program sees the same machine.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

USER = "admin"
# Characters that a shell, an agent's option parser or an HTTP header could trip over.
PASSWORD = 'pa"ss=w#rd $HOME'


class Fault(StrEnum):
    """What can be wrong with a BMC."""

    SILENT = "silent"  # takes the connection, never answers
    STUCK = "stuck"  # acknowledges, and does nothing
    SAYS_ON = "says_on"
    SAYS_OFF = "says_off"
    REFUSES_WHEN_OFF = "refuses_when_off"  # 409, as most BMCs do
    REFUSES_WITH_400 = "refuses_with_400"  # and some
    ERROR = "error"  # 500 to everything
    GARBAGE = "garbage"  # a login page, 200
    SLOW = "slow"  # each answer takes `SLOW_S`
    SAYS_NOTHING = "says_nothing"  # no PowerState
    REFUSES_ALL = "refuses_all"  # 400 to every order
    REDIRECTS = "redirects"  # to somebody else
    POWERING_OFF = "powering_off"  # on its way: PowerState says neither on nor off


SLOW_S = 1.0


@dataclass(frozen=True)
class Machine:
    """The truth about one machine, in a folder."""

    folder: Path

    @property
    def is_on(self) -> bool:
        return (self.folder / "power").read_text().strip() == "1"

    def switch(self, *, is_on: bool) -> None:
        (self.folder / "power").write_text(f"{int(is_on)}\n")

    def has(self, fault: Fault) -> bool:
        return (self.folder / fault).exists()

    def break_by(self, fault: Fault) -> None:
        (self.folder / fault).touch()

    def mend(self) -> None:
        for fault in Fault:
            (self.folder / fault).unlink(missing_ok=True)


def machine_in(folder: Path) -> Machine:
    folder.mkdir()
    machine = Machine(folder)
    machine.switch(is_on=True)
    return machine
