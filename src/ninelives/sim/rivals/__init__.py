"""Two naive policies in our own world: what Masakari and instanceha do by their defaults.

Context. Whoever chooses between tools asks how they fare in the same trouble. Their authors' words
do not answer that, and nobody can break a hundred clouds. So both are played here, as state
machines of what their sources and runs were seen to do, in the very worlds in which ninelives runs:
the same hosts, servers, power devices, faults at the same instants, and the same model of Nova.

What is modelled
  Masakari   with Pacemaker: a monitor on every host that samples once a minute and reports changes
             only; STONITH through the site's own devices; the power check before a report; the
             engine with its 180 s of waiting, three servers at a time, 90 s for each, one retry,
             `on_maintenance`, refused duplicates; the process monitor that restarts nova-compute.
  instanceha the poll, its gates in their order, fence and verify, force-down, fire and forget,
             power on, re-enable, adoption at its start of what is forced down.

What is simplified, and in whose favour
  equal    Everything is installed as every tool's documentation asks: each host has an agent of the
           tool and a power device, wired as written down. Nova hears nothing of a nova-compute that
           lost its management network. Evacuated servers start again, and no project is exempt.
           `resume_guests_state_on_host_boot` is false, Nova's default: a host that comes back runs
           nothing until somebody lets it.
  theirs   They have our lease: when a controller dies, another one takes them over in seconds.
  theirs   `stonith-action` is `off`: with Pacemaker's own default, `reboot`, Masakari finds the
           power on again and recovers nothing (`Stonith.REBOOT` plays that).
  theirs   Every host is in an aggregate tagged `evacuable`; without one instanceha does nothing.
  theirs   Fencing levels are tried in order, several hosts at once (the default since Pacemaker 3).
  theirs   Wall clocks never jump for them; packet loss short of all loss costs no membership; their
           roads to the devices, to Nova and to their own databases always stand.
  theirs   Orders that only ninelives knows (disarm, maintenance, a false word of a person) do not
           touch them, and hosts start no guests by themselves, though they have no gate.
  theirs   Whoever runs them switches dead hosts on again, clears `on_maintenance`, and enables what
           is healthy; `error`, `failed` and a refused evacuation count as somebody being told.
  theirs   The watchdog device that our agent feeds is fed by systemd there: it resets a frozen
           host, and never one that lost its lease.
  ours     Masakari's instance monitor is left out (no fault of the table is a guest's crash), and
           so are reserved hosts, and instanceha's options that are off by default.
  ours     Our operators also go and look at a host that cannot be fenced, and confirm its death:
           the rivals have no such order, so theirs only bring the host back.

Decision. Defaults, as written: a twin that was tuned would be somebody's opinion. Each default
names where it was seen. Cost. It is a model: it shows what their rules lead to, not how fast their
code is.
"""

from .agenda import Agenda, Rival, idle
from .instanceha import InstanceHa
from .masakari import Masakari
from .pacemaker import Stonith

__all__ = ["Agenda", "InstanceHa", "Masakari", "Rival", "Stonith", "idle"]
