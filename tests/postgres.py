"""A throw-away PostgreSQL for tests, from the server's binaries wherever they are installed.

`postgres_cluster` is one server for the whole run; `postgres_url` an empty database of its own for one test. Where
there are no binaries the tests are skipped, with the reason; on a machine that says CI they fail instead.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

_OWNER = "postgres"
#: What may be lost with a test database is not worth a disk's time.
_QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB")
_GUARD = 'cat; "$0" -D "$1/data" -m immediate stop; rm -rf "$1"'
_SETTINGS = ("synchronous_commit=on",)


@dataclass(frozen=True)
class Cluster:
    """A server, reached through a socket in `folder`. It may be stopped and started again.

    A `durable` one flushes what it commits: for measuring. The others save the disk's time. One with an `address` is
    reached there, too, by whoever comes from its network (a /24), and at it alone.
    """

    folder: Path
    binaries: Path
    durable: bool = False
    connections: int = 60
    address: str = ""

    def url(self, database: str) -> str:
        if self.address:
            return f"postgresql+psycopg://{_OWNER}@{self.address}:5432/{database}"
        return f"postgresql+psycopg://{_OWNER}@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user={_OWNER} dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)

    def create(self) -> None:
        self._run("initdb", "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if self.address:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self.address}/24 trust\n")

    def start(self) -> None:
        settings = (*_SETTINGS, f"max_connections={self.connections}", *(() if self.durable else _QUICK))
        options = " ".join([f"-c {setting}" for setting in settings] + [f"-k {self.folder}", f"-h '{self.address}'"])
        self._run("pg_ctl", "-w", "-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`fast` ends all sessions in order; `immediate` falls over, and recovers at the next start."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """At the end of the block the server stops and its folder is gone; and so it is when our process is killed.

        The guard is a process that waits for the end of its input: whatever becomes of us, the system closes our side.
        """
        words = ["sh", "-c", _GUARD, str(self.binaries / "pg_ctl"), str(self.folder)]
        guard = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self._user, cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait()

    @contextmanager
    def database(self, like: str = "template1") -> Iterator[str]:
        """A database like that one, dropped at the end; its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        yield name
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def _user(self) -> str | None:
        """The server refuses to run as root."""
        return _OWNER if os.geteuid() == 0 else None

    def _run(self, program: str, *words: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *words]
        with (self.folder / "log").open("ab") as log:
            subprocess.run(command, check=True, user=self._user, cwd=self.folder, stdout=log, stderr=log)


def _binaries() -> Path | None:
    on_path = shutil.which("pg_config")
    folders = [Path(subprocess.check_output([on_path, "--bindir"], text=True).strip())] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def running_cluster(*, durable: bool = False, connections: int = 60, address: str = "") -> Iterator[Cluster]:
    """A server of its own, gone afterwards."""
    binaries = _binaries()
    if binaries is None:
        message = "PostgreSQL's server binaries (initdb, postgres) are not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="newsletter-pg-")), binaries, durable, connections, address)
    if os.geteuid() == 0:
        shutil.chown(cluster.folder, _OWNER)
    with cluster.guarded():
        cluster.create()
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    with postgres_cluster.database() as name:
        yield postgres_cluster.url(name)
