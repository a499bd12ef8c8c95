"""What one pass reads around the ledger: PostgreSQL, Airflow's API, disks, the supervisor's account, the sandbox.

Every question has a limit of time: what hangs counts as down.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from os import statvfs
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

from threegaps.airflow_api import LARGEST_HEALTH_BYTES, AirflowApi, PausedDag, airflow_address, read_within
from threegaps.errors import SettingsError, ThreeGapsError, is_warehouse_down, kind_of, of_warehouse
from threegaps.home import account
from threegaps.home.processes import is_alive
from threegaps.settings import Settings
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.readings import (
    AIRFLOW_PARTS,
    AirflowReading,
    DiskReading,
    MachineReading,
    NotLookedAt,
    ServerReading,
    ServiceReading,
    WarehouseReading,
)

CONNECT_SECONDS = 10
PROBE_SECONDS = CONNECT_SECONDS + 2.0
QUESTION_SECONDS = 25.0
"""So long one question may wait: longer than the server lets a statement run, so that what is slow is answered."""
# A session whose other end is lost keeps its lock until it ends, and blinds the watch that comes after.
_SESSION_LIMITS = "-c statement_timeout=20s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
API_SECONDS = 10.0
_HURRIED_SECONDS = 3.0
_SERVER_SECONDS = 5.0
SANDBOX_HOST = "127.0.0.1"
AROUND_SECONDS = 40.0
"""All that is read around the ledger."""
_READING_SECONDS = 15.0

Reading = TypeVar("Reading")


class SilentError(psycopg.OperationalError):
    """The server has left a question unanswered for `QUESTION_SECONDS`."""


class _Asked(psycopg.Connection[TupleRow]):
    """A connection each of whose questions has a time of its own: many that are slow are no silence."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the answer to one question; a connection whose answer did not come in time is of no use any more."""
        try:
            with deadline(QUESTION_SECONDS):
                return super().wait(gen, interval, timeout)
        except DeadlineError:
            self.pgconn.finish()
            raise SilentError("timeout expired") from None
        except Exception:
            raise
        except BaseException:
            # The time of all questions is up: what is asked to end the session would wait once more.
            self.pgconn.finish()
            raise


def connect(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the warehouse in autocommit, made within a few seconds, whose questions do not wait for ever.

    Raises:
        psycopg.Error: It could not be made.
    """
    return _Asked.connect(
        settings.warehouse_dsn(),
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="threegaps watch",
        options=f"{_SESSION_LIMITS} -c timezone=Asia/Shanghai",
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
    )


def in_our_words(error: BaseException) -> str:
    """What *error* says, with nothing in it that was received."""
    if isinstance(error, DeadlineError):
        return "no answer in time"
    if isinstance(error, ThreeGapsError):
        return error.message
    if isinstance(error, psycopg.Error):
        return of_warehouse(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return kind_of(error)


def is_down(error: BaseException) -> bool:
    """Whether *error* says that the warehouse does not answer; else it answers, and something else is wrong."""
    # What it says in a session (what is locked, a statement that takes too long) is no sign of it.
    return isinstance(error, DeadlineError | TimeoutError | SilentError | psycopg.InterfaceError) or (
        isinstance(error, psycopg.Error) and is_warehouse_down(error)
    )


def silence(settings: Settings) -> WarehouseReading | None:
    """That the warehouse lets nobody in, asked in a few seconds; None where it does, or where that cannot be told."""
    try:
        with deadline(PROBE_SECONDS), connect(settings):
            return None
    except (psycopg.Error, TimeoutError) as error:
        return unanswered(settings, error) if is_down(error) else None
    except (DeadlineError, ThreeGapsError):
        return None


def unanswered(settings: Settings, error: BaseException) -> WarehouseReading:
    """That the warehouse does not answer, in our words."""
    said = "no answer in time" if isinstance(error, DeadlineError | TimeoutError) else of_warehouse(error)
    return WarehouseReading(warehouse_address(settings), answers=False, said=said)


def warehouse_address(settings: Settings) -> str:
    """Host and port of the warehouse; empty where it has none yet."""
    try:
        parts = settings.warehouse()
    except SettingsError:
        return ""
    return f"{parts['host']}:{parts['port']}"


def read_around(
    settings: Settings, silence: WarehouseReading | None = None
) -> tuple[MachineReading, tuple[NotLookedAt, ...]]:
    """What is read around the ledger, and what could not be, with reasons; one reading that fails spoils no other.

    Args:
        silence: That the warehouse does not answer, where it does not: Airflow, which has its database there, is not
            waited for, so that the next question to the warehouse comes soon.
    """
    missing: list[NotLookedAt] = []
    until = time.monotonic() + AROUND_SECONDS

    def read(name: str, ask: Callable[[Settings], Reading]) -> Reading | None:
        try:
            with deadline(min(max(until - time.monotonic(), 1.0), _READING_SECONDS)):
                return ask(settings)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other readings are to be had
            missing.append(NotLookedAt(name, in_our_words(error)))
            return None

    state = read("services", supervisor_state)
    is_quiet = state is not None and state != "running"
    if is_quiet:
        # Services that are being started or stopped do not answer, and nobody needs to be told.
        missing.append(NotLookedAt("airflow", f"the services are {state}"))
    room = read("disks", disks)
    seconds = API_SECONDS if silence is None else _HURRIED_SECONDS
    health = None if is_quiet else read("airflow", lambda one: airflow(one, seconds=seconds))
    return (
        MachineReading(
            warehouse=silence,
            airflow=health,
            services=None if is_quiet else read("services", services),
            disks=room,
            sandbox=None if is_quiet and has_sandbox(settings) else read("sandbox", sandbox),
            paused=read("paused DAGs", paused) if health is not None and health.answers else None,
        ),
        tuple(dict.fromkeys(missing)),
    )


def airflow(settings: Settings, *, seconds: float = API_SECONDS) -> AirflowReading:
    """What Airflow's API says of its parts; one that takes longer than *seconds* does not answer."""
    address = airflow_address(settings)
    started = time.monotonic()
    health = AirflowApi(address, ("", ""), timeout_seconds=seconds).health()
    took = time.monotonic() - started
    found = {part: health[part] for part in AIRFLOW_PARTS if part in health}
    return AirflowReading(
        address=address,
        answers=bool(health),
        seconds=round(took, 1),
        parts={part: status for part, said in found.items() if (status := said.get("status"))},
        beats={part: beat for part, said in found.items() if (beat := said.get(f"latest_{part}_heartbeat"))},
    )


def paused(settings: Settings, *, seconds: float = API_SECONDS) -> Mapping[str, PausedDag] | None:
    """The DAGs that are paused in Airflow; None where it does not answer, or nobody gave us a login of it."""
    if settings.is_server and settings.airflow_password is None:
        return None
    try:
        return AirflowApi.of(settings, timeout_seconds=seconds).paused_dags()
    except ThreeGapsError:
        return None


def supervisor_state(settings: Settings) -> str | None:
    """What the supervisor of this home does (``starting``, ``running``, ``stopping``); None where none runs."""
    if settings.is_server or not account.is_running(settings):
        return None
    return str(account.read_status(settings).get("state") or "") or None


def services(settings: Settings) -> tuple[ServiceReading, ...] | None:
    """The services as the supervisor accounts for them, processes that are gone seen through; None without one."""
    if supervisor_state(settings) is None:
        return None
    found = []
    for service in account.read_status(settings).get("services", []):
        process_id = service.get("pid")
        is_gone = bool(process_id) and not is_alive(int(process_id))
        found.append(
            ServiceReading(
                str(service["name"]),
                "ended" if is_gone else str(service["state"]),
                None if is_gone else process_id,
                int(service.get("restarts") or 0),
            )
        )
    return tuple(found)


def disks(settings: Settings) -> tuple[DiskReading, ...]:
    """Room on the file systems below the runtime home, landing and PostgreSQL's data, each once."""
    folders: list[tuple[str, Path]] = [("home", settings.home)]
    if settings.landing_folder is not None:
        folders.append(("landing", settings.landing_folder))
    if settings.has_own_services:
        folders.append(("postgres", settings.home / "postgres"))
    return read_disks(folders, settings.least_free_bytes)


def read_disks(folders: Iterable[tuple[str, Path]], least_free: int) -> tuple[DiskReading, ...]:
    """Room at each folder, or above it where it is not there yet; folders on one file system together."""
    found: dict[int, tuple[list[str], Path]] = {}
    for name, folder in folders:
        there = folder
        while not there.exists() and there != there.parent:
            there = there.parent
        found.setdefault(there.stat().st_dev, ([], there))[0].append(name)
    readings = []
    for names, folder in found.values():
        room = statvfs(folder)
        readings.append(
            DiskReading(
                names=tuple(names),
                path=str(folder),
                total_bytes=room.f_blocks * room.f_frsize,
                free_bytes=room.f_bavail * room.f_frsize,
                least_free_bytes=least_free,
            )
        )
    return tuple(readings)


def has_sandbox(settings: Settings) -> bool:
    """Whether there are stand-in departments that are ours to ask."""
    return settings.is_sandbox and settings.has_own_services


def sandbox(settings: Settings) -> tuple[ServerReading, ...]:
    """Whether the stand-in departments' gateway and SFTP server answer; empty where none are ours to ask."""
    if not has_sandbox(settings):
        return ()
    state = settings.state()
    http, sftp = state.get("sandbox_http_port"), state.get("sandbox_sftp_port")
    if not http or not sftp:
        return ()
    return (
        ServerReading("gateway", f"{SANDBOX_HOST}:{http}", _answers_http(int(http)), "_gateway"),
        ServerReading("SFTP", f"{SANDBOX_HOST}:{sftp}", _answers_banner(int(sftp)), "_sftp"),
    )


def _answers_http(port: int) -> bool:
    """Whether a web server answers, whatever it says."""
    try:
        read_within(
            f"http://{SANDBOX_HOST}:{port}/", seconds=_SERVER_SECONDS, most_bytes=LARGEST_HEALTH_BYTES, proxies={}
        )
    except ValueError:  # more than is read of it
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True


def _answers_banner(port: int) -> bool:
    """Whether an SSH server greets: one that hangs still has its connections accepted by the kernel."""
    try:
        with socket.create_connection((SANDBOX_HOST, port), _SERVER_SECONDS) as probe:
            until, greeting = time.monotonic() + _SERVER_SECONDS, b""
            while len(greeting) < 4 and (left := until - time.monotonic()) > 0:
                probe.settimeout(left)
                if not (piece := probe.recv(4 - len(greeting))):
                    break
                greeting += piece
            return greeting == b"SSH-"
    except OSError:
        return False
