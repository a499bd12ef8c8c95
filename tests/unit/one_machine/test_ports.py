"""Homes that start in the same second take different ports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from threegaps.errors import SettingsError
from threegaps.one_machine.ports import PORT_VARIABLES, choose_ports, free_port, release_ports
from threegaps.settings import Settings

CHOOSE = """
import json, sys
from threegaps.one_machine.ports import choose_ports
from threegaps.settings import Settings

for home in sys.stdin:
    print(json.dumps(choose_ports(Settings.load({"THREEGAPS_HOME": home.strip()}))), flush=True)
"""


@contextmanager
def starting(homes: list[Path]) -> Iterator[list[subprocess.Popen[str]]]:
    """A process for each home, which chooses when it is told to and then listens nowhere."""
    found = [
        subprocess.Popen([sys.executable, "-c", CHOOSE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in homes
    ]
    try:
        yield found
    finally:
        for process in found:
            process.kill()
            process.communicate()


def test_homes_that_choose_at_once_choose_apart(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in "abcd"]
    with starting(homes) as processes:
        for process, home in zip(processes, homes, strict=True):
            assert process.stdin is not None
            process.stdin.write(f"{home}\n")
        for process in processes:
            assert process.stdin is not None
            process.stdin.flush()
        chosen = [json.loads(process.stdout.readline()) for process in processes if process.stdout is not None]
        assert [len(set(one.values())) for one in chosen] == [5] * 4
        assert len({port for one in chosen for port in one.values()}) == 20
        # One that starts again while the others are only starting keeps its own.
        processes[0].kill()
        processes[0].wait()
        first = Settings.load({"THREEGAPS_HOME": str(homes[0])})
        assert choose_ports(first) == chosen[0]
        release_ports(first)


def test_a_port_that_is_asked_for_is_no_other_services(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_METRICS_PORT": str(port)})
    settings.remember(airflow_port=port)
    chosen = choose_ports(settings)
    assert chosen["metrics_port"] == port
    assert len(set(chosen.values())) == 5
    release_ports(settings)


@pytest.mark.parametrize("written", ["abc", "70000", "0", "-1", "80.5", "8080 ", "８０８０", "9" * 5000])
@pytest.mark.parametrize("variable", [name for name in PORT_VARIABLES if name != "THREEGAPS_METRICS_PORT"])
def test_what_is_no_port_is_named(tmp_path: Path, variable: str, written: str) -> None:
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), variable: written})
    with pytest.raises(SettingsError, match=f"{variable} is .*no whole number from 1 to 65535"):
        choose_ports(settings)
    assert settings.state() == {}


def test_one_port_for_two_services_is_refused(tmp_path: Path) -> None:
    asked = {"THREEGAPS_SANDBOX_HTTP_PORT": "18081", "THREEGAPS_METRICS_PORT": "18081"}
    with pytest.raises(SettingsError, match="HTTP_PORT and THREEGAPS_METRICS_PORT both ask for port 18081"):
        choose_ports(Settings.load({"THREEGAPS_HOME": str(tmp_path), **asked}))


def test_metrics_alone_may_be_switched_off(tmp_path: Path) -> None:
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_METRICS_PORT": "0"})
    assert choose_ports(settings)["metrics_port"] == 0
    release_ports(settings)
