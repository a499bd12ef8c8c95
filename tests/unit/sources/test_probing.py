"""A busy machine is not taken for departments that do not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from threegaps import connections
from threegaps.cli import doctor_connections
from threegaps.contracts.loader import load_contracts
from threegaps.errors import SettingsError
from threegaps.home import account
from threegaps.one_machine import environment
from threegaps.settings import Settings
from threegaps.sources import probing
from threegaps.sources.probing import Probe, probe_all

CONTRACTS = load_contracts(Settings.load().contracts_folder)
DROP = next(one for one in CONTRACTS if one.protocol == "file_drop")
OTHER = next(one for one in CONTRACTS if one.protocol == "database")
# A fixed one, so that none of these tests asks a system.
FOUND = connections.Connection("made_up", "fs", "", None, "", "", "", {})


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """What a test has wait goes on when the test ends."""
    held = threading.Event()
    yield held
    held.set()


def quick(*_: object) -> None:
    pass


@pytest.fixture(autouse=True)
def no_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "get", lambda _: FOUND)
    monkeypatch.setattr(probing, "_KNOCKS", {"file_drop": quick, "database": quick})


def slow_import(_: Any) -> None:
    time.sleep(0.6)


def test_imports_and_look_ups_take_nothing_of_a_systems_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_look_up(_: str) -> connections.Connection:
        time.sleep(0.6)
        return FOUND

    monkeypatch.setattr(connections, "get", slow_look_up)
    monkeypatch.setattr(probing, "_import_what_asks", slow_import)
    assert [one.lets_us_in for one in probe_all([DROP, OTHER], seconds=0.5)] == [True, True]


def test_what_was_never_asked_is_not_called_silent(monkeypatch: pytest.MonkeyPatch, let_go: threading.Event) -> None:
    def busy(connection_id: str) -> connections.Connection:
        if connection_id == DROP.connection_id and threading.current_thread() is not threading.main_thread():
            let_go.wait(30)
        return FOUND

    monkeypatch.setattr(connections, "get", busy)
    found = {one.connection_id: one for one in probe_all([DROP, OTHER], seconds=5, seconds_to_begin=0.5)}
    never, other = found[DROP.connection_id], found[OTHER.connection_id]
    assert (never.is_tried, never.error, never.lets_us_in) == (False, None, False)
    assert other.lets_us_in


def test_a_system_that_keeps_silent_is_said_to(monkeypatch: pytest.MonkeyPatch, let_go: threading.Event) -> None:
    monkeypatch.setattr(probing, "_KNOCKS", {"file_drop": lambda *_: let_go.wait(30)})
    (one,) = probe_all([DROP], seconds=0.3)
    assert one.is_tried
    assert one.error is not None
    assert one.error.cause == "timed_out"


def test_a_connection_that_nobody_knows_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> connections.Connection:
        raise SettingsError("There is none.")

    monkeypatch.setattr(connections, "get", unknown)
    (one,) = probe_all([DROP], seconds=5)
    assert one.is_tried
    assert isinstance(one.error, SettingsError)


def test_the_doctor_warns_of_what_could_not_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = [
        Probe("first", ("a/one", "a/two", "a/three", "a/four"), None, None, None, is_tried=False),
        Probe("second", ("b/one",), None, None, None),
    ]
    monkeypatch.setattr(account, "is_running", lambda _: True)
    monkeypatch.setattr(environment, "apply", lambda _: None)
    monkeypatch.setattr(probing, "probe_all", lambda *_, **__: probes)
    untried, summary = doctor_connections.examine_connections(Settings.load())
    assert (untried["name"], untried["state"]) == ("connection first", "warning")
    assert "the machine is busy: a/one, a/two, a/three +1" in untried["message"]
    assert summary["state"] == "warning"
    assert "1 of 2" in summary["message"]
