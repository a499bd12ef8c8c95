"""A small client of Airflow's REST API: runs, pauses, pools."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from threegaps.errors import ServiceError, SettingsError
from threegaps.home import account
from threegaps.settings import Settings

ENDED_STATES = frozenset({"success", "failed"})
# What a task is looked at for, the most telling first.
STATES_THAT_MATTER = ("failed", "up_for_retry", "running", "queued", "scheduled")
_PAGE = 100
_MOST_PAGES = 20
_MOST_PAUSED = 8
LARGEST_HEALTH_BYTES = 65_536
"""What Airflow says of its own parts has some hundred bytes; more is not read."""
LARGEST_ANSWER_BYTES = 33_554_432
"""The largest pages of runs and tasks have some megabytes; more is not read."""
_LONGEST_TEXT = 64
_LOOPBACK = "127.0.0.1"
_USER_ON_ONE_MACHINE = "admin"


@dataclass(frozen=True, slots=True)
class PausedDag:
    """A DAG that is paused.

    Args:
        since: When somebody paused it; None where Airflow does not say: it was never let run.
        by: Whose login that was; None likewise.
    """

    since: dt.datetime | None = None
    by: str | None = None


def feed_dag(feed: str) -> str:
    """DAG of a feed: `department/name` is `feed_department_name`."""
    return f"feed_{feed.replace('/', '_')}"


def airflow_address(settings: Settings) -> str:
    """Address of Airflow's page and REST API, without a slash at the end."""
    return settings.airflow_url or f"http://{_LOOPBACK}:{settings.state().get('airflow_port', 8080)}"


def airflow_login(settings: Settings) -> tuple[str, str]:
    """User and password of Airflow's page."""
    return (
        settings.text("THREEGAPS_AIRFLOW_USER") or _USER_ON_ONE_MACHINE,
        settings.airflow_password or settings.secret("airflow_admin"),
    )


class AirflowApi:
    """Airflow's REST API at one address; signs in at the first call.

    Args:
        address: Address without a slash at the end.
        login: User and password.
        timeout_seconds: How long one answer may take, from the connection to its last byte.
    """

    def __init__(self, address: str, login: tuple[str, str], *, timeout_seconds: float = 30) -> None:
        self.address = address
        self._login = login
        self._timeout_seconds = timeout_seconds
        self._token = ""
        # Loopback is never asked through a proxy.
        self._proxies: dict[str, str] | None = {} if "//127.0.0.1" in address or "//localhost" in address else None

    @classmethod
    def of(cls, settings: Settings, *, timeout_seconds: float = 30) -> AirflowApi:
        """The API of the Airflow that these settings name, or that runs on this machine.

        Raises:
            ServiceError: None runs: whatever else listens at its port must not be sent its login.
            SettingsError: A deployment has not said where it is.
        """
        if settings.airflow_url is None:
            if settings.is_server:
                raise SettingsError(
                    "THREEGAPS_AIRFLOW_URL is not set.", advice="set the address of Airflow's API server."
                )
            if not account.is_running(settings):
                raise ServiceError(
                    "Airflow does not run: the services are not started.",
                    advice="start them with `threegaps up`, then run it again.",
                )
        return cls(airflow_address(settings), airflow_login(settings), timeout_seconds=timeout_seconds)

    def health(self) -> dict[str, dict[str, str]]:
        """What Airflow says of its own parts, short plain texts only; empty when it does not answer, or not so."""
        try:
            answer = self._send("GET", "/api/v2/monitor/health", signed=False, most_bytes=LARGEST_HEALTH_BYTES)
        except ServiceError:
            return {}
        return {
            part: {
                # A status that is no word is not a good one.
                key: value if _is_plain(value) else "unreadable"
                for key, value in said.items()
                if _is_plain(key) and (_is_plain(value) or (key == "status" and value is not None))
            }
            for part, said in answer.items()
            if _is_plain(part) and isinstance(said, dict)
        }

    def ensure_pool(self, name: str, *, slots: int, description: str) -> None:
        """Make a pool unless it is there; slots that someone has set stay."""
        try:
            self._call("GET", f"/api/v2/pools/{quote(name)}")
        except NotFoundError:
            self._call(
                "POST",
                "/api/v2/pools",
                {"name": name, "slots": slots, "description": description, "include_deferred": False},
            )

    def dags(self) -> dict[str, dict[str, Any]]:
        """Every DAG that Airflow knows, by its id."""
        return self._dags()

    def paused_dags(self) -> dict[str, PausedDag]:
        """Every DAG that is paused, by its id; where they are few, since when and by whom, as far as Airflow says."""
        ids = sorted(self._dags(paused="true"))
        return {dag_id: self._paused(dag_id) if len(ids) <= _MOST_PAUSED else PausedDag() for dag_id in ids}

    def _dags(self, **only: str) -> dict[str, dict[str, Any]]:
        """DAGs by their ids, read page by page to the last."""
        found: dict[str, dict[str, Any]] = {}
        read = 0
        for _ in range(_MOST_PAGES):
            query = {"limit": _PAGE, "offset": read, "order_by": "dag_id", "exclude_stale": "true", **only}
            answer = self._call("GET", f"/api/v2/dags?{urlencode(query)}")
            found |= {str(entry["dag_id"]): entry for entry in answer["dags"]}
            # Its pages may be shorter than was asked for: only the total says whether more follows.
            read, total = read + len(answer["dags"]), answer.get("total_entries")
            if not answer["dags"] or not isinstance(total, int) or read >= total:
                return found
        raise ServiceError(f"Airflow lists more than {_MOST_PAGES * _PAGE} DAGs.", advice="see `threegaps status`.")

    def _paused(self, dag_id: str) -> PausedDag:
        query = urlencode({"dag_id": dag_id, "event": "patch_dag", "order_by": "-event_log_id", "limit": 1})
        try:
            (entry,) = self._call("GET", f"/api/v2/eventLogs?{query}")["event_logs"]
            since = dt.datetime.fromisoformat(str(entry["when"]))
            by = entry["owner"]
        except (ServiceError, ValueError):
            return PausedDag()
        return PausedDag(since if since.tzinfo else None, by if _is_plain(by) else None)

    def import_errors(self) -> list[str]:
        """DAG files that could not be read, each with its reason."""
        answer = self._call("GET", "/api/v2/importErrors")
        return [f"{entry['filename']}: {entry['stack_trace'].strip()}" for entry in answer["import_errors"]]

    def set_paused(self, dag_id: str, *, is_paused: bool) -> None:
        """Pause a DAG or let it run."""
        self._call("PATCH", f"/api/v2/dags/{quote(dag_id)}", {"is_paused": is_paused})

    def trigger(
        self, dag_id: str, *, partition_key: str | None = None, conf: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask for a run; for a feed's DAG the partition key is the delivery."""
        body: dict[str, Any] = {"logical_date": None, "conf": conf or {}}
        if partition_key is not None:
            body["partition_key"] = partition_key
        return self._call("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body)

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run as it stands now."""
        return self._call("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}")

    def runs(self, dag_id: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """The latest runs of a DAG, the newest first."""
        query = urlencode({"limit": limit, "order_by": "-run_after"})
        return list(self._call("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns?{query}")["dag_runs"])

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """State of each task of a run."""
        answer = self._call("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances")
        return {entry["task_id"]: entry["state"] or "waiting" for entry in answer["task_instances"]}

    def under_way(self, dag_ids: Collection[str]) -> dict[tuple[str, str], dict[str, str]]:
        """Runs of these DAGs that have not ended, by DAG and run id, each with the states of its tasks that matter now.

        Two questions however many DAGs there are: one for each run keeps the API's process busy all the time.
        """
        wanted = {"dag_ids": sorted(dag_ids), "page_limit": _PAGE}
        answer = self._call("POST", "/api/v2/dags/~/dagRuns/list", wanted | {"states": ["queued", "running"]})
        found: dict[tuple[str, str], dict[str, str]] = {
            (str(run["dag_id"]), str(run["dag_run_id"])): {} for run in answer["dag_runs"]
        }
        if found:
            wanted |= {"dag_run_ids": sorted({run_id for _, run_id in found}), "state": list(STATES_THAT_MATTER)}
            answer = self._call("POST", "/api/v2/dags/~/dagRuns/~/taskInstances/list", wanted)
            for task in answer["task_instances"]:
                found.get((task["dag_id"], task["dag_run_id"]), {})[task["task_id"]] = task["state"]
        return found

    def backfill(self, dag_id: str, *, first_day: str, last_day: str, again: bool) -> dict[str, Any]:
        """Ask for a run of each delivery that begins in the window; with *again* of those that have run already too."""
        return self._call(
            "POST",
            "/api/v2/backfills",
            {
                "dag_id": dag_id,
                "from_date": f"{first_day}T00:00:00Z",
                "to_date": f"{last_day}T00:00:00Z",
                "run_backwards": False,
                "max_active_runs": 1,
                "reprocess_behavior": "completed" if again else "failed",
                "dag_run_conf": {},
            },
        )

    def backfill_dry_run(self, dag_id: str, *, first_day: str, last_day: str, behavior: str) -> set[str]:
        """The partition keys that a backfill of the window would run.

        Args:
            behavior: Which that have run are run again: `none`, `failed` or `completed` ones.
        """
        answer = self._call(
            "POST",
            "/api/v2/backfills/dry_run",
            {
                "dag_id": dag_id,
                "from_date": f"{first_day}T00:00:00Z",
                "to_date": f"{last_day}T00:00:00Z",
                "reprocess_behavior": behavior,
                "dag_run_conf": {},
            },
        )
        return {str(entry["partition_key"]) for entry in answer["backfills"]}

    def backfill_under_way(self, dag_id: str) -> int | None:
        """The newest backfill of a DAG, where it has not ended; None where it has, or there is none."""
        query = urlencode({"dag_id": dag_id, "order_by": "-id", "limit": 1})
        found = self._call("GET", f"/api/v2/backfills?{query}")["backfills"]
        return int(found[0]["id"]) if found and found[0]["completed_at"] is None else None

    def wait_until_known(self, wanted: set[str], *, seconds: float = 120) -> None:
        """Wait until the DAG processor has read these DAGs.

        Raises:
            ServiceError: A DAG file cannot be read, or some DAG does not appear.
        """
        deadline = time.monotonic() + seconds
        while missing := wanted - set(self.dags()):
            errors = self.import_errors()
            if errors:
                raise ServiceError(f"A DAG file cannot be read: {errors[0][-600:]}")
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"Airflow does not know {', '.join(sorted(missing))} after {seconds:.0f} s.",
                    advice="read the DAG processor's log: .threegaps/logs/dag-processor.log.",
                )
            time.sleep(0.5)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if not self._token:
            user, password = self._login
            answer = self._send("POST", "/auth/token", {"username": user, "password": password}, signed=False)
            self._token = str(answer["access_token"])
        return self._send(method, path, body)

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        signed: bool = True,
        most_bytes: int = LARGEST_ANSWER_BYTES,
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if signed:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode("utf-8")
        try:
            status, content = read_within(
                f"{self.address}{path}",
                seconds=self._timeout_seconds,
                most_bytes=most_bytes,
                method=method,
                data=data,
                headers=headers,
                proxies=self._proxies,
            )
            if status < 300:
                return _Answer(_object(content) if content else {})
        except OSError as error:
            raise UnansweredError(
                f"Airflow does not answer at {self.address}: {error}", advice="see `threegaps status`."
            ) from None
        except (ValueError, TypeError, OverflowError, http.client.HTTPException, RecursionError):
            raise _other(f"{method} {path}") from None
        detail = _detail(content)
        if status == 404:
            raise NotFoundError(f"Airflow knows no such thing: {detail}")
        # It is Airflow's own trouble, as of a database that keeps silent, and not of what was asked.
        kind = UnansweredError if status >= 500 else ServiceError
        raise kind(
            f"Airflow refuses {method} {path}: {status} {detail}",
            advice="wait until what is under way has ended, then ask again." if status == 409 else None,
        )


def read_within(
    address: str,
    *,
    seconds: float,
    most_bytes: int,
    method: str = "GET",
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
    proxies: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and content of an answer that is read whole within *seconds*, however slowly the other side trickles.

    Args:
        address: `http://` or `https://`.
        most_bytes: An answer with more is not read on.
        proxies: By which proxies; None for those of the environment, empty for none.

    Raises:
        OSError: There is no answer in time, or none at all.
        ValueError: The address is none, or the answer has more than *most_bytes*.
        http.client.HTTPException: What answers does not speak HTTP, or breaks off.
    """
    lines = _Lines()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _Handler(lines), _TlsHandler(lines))
    timer = threading.Timer(seconds, lines.cut)
    timer.daemon = True
    timer.start()
    try:
        request = urllib.request.Request(address, data=data, headers=headers or {}, method=method)  # noqa: S310
        try:
            with opener.open(request, timeout=seconds) as answer:
                status, content = answer.status, answer.read(most_bytes + 1)
        except urllib.error.HTTPError as refusal:
            with refusal:
                status, content = refusal.code, refusal.read(most_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError):
        if lines.are_cut:
            raise TimeoutError(_LATE) from None
        raise
    finally:
        timer.cancel()
        lines.close()
    if lines.are_cut:
        raise TimeoutError(_LATE)
    if len(content) > most_bytes:
        raise ValueError
    return status, content


_LATE = "no answer in time"


class _Lines:
    """The connections of one request, all cut when its time is up: a socket's own limit holds for each piece only."""

    def __init__(self) -> None:
        self.are_cut = False
        self._lines: list[socket.socket] = []

    def take(self, line: socket.socket) -> None:
        # Shutting down a duplicate ends the connection of both, also while TLS has taken the first over.
        self._lines.append(line.dup())
        if self.are_cut:
            self.cut()

    def cut(self) -> None:
        self.are_cut = True
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for line in self._lines:
            line.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, *args: Any, lines: _Lines | None = None, **options: Any) -> None:
        if lines is not None:
            self._kept = lines
        super().__init__(*args, **options)

    def connect(self) -> None:
        super().connect()
        self._kept.take(self.sock)


class _TlsConnection(http.client.HTTPSConnection, _Connection):
    """TLS is begun on a connection that has been taken already."""

    def __init__(self, *args: Any, lines: _Lines, **options: Any) -> None:
        self._kept = lines
        super().__init__(*args, **options)


class _Handler(urllib.request.HTTPHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Connection, lines=self._lines), req)


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        opened = functools.partial(_TlsConnection, lines=self._lines)
        return self.do_open(opened, req, context=ssl.create_default_context())


class _Answer(dict[str, Any]):
    """An answer; what is missing in it says that somebody else than Airflow has given it."""

    def __missing__(self, key: str) -> Any:
        raise _other(f"an answer without {key!r}")


def _object(content: bytes) -> dict[str, Any]:
    read: Any = json.loads(content)
    if not isinstance(read, dict):
        raise TypeError
    return read


def _other(what: str) -> ServiceError:
    return ServiceError(
        f"What answers is not Airflow's API: no JSON object of its kind ({what}).",
        advice="check THREEGAPS_AIRFLOW_URL; see `threegaps status`.",
    )


def _is_plain(value: Any) -> bool:
    """Whether it is a short text that can be shown and stored anywhere."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isascii() and value.isprintable()


class UnansweredError(ServiceError):
    """Airflow does not answer, or says that it cannot now: asked again later, it may."""


class NotFoundError(ServiceError):
    """Airflow has no DAG, run or pool of that name."""


def _detail(content: bytes) -> str:
    text = content.decode("utf-8", errors="replace")
    try:
        return str(_object(content).get("detail", text))[:2000]
    except (ValueError, TypeError, RecursionError):
        return text[:300]
