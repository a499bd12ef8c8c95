"""A small client of Airflow's REST API: runs, pauses, pools."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

from threegaps.errors import ServiceError
from threegaps.settings import Settings

ENDED_STATES = frozenset({"success", "failed"})
# What a task is looked at for, the most telling first.
STATES_THAT_MATTER = ("failed", "up_for_retry", "running", "queued", "scheduled")
_PAGE = 100
_LOOPBACK = "127.0.0.1"
_USER_ON_ONE_MACHINE = "admin"


def airflow_address(settings: Settings) -> str:
    """Address of Airflow's page and REST API, without a slash at the end."""
    given = settings.environment.get("THREEGAPS_AIRFLOW_URL")
    return (given or f"http://{_LOOPBACK}:{settings.state().get('airflow_port', 8080)}").rstrip("/")


def airflow_login(settings: Settings) -> tuple[str, str]:
    """User and password of Airflow's page."""
    variables = settings.environment
    return (
        variables.get("THREEGAPS_AIRFLOW_USER") or _USER_ON_ONE_MACHINE,
        variables.get("THREEGAPS_AIRFLOW_PASSWORD") or settings.secret("airflow_admin"),
    )


class AirflowApi:
    """Airflow's REST API at one address; signs in at the first call.

    Args:
        address: Address without a slash at the end.
        login: User and password.
        timeout_seconds: How long one answer may take.
    """

    def __init__(self, address: str, login: tuple[str, str], *, timeout_seconds: float = 30) -> None:
        self.address = address
        self._login = login
        self._timeout_seconds = timeout_seconds
        self._token = ""
        # Loopback is never asked through a proxy.
        proxies: dict[str, str] | None = {} if "//127.0.0.1" in address or "//localhost" in address else None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))

    @classmethod
    def of(cls, settings: Settings) -> AirflowApi:
        """The API of the Airflow that these settings name."""
        return cls(airflow_address(settings), airflow_login(settings))

    def health(self) -> dict[str, Any]:
        """What Airflow says of its own parts; empty when it does not answer."""
        try:
            return self._send("GET", "/api/v2/monitor/health", signed=False)
        except ServiceError:
            return {}

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
        answer = self._call("GET", "/api/v2/dags?limit=100&exclude_stale=true")
        return {str(entry["dag_id"]): entry for entry in answer["dags"]}

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
        self, method: str, path: str, body: dict[str, Any] | None = None, *, signed: bool = True
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if signed:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310  # the address is ours, always http or https
            f"{self.address}{path}",
            data=None if body is None else json.dumps(body).encode("utf-8"),
            headers=headers,
            method=method,
        )
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            detail = _detail(error)
            if error.code == 404:
                raise NotFoundError(f"Airflow knows no such thing: {detail}") from None
            raise ServiceError(
                f"Airflow refuses {method} {path}: {error.code} {detail}",
                advice="wait until what is under way has ended, then ask again." if error.code == 409 else None,
            ) from None
        except OSError as error:
            raise ServiceError(
                f"Airflow does not answer at {self.address}: {error}", advice="see `threegaps status`."
            ) from None
        return dict(json.loads(content)) if content else {}


class NotFoundError(ServiceError):
    """Airflow has no DAG, run or pool of that name."""


def _detail(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", errors="replace")
    try:
        return str(json.loads(text).get("detail", text))
    except (ValueError, AttributeError):
        return text[:300]
