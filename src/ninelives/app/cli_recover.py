"""`ninelives host recover`: bring back a host's servers, or the host itself; whichever is next.

What may be ordered follows from where the host is, and the controller judges it again:

    waits for leave       leave for this outage
    half fenced           finish the fence, or undo it
    vacated, quarantined  switched on and led back
    anything else         goes on by itself, or needs a proof: it names the order that gives one
"""

from pathlib import Path
from typing import NamedTuple, cast

import click

from .cli_host_orders import of_host, order
from .cli_incident_orders import leave_asked_of
from .client import asked, of_socket
from .exits import Complaint, Exit
from .views import Document


class Next(NamedTuple):
    """What a person can do for a host that stands so."""

    message: str
    hint: str
    code: Exit = Exit.REFUSED


NOT_NOW = {
    "unknown": Next("it was never seen alive", "`ninelives host adopt` takes it into care"),
    "healthy": Next("it lives", "`ninelives host fence` cuts its power and moves its servers"),
    "suspect": Next("nothing proves it off yet", "`ninelives why` says what is looked at"),
    "repairing": Next("a service in it is being restarted", "its servers run on meanwhile"),
    "held": Next(
        "nothing proves it off",
        "`ninelives host confirm-dead` if you saw it dark, or `ninelives host fence`",
    ),
    "fencing": Next("it is being proved off", "it goes on by itself", Exit.DONE),
    "fenced": Next("it is proved off, its servers are listed", "it goes on by itself", Exit.DONE),
    "evacuating": Next("its servers are being moved", "it goes on by itself", Exit.DONE),
    "returning": Next("it is being led back", "it goes on by itself", Exit.DONE),
}


@click.command()
@of_host
@click.option("--reason", default="", help="Why. It is journalled; leave needs one.")
@click.option("--finish", "half", flag_value="finish", help="Half fenced: cut its power for good.")
@click.option("--undo", "half", flag_value="undo", help="Half fenced: let it live.")
@of_socket
def recover(name: str, reason: str, half: str | None, socket_path: Path) -> int:
    """Bring back what HOST held, or HOST itself: order whatever is next, if it may be ordered."""
    shown = cast("Document", asked(socket_path, f"/v1/hosts/{name}"))
    state, _, why = str(shown["state"]).partition(" ")
    standing = cast("Document", asked(socket_path, "/v1/status"))
    if why == "(half_fenced)":
        return settle(socket_path, name, shown, half, reason)
    if leave_asked_of(standing, name):
        if not reason:
            raise Complaint(f"{name} waits for leave", "say why: --reason", Exit.USAGE)
        leave = {"order": "approve", "host": name, "epoch": shown["epoch"], "reason": reason}
        return order(socket_path, leave)
    if state in ("vacated", "quarantined"):
        return order(socket_path, {"order": "power_on", "host": name, "reason": reason})
    if shown["zombie_risk"]:
        hint = "`ninelives host confirm-dead` if you saw it dark, or `ninelives host fence`"
        raise Complaint(f"its proof was contradicted: {shown['zombie_risk']}", hint, Exit.REFUSED)
    next_step = NOT_NOW[state]
    if next_step.code is not Exit.DONE:
        raise Complaint(f"{name}: {next_step.message}", next_step.hint, next_step.code)
    click.echo(f"{name}: {next_step.message}; {next_step.hint}")
    return Exit.DONE


def settle(socket_path: Path, name: str, shown: Document, half: str | None, reason: str) -> int:
    """Let the person choose for a host that came back to life under its fence."""
    if half is None:
        raise Complaint(
            f"{name} came back to life under its fence",
            "--finish cuts its power for good, --undo lets it live: look at it first",
            Exit.USAGE,
        )
    word = {"order": "settle", "host": name, "epoch": shown["epoch"], "finish": half == "finish"}
    return order(socket_path, {**word, "reason": reason})
