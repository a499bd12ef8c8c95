"""No orphan, whoever is killed: keeper and supervisor watch over each other and over all below them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from threegaps.errors import ServiceError
from threegaps.one_machine import account, keeper
from threegaps.one_machine.processes import descendants, is_alive
from threegaps.settings import Settings

STAND_IN = Path(__file__).with_name("stand_in.py")


class Running:
    """A keeper with its supervisor and their four processes."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.load({"THREEGAPS_HOME": str(home)})
        self.keeper = subprocess.Popen(
            [sys.executable, str(STAND_IN), "keep"],
            env=os.environ | {"THREEGAPS_HOME": str(home), "PYTHONPATH": str(self.settings.root / "plugins")},
            start_new_session=True,
        )
        wait_for(lambda: len(self.pids()) == 4 and self.account().get("state") == "running")

    def pids(self) -> set[int]:
        path = self.settings.home / "pids"
        return set(map(int, path.read_text().split())) if path.exists() else set()

    def account(self) -> dict[str, object]:
        return account.read_status(self.settings)

    @property
    def supervisor_pid(self) -> int:
        return int(str(self.account()["pid"]))

    def everyone(self) -> set[int]:
        return self.pids() | {self.keeper.pid, self.supervisor_pid}

    def is_free(self) -> bool:
        lock = account.try_lock(self.settings)
        if lock is None:
            return False
        os.close(lock)
        return True


def wait_for(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    one = Running(tmp_path)
    yield one
    for process_id in (*descendants(one.keeper.pid), one.keeper.pid, *one.pids()):
        if is_alive(process_id):
            os.kill(process_id, signal.SIGKILL)
    one.keeper.wait(10)


@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("keeper", signal.SIGTERM),
        ("keeper", signal.SIGINT),
        ("keeper", signal.SIGHUP),
        ("keeper", signal.SIGKILL),
        ("supervisor", signal.SIGTERM),
        ("supervisor", signal.SIGKILL),
    ],
)
def test_no_process_outlives_them(running: Running, victim: str, number: signal.Signals) -> None:
    everyone = running.everyone()
    assert len(everyone) == 6
    os.kill(running.keeper.pid if victim == "keeper" else running.supervisor_pid, number)
    running.keeper.wait(30)
    wait_for(running.is_free)
    wait_for(lambda: not any(map(is_alive, everyone)), seconds=5)
    assert not any(map(is_alive, running.pids()))


def test_down_returns_when_the_last_one_is_gone(running: Running) -> None:
    everyone = running.everyone()
    assert keeper.down(running.settings)
    running.keeper.wait(5)
    assert not any(map(is_alive, everyone))
    assert running.account()["state"] == "stopped"
    assert keeper.down(running.settings) is False


def test_a_service_that_ends_starts_again(running: Running) -> None:
    before = running.pids()
    services = running.account()["services"]
    assert isinstance(services, list)
    os.kill(services[0]["pid"], signal.SIGKILL)
    wait_for(lambda: len(running.pids()) > len(before))
    wait_for(lambda: all(one["state"] == "running" for one in running.account()["services"]))  # type: ignore[attr-defined]
    assert running.account()["services"][0]["restarts"] == 1  # type: ignore[index]


def test_only_one_for_a_home(running: Running) -> None:
    with pytest.raises(ServiceError, match="run already"):
        keeper.keep(running.settings)
