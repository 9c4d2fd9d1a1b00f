"""What OpenStack stands on: RabbitMQ and MariaDB, for one user, without durability."""

import getpass
from pathlib import Path

from ninelives.lab.places import LOOPBACK, Places
from ninelives.lab.processes import Processes

from .files import DATABASES, PASSWORD

RABBIT = """\
# Only this machine and its hosts can reach it.
loopback_users = none
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
log.console = false
log.file.level = warning
"""
# One scheduler that never spins: a broker that waits costs a small machine nothing.
ERLANG = (
    "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
)


def start_messages(processes: Processes) -> None:
    """Start epmd and RabbitMQ; `messages` listens some seconds later.

    epmd comes first and from us: RabbitMQ would start one that outlives the lab.
    """
    places = processes.places
    home = places.kept / "messages"
    home.mkdir(parents=True, exist_ok=True)
    (home / "plugins").write_text("[].\n")
    (home / "rabbitmq.conf").write_text(RABBIT)
    epmd = ["/usr/bin/epmd", "-address", LOOPBACK, "-port", str(places.port("epmd"))]
    processes.start("epmd", epmd, {"HOME": str(home)})
    processes.listens("epmd", "epmd")
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    processes.start("messages", [program], rabbit_environment(places, home), home)


def rabbit_environment(places: Places, home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),  # where the cookie lies
        "RABBITMQ_NODENAME": f"lab{places.first_port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": places.address,
        "RABBITMQ_NODE_PORT": str(places.port("messages")),
        "RABBITMQ_DIST_PORT": str(places.port("erlang")),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(places.log),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(places.port("epmd")),
    }


def start_database(processes: Processes) -> None:
    """Start MariaDB with the databases of every service; make it first where it is not there."""
    places, user = processes.places, getpass.getuser()
    home = places.kept / "database"
    if not (home / "mysql").exists():
        home.mkdir(parents=True, exist_ok=True)
        make = ["/usr/bin/mariadb-install-db", "--no-defaults", f"--user={user}"]
        more = [f"--datadir={home}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        processes.run("database-made", [*make, *more])
    (home / "begin.sql").write_text(first_words())
    processes.start(
        "database",
        [
            *("/usr/sbin/mariadbd", "--no-defaults", f"--user={user}", f"--datadir={home}"),
            *(f"--socket={places.run}/mysql.sock", f"--pid-file={places.run}/mysql.own"),
            *(f"--bind-address={LOOPBACK}", f"--port={places.port('database')}"),
            *("--max-connections=2000", "--innodb-buffer-pool-size=256M"),
            # Not durable on purpose: a lab is made anew, not recovered.
            *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"),
            *("--innodb-flush-method=nosync", "--skip-log-bin", "--performance-schema=OFF"),
            *("--skip-name-resolve", f"--init-file={home / 'begin.sql'}"),
        ],
    )


def first_words() -> str:
    """SQL for each start. MariaDB itself makes a root at 127.0.0.1, so ours has another name."""
    made = [f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4;" for name in DATABASES]
    whole = [
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{PASSWORD}';",
        f"CREATE USER IF NOT EXISTS 'lab'@'{LOOPBACK}' IDENTIFIED BY '{PASSWORD}';",
        f"GRANT ALL PRIVILEGES ON *.* TO 'lab'@'{LOOPBACK}';",
        *made,
    ]
    return "\n".join(whole) + "\n"
