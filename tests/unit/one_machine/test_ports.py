"""Homes that start in the same second take different ports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threegaps.one_machine.ports import choose_ports, free_port, release_ports
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
