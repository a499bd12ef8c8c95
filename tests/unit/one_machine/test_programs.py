"""A service that hangs is ended where that is for the supervisor to decide, and starts again."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from threegaps.one_machine import programs
from threegaps.one_machine.programs import Service


def test_a_service_that_hangs_is_ended_and_one_that_works_is_not(tmp_path: Path) -> None:
    hangs: set[int] = set()
    service = Service(
        "sleeper",
        [sys.executable, "-c", "import time; time.sleep(600)"],
        tmp_path / "sleeper.log",
        is_hung=lambda process_id: process_id in hangs,
    )
    service.start()
    assert service.process is not None
    first = service.process
    try:
        assert service.tend() is False
        assert first.poll() is None
        hangs.add(first.pid)
        service.next_look_at = 0.0
        service.tend()
        first.wait(10)
        assert service.tend() is True
        assert service.process is None
        service.next_start_at = time.monotonic()
        assert service.tend() is True
        assert service.process is not None
        assert service.process.pid != first.pid
        service.next_look_at = 0.0
        assert service.tend() is False
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait(10)


def test_it_is_not_asked_in_every_round(tmp_path: Path) -> None:
    asked: list[int] = []
    service = Service(
        "sleeper",
        [sys.executable, "-c", "import time; time.sleep(600)"],
        tmp_path / "sleeper.log",
        is_hung=lambda process_id: bool(asked.append(process_id)),
    )
    service.start()
    try:
        for _ in range(20):
            service.tend()
        assert len(asked) == 1
        assert programs._LOOK_SECONDS > 1
    finally:
        assert service.process is not None
        service.process.kill()
        service.process.wait(10)
