"""Real database servers of this machine, each in a directory of its own, for one test run.

Nothing is installed, and no server that runs already is touched: each is started here on a unix
socket, and ended by its process id.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

KINDS = ("postgresql", "mariadb")
READY_S, END_S = 30.0, 20.0
POSTGRES_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Server(Protocol):
    """One server, and empty databases in it."""

    def new_database(self) -> str:
        """Make an empty database, and return its URL."""
        ...

    def execute(self, url: str, *statements: str) -> None:
        """Do as its administrator, outside every transaction."""
        ...

    def start(self) -> None: ...
    def kill(self) -> None:
        """End it as a power loss would."""
        ...

    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


def program(name: str, package: str, *folders: Path) -> Path:
    """Find a program of the system, or skip, loudly."""
    places = os.pathsep.join([*map(str, folders), os.environ["PATH"], "/usr/sbin"])
    found = shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"no {name} on this machine: apt-get install {package}")
    return Path(found)


def as_user(user: str) -> tuple[str, ...]:
    """Return what goes before a command: database servers refuse to be root, and end with us."""
    ends = ("setpriv", "--pdeathsig", "KILL")
    return (*ends, "--reuid", user, "--regid", user, "--clear-groups") if _is_root() else ends


def _is_root() -> bool:
    return os.geteuid() == 0


@contextmanager
def folder_of(user: str) -> Generator[Path]:
    """Make a directory for a server; its path is short, for a socket's name is."""
    with tempfile.TemporaryDirectory(prefix="nl-", dir="/tmp") as name:
        if _is_root():
            shutil.chown(name, user, user)
        yield Path(name)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@dataclass
class Postgres:
    """PostgreSQL, on a socket."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        made = ("-D", self.folder / "db", "-A", "trust", "-U", "ninelives", "-E", "UTF8", "-N")
        run(*as_user("postgres"), self.programs / "initdb", "--locale=C.UTF-8", *made)

    def start(self) -> None:
        serve = (self.programs / "postgres", "-D", self.folder / "db", "-k", self.folder)
        command = map(str, (*as_user("postgres"), *serve, "-c", "listen_addresses="))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command], stdout=log, stderr=log)
        wait_until_ready(self.process, self.folder, self.url("postgres"))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://ninelives@/{database}?host={self.folder}"

    def new_database(self) -> str:
        # An empty schema, for it takes a fortieth of the time of a database.
        again = ("DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public")
        self.execute(self.url("postgres"), *again)
        return self.url("postgres")

    def execute(self, url: str, *statements: str) -> None:
        execute(url, *statements)

    def freeze(self) -> None:
        signal_all(self.process, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self.process, signal.SIGCONT)

    def kill(self) -> None:
        end(self.process, signal.SIGQUIT)  # an immediate shutdown: nothing is flushed


@dataclass
class MariaDb:
    """MariaDB, on a socket."""

    folder: Path
    server: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        install = program("mariadb-install-db", "mariadb-server")
        made = ("--no-defaults", f"--datadir={self.folder}/db", "--skip-test-db")
        run(*as_user("mysql"), install, *made, "--auth-root-authentication-method=normal")

    def start(self) -> None:
        serve = ("--no-defaults", f"--datadir={self.folder}/db", f"--socket={self.folder}/socket")
        small = ("--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", *self.options)
        command = map(str, (*as_user("mysql"), self.server, *serve, *small))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command], stdout=log, stderr=log)
        wait_until_ready(self.process, self.folder, self.url(""))

    def url(self, database: str) -> str:
        return f"mariadb+pymysql://root@localhost/{database}?unix_socket={self.folder}/socket"

    def new_database(self) -> str:
        again = ("DROP DATABASE IF EXISTS ninelives", "CREATE DATABASE ninelives")
        self.execute(self.url(""), *again)
        return self.url("ninelives")

    def execute(self, url: str, *statements: str) -> None:
        execute(url, *statements)

    def freeze(self) -> None:
        signal_all(self.process, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self.process, signal.SIGCONT)

    def kill(self) -> None:
        end(self.process, signal.SIGKILL)


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def wait_until_ready(process: subprocess.Popen[bytes], folder: Path, url: str) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            return execute(url, "SELECT 1")
        except OperationalError:
            log = (folder / "log").read_text(errors="replace")
            assert process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)


def signal_all(process: subprocess.Popen[bytes] | None, what: signal.Signals) -> None:
    """Tell a server and the processes that it started for its connections."""
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, children)):
        os.kill(pid, what)


def end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def postgres() -> Generator[Postgres]:
    made_by = program("initdb", "postgresql", *POSTGRES_PROGRAMS)
    with folder_of("postgres") as folder:
        server = Postgres(folder, made_by.parent)
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def mariadb() -> Generator[MariaDb]:
    serves = program("mariadbd", "mariadb-server")
    with folder_of("mysql") as folder:
        server = MariaDb(folder, serves, ("--skip-networking",))
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.kill()
