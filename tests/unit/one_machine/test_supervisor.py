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

from threegaps.cli import doctor
from threegaps.errors import ServiceError
from threegaps.home import account
from threegaps.home.processes import descendants, is_alive
from threegaps.one_machine import keeper, strays
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
    # Who waits for them hears that they were stopped, and of no fault.
    with pytest.raises(ServiceError, match="were stopped while they started"):
        keeper.wait_until_running(running.settings, running.keeper, lambda _: None)


def test_a_service_that_ends_starts_again(running: Running) -> None:
    before = running.pids()
    services = running.account()["services"]
    assert isinstance(services, list)
    os.kill(services[0]["pid"], signal.SIGKILL)
    wait_for(lambda: len(running.pids()) > len(before))
    wait_for(lambda: all(one["state"] == "running" for one in running.account()["services"]))  # type: ignore[attr-defined]
    assert running.account()["services"][0]["restarts"] == 1  # type: ignore[index]


def test_a_disk_that_takes_nothing_stops_nothing(running: Running, tmp_path: Path) -> None:
    """Neither its account nor the log of a service can be written: the others run on, and it is started later."""
    services = running.account()["services"]
    assert isinstance(services, list)
    path = account.status_path(running.settings)
    draft, log = path.with_suffix(".draft"), Path(services[0]["log"])
    log.unlink()
    for taken in (draft, log):
        taken.mkdir()
    os.kill(services[0]["pid"], signal.SIGKILL)
    time.sleep(4)
    assert running.keeper.poll() is None
    assert is_alive(services[1]["pid"])
    for taken in (draft, log):
        taken.rmdir()
    wait_for(lambda: running.account()["services"][0]["restarts"] >= 2)  # type: ignore[index]
    wait_for(lambda: all(one["state"] == "running" for one in running.account()["services"]))  # type: ignore[attr-defined]


def test_what_a_service_leaves_ends_before_it_starts_again(running: Running) -> None:
    """Its grandchild heeds no SIGTERM, and would do the work of the next one's a second time."""
    before = running.pids()
    killed = [int(one["pid"]) for one in running.account()["services"]]  # type: ignore[attr-defined]
    left = before - set(killed)
    assert len(left) == len(killed) == 2
    for process_id in killed:
        os.kill(process_id, signal.SIGKILL)
    wait_for(lambda: len(running.pids() - before) == 4)
    assert not any(map(is_alive, before))
    assert not (running.settings.home / "doubled").exists()


def finding_of_strays(running: Running) -> dict[str, str]:
    return next(one for one in doctor.examine(running.settings) if one["name"] == "strays")


@pytest.fixture
def only_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_CHECKS", tuple(one for one in doctor._CHECKS if one[0] == "strays"))


@pytest.fixture
def abandoned(running: Running, monkeypatch: pytest.MonkeyPatch) -> tuple[Running, set[int]]:
    """Services whose keeper and supervisor were killed at once: what is left of them."""
    monkeypatch.setattr(strays, "_PATIENCE_SECONDS", 0.5)
    everyone = running.pids()
    watchers = (running.keeper.pid, running.supervisor_pid)
    for process_id in watchers:
        os.kill(process_id, signal.SIGSTOP)  # neither sees the other die
    for process_id in watchers:
        os.kill(process_id, signal.SIGKILL)
    running.keeper.wait(10)
    wait_for(running.is_free)
    # The services go with the supervisor, even the one that heeds no SIGTERM; what they started does not.
    wait_for(lambda: sum(map(is_alive, everyone)) == 2)
    return running, {process_id for process_id in everyone if is_alive(process_id)}


@pytest.mark.usefixtures("only_strays")
def test_doctor_names_strays_of_this_home_alone(abandoned: tuple[Running, set[int]], tmp_path: Path) -> None:
    running, left = abandoned
    other = Running(tmp_path / "other")
    try:
        found = finding_of_strays(running)
        assert found["state"] == "wrong"
        for process_id in left:
            assert str(process_id) in found["message"]
            assert str(process_id) in found["advice"]
        assert {stray.service for stray in strays.look(running.settings)} == {"plain", "stubborn"}
        assert {stray.process_id for stray in strays.look(running.settings)} == left
        # Nor are those of a home that runs its own strays.
        assert finding_of_strays(other)["state"] == "ok"
        # A command for this home is none of its services.
        command = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            env=os.environ | {"THREEGAPS_HOME": str(running.settings.home)},
        )
        assert {stray.process_id for stray in strays.look(running.settings)} == left
        assert keeper.down(running.settings)
        assert not any(map(is_alive, left))
        assert is_alive(command.pid)
        command.kill()
        command.wait()
        assert all(map(is_alive, other.everyone()))
        assert finding_of_strays(running)["state"] == "ok"
        assert keeper.down(running.settings) is False
    finally:
        keeper.down(other.settings)
        other.keeper.wait(10)


def test_the_next_start_ends_what_was_left(abandoned: tuple[Running, set[int]]) -> None:
    running, left = abandoned
    (running.settings.home / "pids").unlink()
    again = Running(running.settings.home)
    try:
        assert not any(map(is_alive, left))
        assert not (running.settings.home / "doubled").exists()
    finally:
        assert keeper.down(again.settings)
        again.keeper.wait(10)


def test_down_ends_a_keeper_and_a_supervisor_that_hang(running: Running) -> None:
    everyone = running.everyone()
    for process_id in (running.keeper.pid, running.supervisor_pid):
        os.kill(process_id, signal.SIGSTOP)
    assert keeper.down(running.settings, seconds=0.3)
    running.keeper.wait(10)
    assert not any(map(is_alive, everyone))


def test_only_one_for_a_home(running: Running) -> None:
    with pytest.raises(ServiceError, match="run already"):
        keeper.keep(running.settings)
