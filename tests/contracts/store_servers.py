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
from typing import TypeAlias

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

KINDS = ("postgresql", "mariadb")
SERVERS = tuple(pytest.param(kind, marks=pytest.mark.server) for kind in KINDS)
READY_S, END_S = 30.0, 20.0
POSTGRES_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


Command: TypeAlias = tuple[str | Path, ...]


@dataclass
class Server:
    """One server, in a directory of its own on a socket, and empty databases in it."""

    folder: Path
    makes: Command
    serves: Command
    url_of: str  # with {database} where a database's name belongs
    administered: str  # the database that is there from the beginning
    emptied: str  # the one that tests are given
    empties: tuple[str, ...]
    power_loss: signal.Signals  # ends it with nothing flushed
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        run(*self.makes)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [*map(str, self.serves)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until_ready(self.process, self.folder, self.url(self.administered))

    def url(self, database: str) -> str:
        return self.url_of.format(database=database)

    def new_database(self) -> str:
        """Make an empty database, and return its URL."""
        self.execute(self.url(self.administered), *self.empties)
        return self.url(self.emptied)

    def execute(self, url: str, *statements: str) -> None:
        """Do as its administrator, outside every transaction."""
        execute(url, *statements)

    def freeze(self) -> None:
        signal_all(self.process, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self.process, signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power loss would."""
        end(self.process, self.power_loss)


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


def postgres_in(folder: Path, programs: Path) -> Server:
    made = ("-D", folder / "db", "-A", "trust", "-U", "ninelives", "-E", "UTF8", "-N")
    serve = ("-D", folder / "db", "-k", folder, "-c", "listen_addresses=")
    return Server(
        folder,
        makes=(*as_user("postgres"), programs / "initdb", "--locale=C.UTF-8", *made),
        serves=(*as_user("postgres"), programs / "postgres", *serve),
        url_of=f"postgresql+psycopg://ninelives@/{{database}}?host={folder}",
        administered="postgres",
        emptied="postgres",
        # An empty schema, for it takes a fortieth of the time of a database.
        empties=("DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public"),
        power_loss=signal.SIGQUIT,  # an immediate shutdown
    )


def mariadb_in(folder: Path, serves: Path, *options: str) -> Server:
    install = program("mariadb-install-db", "mariadb-server")
    place = ("--no-defaults", f"--datadir={folder}/db")
    small = ("--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", *options)
    made = (*place, "--skip-test-db", "--auth-root-authentication-method=normal")
    return Server(
        folder,
        makes=(*as_user("mysql"), install, *made),
        serves=(*as_user("mysql"), serves, *place, f"--socket={folder}/socket", *small),
        url_of=f"mariadb+pymysql://root@localhost/{{database}}?unix_socket={folder}/socket",
        administered="",
        emptied="ninelives",
        empties=("DROP DATABASE IF EXISTS ninelives", "CREATE DATABASE ninelives"),
        power_loss=signal.SIGKILL,
    )


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
def postgres() -> Generator[Server]:
    made_by = program("initdb", "postgresql", *POSTGRES_PROGRAMS)
    with folder_of("postgres") as folder, running(postgres_in(folder, made_by.parent)) as server:
        yield server


@contextmanager
def mariadb() -> Generator[Server]:
    serves = program("mariadbd", "mariadb-server")
    skip = "--skip-networking"
    with folder_of("mysql") as folder, running(mariadb_in(folder, serves, skip)) as server:
        yield server


@contextmanager
def running(server: Server) -> Generator[Server]:
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.kill()


def database_named(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of an empty database of this kind; SQLite's is a file in that folder."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/store.db"
    server: Server = request.getfixturevalue(kind)
    return server.new_database()
