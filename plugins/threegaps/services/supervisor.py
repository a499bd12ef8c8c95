"""One supervisor for PostgreSQL, the sandbox departments and Airflow.

Two processes watch over each other. The *keeper* inherits whatever loses its parent below it; the *supervisor*,
its only child, starts the services, starts them again when they end, and stops them in order. When the supervisor is
killed, the keeper ends all that is left; when the keeper is killed, the supervisor stops as on SIGTERM. Both hold one
lock, so that ``down`` knows when the last of them is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from threegaps.errors import ServiceError, ThreeGapsError
from threegaps.services import environment, processes
from threegaps.services.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.settings import DEPARTMENT_DATABASE, Settings

_POLL_SECONDS = 0.1
_STEADY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 60.0
_STOP_SECONDS = 6.0
_LARGEST_LOG_BYTES = 50_000_000
_MOST_FAILURES_AT_START = 4


def run_folder(settings: Settings) -> Path:
    """Where lock and status of the running services lie."""
    return settings.home / "run"


def status_path(settings: Settings) -> Path:
    """The supervisor's own account of steps and services."""
    return run_folder(settings) / "status.json"


def try_lock(settings: Settings) -> int | None:
    """Take the lock that keeper and supervisor hold while they run; None when they do. Returns its descriptor."""
    run_folder(settings).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_folder(settings) / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_running(settings: Settings) -> bool:
    """Whether a supervisor of this home runs."""
    lock = try_lock(settings)
    if lock is not None:
        os.close(lock)
    return lock is None


def read_status(settings: Settings) -> dict[str, Any]:
    """The last written account; empty before the first ``up``."""
    try:
        return dict(json.loads(status_path(settings).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


@dataclass(slots=True)
class Service:
    """A process that is to run as long as the supervisor does."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(repr=False, default_factory=dict)
    options: dict[str, Any] = field(repr=False, default_factory=dict)
    stop_signal: int = signal.SIGTERM
    restarts: int = 0
    started_at: float = 0.0
    next_start_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; its output goes to the end of its log."""
        _turn_over(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **({"env": self.environment, **_child_options()} | self.options),
            )
        self.started_at = time.monotonic()

    def tend(self) -> bool:
        """Start the process again when it has ended, after a pause that doubles; True when something changed."""
        if self.is_running:
            return False
        now = time.monotonic()
        if self.process is not None:
            code = self.process.returncode
            if now - self.started_at > _STEADY_SECONDS:
                self.restarts = 0
            pause = min(2.0**self.restarts, _LONGEST_PAUSE_SECONDS)
            self.restarts += 1
            self.next_start_at = now + pause
            self.process = None
            _say(f"{self.name} ended with code {code}; it starts again in {pause:.0f} s. Its log: {self.log}")
            return True
        if now >= self.next_start_at:
            self.start()
            return True
        return False

    def account(self) -> dict[str, Any]:
        """What the status file says of it."""
        running = self.is_running
        return {
            "name": self.name,
            "state": "running" if running else "waiting to start again",
            "pid": self.process.pid if running and self.process else None,
            "restarts": self.restarts,
            "log": str(self.log),
        }


def _child_options() -> dict[str, Any]:
    return {"preexec_fn": processes.die_with_parent, "start_new_session": True}


def _turn_over(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _say(message: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")
    sys.stderr.flush()


class StopRequestedError(Exception):
    """SIGTERM or Ctrl-C arrived while something was being prepared."""


class Supervisor:
    """Starts, watches and stops the services of one runtime home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.services: list[Service] = []
        self.steps: list[dict[str, Any]] = []
        self.state = "starting"
        self.message = ""
        self.stopping = False
        self.server: PostgresServer | None = None

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
            _say(f"failed: {error}")
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
        environment.choose_ports(settings)
        self._step("postgres", "PostgreSQL 数据库", self._start_postgres)
        self._step("databases", "databases and roles 库与角色", self._make_databases)
        write_login = environment.write_login_file(settings)
        _say(f"login file: {write_login}")
        environs = environment.service_environment(settings)
        airflow = [sys.executable, "-m", "airflow"]
        jobs = [
            self._job("airflow-migrate", "Airflow's database Airflow 元数据", [*airflow, "db", "migrate"], environs),
            self._job(
                "ledger",
                "ledger of the warehouse 台账",
                [sys.executable, "-m", "threegaps.services.prepare", "ledger"],
                environs,
            ),
        ]
        if settings.is_sandbox:
            jobs.append(
                self._job(
                    "sandbox-generate",
                    "synthetic province 合成数据",
                    [sys.executable, "-m", "threegaps.services.prepare", "sandbox"],
                    environs,
                )
            )
        pending = list(jobs)
        while pending:
            self._pause()
            for job in [job for job in pending if job.poll()]:
                pending.remove(job)
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
        _turn_over(log)
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environs,
                cwd=self.settings.root,
                **_child_options(),
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
            for group in ("bi_reader", "county_reader"):
                ensure_role(connection, group)
            for login in ("pipeline", "airflow", "department", "department_reader", "bi"):
                ensure_role(connection, login, password=settings.secret(f"postgres_{login}"))
            # The pipeline gives county officers their roles.
            connection.execute("alter role pipeline createrole")
            connection.execute("grant bi_reader to bi")
            connection.execute("grant bi_reader, county_reader to pipeline with admin option")
            for name, owner in environment.DATABASES.items():
                ensure_database(connection, name, owner=owner)
            connection.execute(f"grant connect on database {DEPARTMENT_DATABASE} to department_reader")
            connection.execute("grant connect on database warehouse to bi_reader, county_reader")
        department = self.server.dsn(
            DEPARTMENT_DATABASE, user="department", password=settings.secret("postgres_department")
        )
        with psycopg.connect(department, autocommit=True) as connection:
            connection.execute("alter default privileges in schema public grant select on tables to department_reader")
            connection.execute("grant usage on schema public to department_reader")

    def _start_airflow(self, airflow: Sequence[str], components: Sequence[str]) -> None:
        environs = environment.service_environment(self.settings)
        for component in components:
            # Logs are read from the folder; a server for them would be one more process and port.
            options = ["--skip-serve-logs"] if component in {"scheduler", "triggerer"} else []
            # The scheduler's tasks are forks of it: they share what it has imported.
            program = (
                [sys.executable, "-m", "threegaps.orchestration.preloaded"] if component == "scheduler" else airflow
            )
            self._start(Service(component, [*program, component, *options], self._log(component), environs))

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
        address = environment.airflow_address(self.settings)
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
        changed = [service.name for service in self.services if service.tend()]
        if changed:
            self._write()
        if self.state == "starting":
            for service in self.services:
                if service.restarts >= _MOST_FAILURES_AT_START:
                    raise ServiceError(f"{service.name} does not start.", advice=f"read {service.log}.")
        processes.reap(spared={one.process.pid for one in self.services if one.process})
        time.sleep(_POLL_SECONDS)

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
                # The scheduler waits for running tasks until it is told again; they are safe to cut off.
                _signal(others)
                asked_again = True
        tree = [one for one in processes.descendants(os.getpid()) if not _is_below(one, kept)]
        processes.end(tree, signal_number=signal.SIGKILL)
        _signal(database)
        for service in database:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if service.process:
                    service.process.wait(30)
        processes.end_descendants(os.getpid(), patience_seconds=5)

    def _write(self) -> None:
        path = status_path(self.settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "state": self.state,
            "message": self.message,
            "pid": os.getpid(),
            "keeper_pid": os.getppid(),
            "steps": self.steps,
            "services": [service.account() for service in self.services],
        }
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(path)


@dataclass(slots=True)
class Job:
    """Something that runs once while the services start."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    step: dict[str, Any]
    started_at: float

    def poll(self) -> bool:
        """Whether it is done.

        Raises:
            ServiceError: It failed.
        """
        code = self.process.poll()
        if code is None:
            return False
        if code != 0:
            self.step["state"] = "failed"
            last = _last_lines(self.log)
            raise ServiceError(f"{self.step['title']}: failed with code {code}. {last}", advice=f"read {self.log}.")
        self.step |= {"state": "done", "seconds": round(time.monotonic() - self.started_at, 1)}
        return True


def _last_lines(log: Path, *, lines: int = 3) -> str:
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])


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
        return probe.connect_ex((environment.LOOPBACK, port)) == 0


def keep(settings: Settings, *, command: Sequence[str] = ()) -> int:
    """Be the keeper: run the supervisor, pass signals on, and leave nothing behind when it ends, however it ends.

    Args:
        settings: Which home it is for.
        command: What runs the supervisor; by default this module does.

    Raises:
        ServiceError: The services of this home run already.
    """
    lock = try_lock(settings)
    if lock is None:
        raise ServiceError("The services run already.", advice="see `threegaps status`, or stop them first.")
    processes.adopt_orphans()
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _: object) -> None:
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    child = subprocess.Popen(
        list(command) or [sys.executable, "-m", "threegaps.services.supervisor", "supervise"],
        env=_home_environment(settings),
        cwd=settings.root,
        pass_fds=[lock],
        **_child_options(),
    )
    code = child.wait()
    processes.end_descendants(os.getpid(), patience_seconds=5)
    if code < 0:
        account = read_status(settings)
        account |= {"state": "failed", "message": f"The supervisor was ended by signal {-code}.", "services": []}
        status_path(settings).write_text(json.dumps(account, ensure_ascii=False), encoding="utf-8")
    return code if code >= 0 else 1


def start_keeper(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the keeper apart from this terminal."""
    settings.logs_folder.mkdir(parents=True, exist_ok=True)
    log = settings.logs_folder / "supervisor.log"
    _turn_over(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "threegaps.services.supervisor", "keep"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_home_environment(settings),
            cwd=settings.root,
            start_new_session=True,
        )


def _home_environment(settings: Settings) -> dict[str, str]:
    variables = dict(settings.environment)
    variables |= {"THREEGAPS_HOME": str(settings.home), "THREEGAPS_ROOT": str(settings.root)}
    folders = [str(settings.root / "plugins"), *filter(None, [variables.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(folders))
    return variables


def wait_until_running(
    settings: Settings, keeper: subprocess.Popen[bytes] | None, report: Callable[[dict[str, Any]], None]
) -> None:
    """Follow the start until all services run; *report* gets each account.

    Raises:
        ServiceError: The start failed; the message says at which step.
    """
    while True:
        account = read_status(settings)
        if account:
            report(account)
        state = account.get("state")
        if state == "running":
            return
        ended = keeper is not None and keeper.poll() is not None
        if ended or state in {"failed", "stopping"}:
            log = settings.logs_folder / "supervisor.log"
            said = account.get("message") or (_last_lines(log) if log.exists() else "")
            raise ServiceError(f"The services did not start: {said}", advice=f"read {log}.")
        time.sleep(0.2)


def up(settings: Settings, report: Callable[[dict[str, Any]], None]) -> bool:
    """Start the services unless they run, and wait until they do; True when they had to be started."""
    lock = try_lock(settings)
    if lock is None:
        wait_until_running(settings, None, report)
        return False
    status_path(settings).unlink(missing_ok=True)
    os.close(lock)
    wait_until_running(settings, start_keeper(settings), report)
    return True


def down(settings: Settings, *, seconds: float = 60) -> bool:
    """Stop the services and wait until the last of them has ended; False when none ran.

    Raises:
        ServiceError: Something still runs after *seconds*.
    """
    lock = try_lock(settings)
    if lock is not None:
        os.close(lock)
        return False
    deadline = time.monotonic() + seconds
    asked: set[int] = set()
    while lock is None:
        account = read_status(settings)
        watchers = {int(account[name]) for name in ("keeper_pid", "pid") if account.get(name, 1) > 1}
        processes.end(watchers - asked)
        asked |= watchers
        if time.monotonic() > deadline:
            raise ServiceError(
                f"The services still run after {seconds:.0f} s.",
                advice=f"look at {settings.logs_folder / 'supervisor.log'}.",
            )
        time.sleep(0.1)
        lock = try_lock(settings)
    os.close(lock)
    return True


def destroy(settings: Settings) -> None:
    """Delete the runtime home with all data; the services must be down."""
    lock = try_lock(settings)
    if lock is None:
        raise ServiceError("The services run.", advice="stop them first: `threegaps down`.")
    os.close(lock)
    if settings.home.exists():
        PostgresServer(settings.home / "postgres", 0, "").remove()
        shutil.rmtree(settings.home, ignore_errors=True)


def main() -> int:
    """Entry of the keeper's and the supervisor's processes."""
    settings = Settings.load()
    if sys.argv[1:] == ["supervise"]:
        processes.adopt_orphans()
        return Supervisor(settings).run()
    try:
        return keep(settings)
    except ServiceError as error:
        _say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
