"""Who may look and who may order, for callers of other uids: whom the kernel names.

Another uid can only be had by root; elsewhere this is skipped.
"""

import multiprocessing
import os
import pwd
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until

from ninelives.app.client import asked
from ninelives.app.demo_site import written
from ninelives.app.exits import Complaint

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may take another uid"),
]

OPERATOR, VIEWER, STRANGER = "daemon", "nobody", "sys"  # users that every system has
ROLES = f'socket_group = "daemon"\noperators = ["{OPERATOR}"]\nviewers = ["{VIEWER}"]\n'
ORDER = {"order": "maintenance", "host": "c1", "on": True, "reason": "its fan screams"}


@pytest.fixture
def controller(cloud: Cloud) -> Generator[Controller]:
    # pytest's own folders are closed to everybody else.
    with tempfile.TemporaryDirectory(prefix="ninelives-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        config = written(folder, "n1", cloud.served)
        config.write_text(ROLES + config.read_text())
        with Controller("n1", config) as started:
            until(started.leads)
            yield started


def said_to(user: str, socket: Path, at: str, order: object = None) -> str:
    """Ask as that user, of the socket's group; return "well", or the refusal."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=ask_as, args=(user, socket, at, order, theirs)
    )
    child.start()
    try:
        assert ours.poll(30.0), f"{user} got no answer"
        return str(ours.recv())
    finally:
        child.join(10.0)


def ask_as(user: str, socket: Path, at: str, order: dict[str, object], back: Any) -> None:
    os.setgroups([])
    os.setgid(socket.stat().st_gid)
    os.setuid(pwd.getpwnam(user).pw_uid)
    try:
        asked(socket, at, order)
    except Complaint as complaint:
        back.send(str(complaint))
    else:
        back.send("well")


def test_the_kernel_says_who_looks_and_who_orders(controller: Controller) -> None:
    socket = controller.config.with_suffix(".sock")

    assert said_to(VIEWER, socket, "/v1/status") == "well"
    assert "nobody is no operator" in said_to(VIEWER, socket, "/v1/orders", ORDER)
    assert "sys is no viewer" in said_to(STRANGER, socket, "/v1/status")
    assert "sys is no operator" in said_to(STRANGER, socket, "/v1/orders", ORDER)
    assert not controller.said("order.taken")

    assert said_to(OPERATOR, socket, "/v1/orders", ORDER) == "well"

    until(lambda: controller.said("order.taken"))
    [taken] = controller.said("order.taken")
    assert (taken["about"], taken["why"]) == ("c1", "MaintenanceSet")
    assert taken["detail"] == "by daemon: its fan screams"


def test_a_user_outside_the_sockets_group_is_not_let_in(controller: Controller) -> None:
    socket = controller.config.with_suffix(".sock")
    socket.chmod(0o600)

    assert "is not for you" in said_to(OPERATOR, socket, "/v1/status")
