"""Real services are stopped, killed and starved: each cause is told once by mail and webhook, and its end once.

Phases share what they wait for: what is hung is told after two minutes and is over a minute after it goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.receivers import MailReceiver, WebReceiver, alerts_by, mail_receiver, web_receiver
from threegaps.airflow_api import AirflowApi
from threegaps.home.account import read_status
from threegaps.home.processes import descendants, is_alive
from threegaps.one_machine.ports import PORT_VARIABLES, free_port
from threegaps.one_machine.temporary import temporary_home
from threegaps.settings import Settings
from threegaps.watch import heartbeat
from threegaps.watch.message import incident_message_id

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(2400)]

MB = 10**6
TOLD_WITHIN_SECONDS = 300.0


class Watched:
    """Services of a runtime home of its own, and whoever is told of them."""

    def __init__(self, home: Path, mail: MailReceiver, web: WebReceiver) -> None:
        self.mail, self.web = mail, web
        self.large = home / "large"
        # Far from what is free now: tests beside this one take and free some gigabytes.
        self.least_free_mb = self.free_mb() * 2 // 3
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))},
            "THREEGAPS_HOME": str(home),
            "THREEGAPS_SANDBOX_SCALE": "0.0001",
            "THREEGAPS_LEAST_FREE_MB": str(self.least_free_mb),
            # Its own: another installation that starts in the same moment finds the usual ones free, too.
            **{variable: str(free_port()) for variable in PORT_VARIABLES},
        }
        (home / "alerts.yaml").write_text(alerts_by(mail, web), encoding="utf-8")
        self.settings = Settings.load(self.environment)

    def free_mb(self) -> int:
        room = os.statvfs(self.large.parent)
        return room.f_bavail * room.f_frsize // MB

    def fill(self) -> None:
        """Reserve so much that too little is free, whatever others have freed or taken since."""
        with self.large.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, (self.free_mb() - self.least_free_mb + 2000) * MB)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "threegaps.cli.app", *arguments],
            env=self.environment | {"PYTHONPATH": str(self.settings.root / "plugins")},
            capture_output=True,
            text=True,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--json").stdout))

    def all_beat(self) -> bool:
        health = AirflowApi.of(self.settings).health()
        parts = ("scheduler", "dag_processor", "triggerer")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def process_id(self, service: str) -> int:
        """Of a service that runs."""
        found: list[int] = []

        def runs() -> bool:
            services = {one["name"]: one["pid"] for one in read_status(self.settings).get("services", [])}
            found[:] = [services[service]] if services.get(service) and is_alive(services[service]) else []
            return bool(found)

        wait_for(runs, f"{service} does not run", seconds=120)
        return found[0]

    def told(self) -> Counter[tuple[str, str]]:
        """What the webhook took, by change and cause."""
        found: Counter[tuple[str, str]] = Counter()
        for request in self.web.taken:
            said = json.loads(request.body)
            content = said.get("content", said)
            found[str(said.get("change")), str(content.get("cause_key"))] += 1
        return found

    def mails(self) -> Counter[str]:
        return Counter(str(message["Message-ID"]) for message in self.mail.messages)

    def is_mailed(self, change: str, key: str) -> bool:
        """Whether a mail has gone out on this change of an incident of this cause."""
        with psycopg.connect(self.settings.warehouse_dsn()) as connection:
            opened = connection.execute("select opened_at from ops.incident where cause_key = %s", [key]).fetchall()
        ids = {f"<{incident_message_id(key, at, change, 'mail')}>" for (at,) in opened}
        return bool(ids & set(self.mails()))

    def is_told(self, change: str, *keys: str) -> Callable[[], bool]:
        """Whether each of the causes has been told by both ways."""

        def check() -> bool:
            return all(self.told()[change, key] and self.is_mailed(change, key) for key in keys)

        return check

    def incidents(self) -> list[tuple[str, bool, bool]]:
        """Cause, whether it was told, whether it is over."""
        with psycopg.connect(self.settings.warehouse_dsn()) as connection:
            return [
                (str(key), bool(is_told), bool(is_over))
                for key, is_told, is_over in connection.execute(
                    "select cause_key, announced_at is not null, closed_at is not null from ops.incident order by 1"
                ).fetchall()
            ]


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = TOLD_WITHIN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(1)


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with temporary_home() as home, mail_receiver() as mail, web_receiver() as web:
        one = Watched(home, mail, web)
        try:
            done = one.run("up")
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            wait_for(lambda: one.status()["state"] == "fine", "it is not well from the start", seconds=180)
            # A part that has never beaten is none that Airflow could miss.
            wait_for(one.all_beat, "a part of Airflow does not begin to beat", seconds=120)
            yield one
        finally:
            everyone = descendants(int(read_status(one.settings).get("keeper_pid", 2**22)))
            for process_id in everyone:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGCONT)
            one.run("down")
            assert not [process_id for process_id in everyone if is_alive(process_id)]


@contextlib.contextmanager
def stopped(process_ids: Iterable[int]) -> Iterator[None]:
    """They hang: alive, and doing nothing."""
    halted = list(process_ids)
    for process_id in halted:
        os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        for process_id in halted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGCONT)


def with_forks(process_id: int) -> list[int]:
    """A process and what it has forked: a server's workers hang with it."""
    return [process_id, *descendants(process_id)]


def test_the_watch_runs_beside_the_rest_and_is_small(watched: Watched) -> None:
    page = watched.status()
    assert {one["name"]: one["state"] for one in page["services"]}["watch"] == "running"
    assert page["watch"]["state"] == "running"
    pages = Path(f"/proc/{watched.process_id('watch')}/statm").read_text(encoding="ascii").split()[1]
    assert int(pages) * os.sysconf("SC_PAGE_SIZE") < 60_000_000


@pytest.mark.breaks("airflow_down", "feed_unreachable", "disk_filling")
def test_what_hangs_and_a_disk_that_fills_are_each_told_once_and_their_end_once(watched: Watched) -> None:
    """All of Airflow is one incident, whichever parts of it hang meanwhile; the sandbox and the disk are one each.

    The watch is killed in between: it comes back, and opens and tells nothing anew.
    """
    keys = ("airflow_down", "feed_unreachable:sandbox", "disk_filling:home")
    hung = [watched.process_id(name) for name in ("scheduler", "dag-processor", "triggerer", "sandbox")]
    with stopped(process_id for one in hung for process_id in with_forks(one)):
        with stopped(with_forks(watched.process_id("api-server"))):
            watched.fill()
            wait_for(watched.is_told("opened", *keys), "not all was told")
            page = watched.status()
            assert page["state"] == "critical"
            assert {one["cause_key"]: "API server" in one["title_en"] for one in page["incidents"]} == {
                key: key == "airflow_down" for key in keys
            }
        killed = watched.process_id("watch")
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: watched.process_id("watch") != killed, "the watch did not come back", seconds=30)

        def sees_the_parts() -> bool:
            titles = [one["title_en"] for one in watched.status()["incidents"] if one["cause_key"] == "airflow_down"]
            return titles == ["Airflow is down: scheduler, DAG processor, triggerer"]

        wait_for(sees_the_parts, "the parts that hang are not named", seconds=120)
    watched.large.unlink()
    wait_for(watched.is_told("closed", *keys), "not every end was told")
    assert watched.told() == Counter({(change, key): 1 for change in ("opened", "closed") for key in keys})
    beat = heartbeat.last_beat(watched.settings)
    assert beat is not None
    assert beat.pid == watched.process_id("watch") != killed


@pytest.mark.breaks("warehouse_down")
def test_a_hung_postgresql_is_told_past_its_outbox(watched: Watched) -> None:
    before = watched.told()
    with stopped(with_forks(watched.process_id("postgres"))):
        wait_for(lambda: watched.told()["opened", "warehouse_down"] == 1, "it was not told")
        page = watched.status()
        assert [one["cause_key"] for one in page["incidents"]] == ["warehouse_down"]
    wait_for(lambda: watched.told()["closed", "warehouse_down"] == 1, "its end was not told")
    told = watched.told() - before
    assert {key: told["opened", key] for _, key in told} == {key: told["closed", key] for _, key in told}
    assert told["opened", "warehouse_down"] == 1


@pytest.mark.parametrize(
    "killed",
    [("scheduler", "dag-processor", "triggerer", "api-server", "sandbox"), ("postgres",)],
    ids=lambda killed: "_".join(killed),
)
def test_what_is_killed_comes_back_and_is_told_only_if_it_took_long(watched: Watched, killed: tuple[str, ...]) -> None:
    before, known = watched.told(), watched.incidents()
    processes = {name: watched.process_id(name) for name in killed}
    for process_id in processes.values():
        os.kill(process_id, signal.SIGKILL)
    for name, process_id in processes.items():
        wait_for(lambda n=name, p=process_id: watched.process_id(n) != p, f"{name} did not come back", seconds=60)  # type: ignore[misc]

    def is_well() -> bool:
        return watched.status()["state"] == "fine" and all(is_over for *_, is_over in watched.incidents())

    wait_for(is_well, "it did not become well again")
    new = Counter(watched.incidents()) - Counter(known)
    expected = Counter(
        {(change, key): count for (key, is_told, _), count in new.items() if is_told for change in ("opened", "closed")}
    )
    wait_for(lambda: watched.told() - before == expected, "not what was to be told")


def test_no_message_went_twice_by_mail(watched: Watched) -> None:
    mails = watched.mails()
    assert sum(mails.values()) == sum(watched.told().values())
    assert set(mails.values()) == {1}
