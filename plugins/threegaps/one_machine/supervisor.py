"""One supervisor for PostgreSQL, the sandbox departments, Airflow and the watch.

It starts the services of a runtime home, starts them again when they end, and stops them in order. Whoever starts it
is its keeper: see ``threegaps.one_machine.keeper``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from threegaps.access import logins
from threegaps.access.server import close_warehouse, make_roles
from threegaps.airflow_api import airflow_address
from threegaps.errors import ServiceError, ThreeGapsError
from threegaps.home import processes
from threegaps.home.account import status_path
from threegaps.one_machine import environment
from threegaps.one_machine.ports import LOOPBACK, choose_ports
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.one_machine.programs import Job, Service, child_options, marked, say, turn_over
from threegaps.one_machine.started_with import connection_fingerprints
from threegaps.settings import (
    DUTY_ENTRY,
    OWN_READER,
    OWN_READER_ENTRY,
    WAREHOUSE_DATABASE,
    Settings,
    department_database,
)
from threegaps.watch import heartbeat

_POLL_SECONDS = 0.1
_STOP_SECONDS = 6.0
_MOST_FAILURES_AT_START = 4
# What has lost its parent may end by itself, as what waits on a pipe of it does; then it is asked, then killed. After
# the longest time it is in the kernel's hands, and does nothing that a service which starts again could meet.
_OWN_END_SECONDS = 0.5
_ORPHAN_SECONDS = 3.0
_LONGEST_ORPHAN_SECONDS = 30.0


class StopRequestedError(Exception):
    """SIGTERM or Ctrl-C arrived while something was being prepared."""


class Supervisor:
    """Starts, watches and stops the services of one runtime home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.services: list[Service] = []
        self.jobs: list[Job] = []
        self.steps: list[dict[str, Any]] = []
        self.connections: dict[str, str] = {}
        self.state = "starting"
        self.message = ""
        self.stopping = False
        self.server: PostgresServer | None = None
        self._orphans: dict[int, float] = {}
        self._asked: set[int] = set()

    def run(self) -> int:
        """Start everything, watch until a signal asks to stop, stop everything; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        code = 0
        try:
            self._prepare()
            self.state = "running"
            self._write()
            while not self.stopping:
                self._pause()
        except StopRequestedError:
            pass
        except (ThreeGapsError, OSError, psycopg.Error, subprocess.SubprocessError) as error:
            code, self.state, self.message = 1, "failed", str(error)
            say(f"failed: {error}")
        finally:
            self._stop_all()
        if code == 0:
            self.state = "stopped"
        self._write()
        return code

    def _ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _prepare(self) -> None:
        settings = self.settings
        choose_ports(settings)
        self._step("postgres", "PostgreSQL 数据库", self._start_postgres)
        self._step("databases", "databases and roles 库与角色", self._make_databases)
        write_login = environment.write_login_file(settings)
        say(f"login file: {write_login}")
        environs = environment.service_environment(settings)
        # Before other processes run, which make secrets of theirs in the same file.
        reader_password = settings.secret(OWN_READER_ENTRY)
        settings.secret(DUTY_ENTRY)
        # Airflow, but its forks end with it.
        airflow = [sys.executable, "-m", "threegaps.orchestration.preloaded"]
        migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
        self.jobs = [
            self._job("airflow-migrate", "Airflow's database Airflow 元数据", migrate, environs),
            self._job(
                "ledger",
                "ledger of the warehouse 台账",
                [sys.executable, "-m", "threegaps.one_machine.prepare", "ledger"],
                environs,
            ),
        ]
        if settings.is_sandbox:
            self.jobs.append(
                self._job(
                    "sandbox-generate",
                    "synthetic province 合成数据",
                    [sys.executable, "-m", "threegaps.one_machine.prepare", "sandbox"],
                    environs,
                )
            )
        while self.jobs:
            self._pause()
            for job in [job for job in self.jobs if job.poll()]:
                self.jobs.remove(job)
                if job.name == "ledger":
                    logins.keep(settings.warehouse_dsn(), OWN_READER, "bi", reader_password)
                    self._start_watch(environs)
                if job.name == "airflow-migrate":
                    self._start_airflow(airflow, ("dag-processor", "api-server"))
                if job.name == "sandbox-generate":
                    self._start_sandbox()
        if settings.is_sandbox:
            self._step("sandbox", "departments' servers 部门服务", self._wait_for_sandbox)
        # The scheduler and its tasks get the connections, which the sandbox has just made its keys for.
        self._start_airflow(airflow, ("scheduler",))
        self._step("airflow", "Airflow's page and scheduler 调度", self._wait_for_airflow)
        self._start_airflow(airflow, ("triggerer",))

    def _step(self, name: str, title: str, action: Callable[[], None]) -> None:
        step = self._begin(name, title)
        started = time.monotonic()
        try:
            action()
        except BaseException:
            step["state"] = "failed"
            raise
        step |= {"state": "done", "seconds": round(time.monotonic() - started, 1)}
        self._write()

    def _begin(self, name: str, title: str) -> dict[str, Any]:
        step: dict[str, Any] = {"name": name, "title": title, "state": "running", "seconds": None}
        self.steps.append(step)
        self._write()
        return step

    def _job(self, name: str, title: str, command: Sequence[str], environs: dict[str, str]) -> Job:
        log = self.settings.logs_folder / f"{name}.log"
        turn_over(log)
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=marked(environs, name),
                cwd=self.settings.root,
                **child_options(),
            )
        return Job(name, process, log, self._begin(name, title), time.monotonic())

    def _start_postgres(self) -> None:
        settings = self.settings
        self.server = PostgresServer(
            settings.home / "postgres", int(settings.state()["postgres_port"]), settings.secret("postgres_threegaps")
        )
        self.server.initialise()
        service = Service(
            "postgres",
            self.server.command(),
            settings.logs_folder / "postgres.log",
            environment=dict(os.environ),
            options=self.server.process_options(),
            stop_signal=signal.SIGINT,
        )
        service.start()
        self.services.append(service)
        self.server.wait(seconds=60, is_alive=lambda: service.is_running, log=service.log)

    def _make_databases(self) -> None:
        if self.server is None:
            raise ServiceError("PostgreSQL has not been started.")
        settings = self.settings
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            for login in ("pipeline", "airflow", "department", "department_reader"):
                ensure_role(connection, login, password=settings.secret(f"postgres_{login}"))
            make_roles(connection)
            for name, owner in environment.databases(settings).items():
                ensure_database(connection, name, owner=owner)
        with psycopg.connect(self.server.dsn(WAREHOUSE_DATABASE), autocommit=True) as connection:
            close_warehouse(connection)
        # Real departments have databases of their own.
        for department in environment.departments_with_database(settings) if settings.is_sandbox else ():
            self._open_to_reader(self.server, department_database(department))

    def _open_to_reader(self, server: PostgresServer, database: str) -> None:
        """Let the pipeline read what a stand-in department puts into its database."""
        owner = server.dsn(database, user="department", password=self.settings.secret("postgres_department"))
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(
                sql.SQL("grant connect on database {} to department_reader").format(sql.Identifier(database))
            )
            connection.execute("alter default privileges in schema public grant select on tables to department_reader")
            connection.execute("grant usage on schema public to department_reader")

    def _start_airflow(self, airflow: Sequence[str], components: Sequence[str]) -> None:
        for component in components:
            is_page = component == "api-server"
            environs = (environment.page_environment if is_page else environment.service_environment)(self.settings)
            if component == "scheduler":
                self.connections = connection_fingerprints(self.settings, environs)
            # Logs are read from the folder; a server for them would be one more process and port.
            options = ["--skip-serve-logs"] if component in {"scheduler", "triggerer"} else []
            self._start(Service(component, [*airflow, component, *options], self._log(component), environs))

    def _start_watch(self, environs: dict[str, str]) -> None:
        """The watch goes on while the others are stopped or killed; one that hangs could tell nobody, and is ended."""
        settings = self.settings
        command = [sys.executable, "-m", "threegaps.watch"]
        self._start(
            Service(
                "watch", command, self._log("watch"), environs, is_hung=lambda pid: heartbeat.is_hung(settings, pid)
            )
        )

    def _start_sandbox(self) -> None:
        state = self.settings.state()
        command = [sys.executable, "-m", "sandbox", "serve", "--home", str(self.settings.sandbox_folder)]
        command += ["--http-port", str(state["sandbox_http_port"]), "--sftp-port", str(state["sandbox_sftp_port"])]
        self._start(Service("sandbox", command, self._log("sandbox"), environment.service_environment(self.settings)))

    def _start(self, service: Service) -> None:
        service.options = {"cwd": self.settings.root} | service.options
        service.start()
        self.services.append(service)
        self._write()

    def _log(self, name: str) -> Path:
        return self.settings.logs_folder / f"{name}.log"

    def _wait_for_airflow(self) -> None:
        address = airflow_address(self.settings)
        warming = threading.Thread(target=_warm_up, args=(address,), daemon=True)
        warming.start()
        while True:
            self._pause()
            if not warming.is_alive() and scheduler_is_healthy(address):
                return

    def _wait_for_sandbox(self) -> None:
        state = self.settings.state()
        while not all(_listens(state[name]) for name in ("sandbox_http_port", "sandbox_sftp_port")):
            self._pause()

    def _pause(self) -> None:
        """Tend the services and wait a moment."""
        if self.stopping:
            raise StopRequestedError
        # Whose exit code somebody else collected seems to have ended well.
        waited_for: list[Service | Job] = [*self.services, *self.jobs]
        own = {one.process.pid for one in waited_for if one.process}
        processes.reap(spared=own)
        may_start = self._end_orphans(own)
        changed = [service.name for service in self.services if service.tend(may_start=may_start)]
        if changed:
            self._write()
        if self.state == "starting":
            for service in self.services:
                if service.restarts >= _MOST_FAILURES_AT_START:
                    raise ServiceError(f"{service.name} does not start.", advice=f"read {service.log}.")
        time.sleep(_POLL_SECONDS)

    def _end_orphans(self, own: set[int]) -> bool:
        """End what has lost its parent below us: a dead scheduler's workers, a dead worker's task, with all below them.

        Args:
            own: Our services and jobs.

        Returns:
            Whether none is left; while one is, no service starts again, for its work would be done twice.
        """
        now = time.monotonic()
        orphans = [one for one in processes.children(os.getpid()) if one not in own and processes.is_alive(one)]
        self._orphans = {one: self._orphans.get(one, now) for one in orphans}
        self._asked &= set(orphans)
        for orphan, since in self._orphans.items():
            tree = [orphan, *processes.descendants(orphan)]
            if now - since > _ORPHAN_SECONDS:
                processes.end(tree, signal_number=signal.SIGKILL)
            elif now - since > _OWN_END_SECONDS and orphan not in self._asked:
                say(f"process {orphan} has lost its parent; it is ended")
                processes.end(tree)
                self._asked.add(orphan)
        return all(now - since > _LONGEST_ORPHAN_SECONDS for since in self._orphans.values())

    def _stop_all(self) -> None:
        """Airflow and the sandbox first, all at once; then the database; then whatever they left behind."""
        if self.state != "failed":
            self.state = "stopping"
            self._write()
        database = [service for service in self.services if service.name == "postgres"]
        others = [service for service in self.services if service.name != "postgres"]
        kept = {service.process.pid for service in database if service.process}
        _signal(others)
        deadline = time.monotonic() + _STOP_SECONDS
        asked_again = False
        while any(service.is_running for service in others) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            if not asked_again and time.monotonic() > deadline - _STOP_SECONDS * 3 / 4:
                # The scheduler waits for running tasks until it is asked again; they are safe to cut off.
                _signal(others)
                asked_again = True
        tree = [process_id for process_id in processes.descendants(os.getpid()) if not _is_below(process_id, kept)]
        processes.end(tree, signal_number=signal.SIGKILL)
        _signal(database)
        for service in database:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if service.process:
                    service.process.wait(30)
        processes.end_descendants(os.getpid(), patience_seconds=5)

    def _write(self) -> None:
        """Say how things stand; once all runs, a disk that takes nothing more must not stop it."""
        try:
            self._write_account()
        except OSError:
            if self.state == "starting":
                raise

    def _write_account(self) -> None:
        path = status_path(self.settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "state": self.state,
            "message": self.message,
            "pid": os.getpid(),
            "keeper_pid": os.getppid(),
            "steps": self.steps,
            "services": [service.account() for service in self.services],
            "connections": self.connections,
        }
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(path)


def _signal(services: Sequence[Service]) -> None:
    for service in services:
        if service.is_running and service.process:
            processes.end([service.process.pid], signal_number=service.stop_signal)


def _is_below(process_id: int, roots: set[int]) -> bool:
    return process_id in roots or any(process_id in processes.descendants(root) for root in roots)


def scheduler_is_healthy(address: str) -> bool:
    """Whether Airflow's page answers and says that its scheduler beats."""
    try:
        with _DIRECT.open(f"{address}/api/v2/monitor/health", timeout=3) as answer:
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    return (health.get("scheduler") or {}).get("status") == "healthy"


def _warm_up(address: str) -> None:
    """Ask the API that tasks talk to for the first time: it makes itself then, which takes longer than a task waits."""
    for _ in range(600):
        try:
            with _DIRECT.open(f"{address}/execution/health", timeout=60):
                return
        except OSError:
            time.sleep(0.2)


# Loopback is never asked through a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def main() -> int:
    """Entry of the supervisor's process."""
    processes.adopt_orphans()
    return Supervisor(Settings.load()).run()


if __name__ == "__main__":
    sys.exit(main())
