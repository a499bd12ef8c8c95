"""A disk that fills: a real one, by real bytes; and the watch's own, on which it can write nothing any more."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.watch.conftest import Installation, fail_build
from threegaps.watch import heartbeat, reading_machine

pytestmark = pytest.mark.integration

MB = 10**6


@pytest.fixture
def landing() -> Iterator[Path]:
    """A folder on a file system that is not the home's, where there is one that may be written."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="threegaps-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def test_a_disk_that_fills_is_told_once_and_that_there_is_room_again_once(
    installation: Installation, landing: Path
) -> None:
    room = os.statvfs(landing)
    least_mb = room.f_bavail * room.f_frsize // MB - 40
    installation.environment |= {
        "THREEGAPS_LANDING_URI": str(landing),
        "THREEGAPS_LEAST_FREE_MB": str(least_mb),
    }
    installation.restart()
    installation.passes(30)
    assert installation.open() == []
    (landing / "large").write_bytes(bytes(80 * MB))
    installation.passes(120)
    (disk,) = (one for one in reading_machine.disks(installation.settings) if "landing" in one.names)
    key = f"disk_filling:{disk.names[0]}"
    assert key in installation.open()
    (landing / "large").unlink()
    installation.passes(120)
    assert key not in installation.open()
    assert [one for one in installation.channel.told() if one[1] == key] == [("opened", key), ("closed", key)]


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Whatever this process writes to a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_the_watch_goes_on_where_it_can_write_nothing(installation: Installation) -> None:
    installation.passes(15)
    fail_build(installation)
    with no_room():
        with pytest.raises(OSError, match="large"):
            (installation.settings.home / "probe").write_bytes(b"x")
        installation.passes(120)
    assert installation.channel.told() == [("opened", "build_failed")]
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert beat.passes == 1
    installation.passes(15)
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert beat.passes > 1
