"""Pacemaker's own tools, asked and never ordered: `crm_mon` and `cibadmin --query`."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from ninelives.adapters.process import Ended, Program, run

from . import topology, view
from .topology import Levels
from .view import NOT_CONNECTED, XML_MAX, Unknown, View

CRM_MON = "/usr/sbin/crm_mon"
CIBADMIN = "/usr/sbin/cibadmin"
NOT_FENCED = ("", "0")  # again after it was connected again


@dataclass(frozen=True, slots=True)
class Tools:
    """The cluster of this machine; or, for a test, that of another one, entered by `before`."""

    before: tuple[str, ...] = ()
    deadline_s: float = 10.0

    async def look(self) -> View | Unknown:
        """Look at the whole cluster once."""
        ended = await self._said(CRM_MON, "-1", "--output-as=xml")
        if ended is None or ended.code is None:
            return Unknown("no crm_mon" if ended is None else "no answer in time")
        if ended.code == NOT_CONNECTED:
            return Unknown("not connected")
        return view.read(ended.stdout)

    async def levels(self) -> Mapping[str, Levels] | None:
        """Read the fencing levels of every node; None where they cannot be told."""
        ended = await self._said(CIBADMIN, "--query", "--scope", "fencing-topology")
        return None if ended is None or ended.code != 0 else topology.read(ended.stdout)

    async def is_fenced(self, node: str) -> bool:
        """Say whether the cluster itself counts a node as fenced since it was last connected."""
        if "'" in node:
            return False
        where = f"//node_state[@uname='{node}']"
        ended = await self._said(CIBADMIN, "--query", "--no-children", "--xpath", where)
        if ended is None or ended.code != 0:
            return False
        try:
            root = ElementTree.fromstring(ended.stdout)  # noqa: S314 - of a program of this machine
        except ElementTree.ParseError:
            return False
        states = [each for each in root.iter("node_state") if each.get("uname") == node]
        return bool(states) and all(
            each.get("node_fenced", "") not in NOT_FENCED for each in states
        )

    async def _said(self, *words: str) -> Ended | None:
        """Run a tool; None where it is not installed."""
        program = Program((*self.before, *words), self.deadline_s, output_max=XML_MAX)
        try:
            return await run(program)
        except OSError:
            return None
